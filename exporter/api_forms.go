package exporter

import (
	"net/http"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

// apiStatus is the answer to /api/v1/status. Durations are in seconds; pointers are nil where nothing is known.
type apiStatus struct {
	Version   string       `json:"version"`
	Simulated bool         `json:"simulated"`
	Now       time.Time    `json:"now"`
	Node      apiNode      `json:"node"`
	Workload  apiWorkload  `json:"workload"`
	Interval  float64      `json:"interval_seconds"`
	Running   *apiRunning  `json:"running"`
	Cycles    []apiCycle   `json:"cycles"`
	Failures  []apiFailure `json:"failures"`
	Speed     []apiRemark  `json:"speed"`
}

type apiNode struct {
	URL     string           `json:"url"`
	Up      *bool            `json:"up"`
	Dialect workload.Dialect `json:"dialect,omitempty"`
	Reason  string           `json:"reason,omitempty"`
}

type apiWorkload struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
	Prompts int    `json:"prompts"`
}

type apiRunning struct {
	Cycle    int         `json:"cycle"`
	Start    time.Time   `json:"start"`
	Models   int         `json:"models"`
	Done     int         `json:"models_done"`
	Model    *string     `json:"model"`
	Requests int         `json:"requests_done"`
	Tokens   int         `json:"output_tokens"`
	Loading  *apiLoading `json:"loading"`
}

type apiLoading struct {
	Stage   string  `json:"stage"`
	Elapsed float64 `json:"elapsed_seconds"`
	Unit    string  `json:"unit"`
	Done    uint64  `json:"done"`
	Total   *uint64 `json:"total"`
	Speed   float64 `json:"bytes_per_second,omitempty"`
}

type apiCycle struct {
	Number   int                  `json:"number"`
	Start    time.Time            `json:"start"`
	Duration float64              `json:"duration_seconds"`
	Outcome  workload.TurnOutcome `json:"outcome"`
}

type apiFailure struct {
	Last    time.Time `json:"last"`
	Count   int       `json:"count"`
	Model   string    `json:"model"`
	Prompt  string    `json:"prompt,omitempty"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
	Records []string  `json:"records"`
}

type apiRemark struct {
	Text string     `json:"text"`
	Tone judge.Tone `json:"tone"`
}

type apiModel struct {
	Model string         `json:"model"`
	Last  *apiTurn       `json:"last"`
	Since *apiComparison `json:"against_day_before"`
	Day   []apiPoint     `json:"day"`
	Speed []apiRemark    `json:"speed"`
}

type apiTurn struct {
	ExoModel     string               `json:"exo_model,omitempty"`
	Start        time.Time            `json:"start"`
	Duration     float64              `json:"duration_seconds"`
	Outcome      workload.TurnOutcome `json:"outcome"`
	Reason       string               `json:"reason,omitempty"`
	Fix          string               `json:"fix,omitempty"`
	Requests     int                  `json:"requests"`
	OK           int                  `json:"requests_ok"`
	Notes        []string             `json:"notes"`
	TTFT         *float64             `json:"median_time_to_first_token_seconds"`
	Output       *float64             `json:"output_tokens_per_second"`
	ServerOutput *float64             `json:"server_output_tokens_per_second"`
	Prefill      *float64             `json:"prefill_tokens_per_second"`
	ITLp50       *float64             `json:"median_inter_token_latency_seconds"`
	ITLp99       *float64             `json:"p99_inter_token_latency_seconds"`
	RSSMedian    *uint64              `json:"resident_memory_median_bytes"`
	RSSPeak      *uint64              `json:"resident_memory_peak_bytes"`
	Footprint    *uint64              `json:"footprint_bytes"`
	FootprintMax *uint64              `json:"footprint_peak_bytes"`
	GPU          *uint64              `json:"gpu_memory_bytes"`
	PerToken     *float64             `json:"energy_per_token_joules"`
	MBU          *float64             `json:"memory_bandwidth_utilization_ratio"`
}

type apiComparison struct {
	Turns  int      `json:"turns"`
	Output *float64 `json:"output_tokens_per_second_change_ratio"`
	TTFT   *float64 `json:"median_time_to_first_token_change_ratio"`
}

type apiPoint struct {
	At     time.Time `json:"at"`
	Output *float64  `json:"output_tokens_per_second"`
	TTFT   *float64  `json:"median_time_to_first_token_seconds"`
}

func (a *API) status(*http.Request) (any, error) {
	s, now := a.store.State(), a.now()
	answer := apiStatus{
		Version: Version(), Simulated: s.Simulated, Now: now.UTC(), Node: apiNode{URL: s.Target, Dialect: s.Status.Dialect},
		Workload: apiWorkload{s.SuiteVersion, s.SuiteSHA256, s.Prompts}, Interval: s.Interval.Seconds(), Running: s.Running.forAPI(),
		Cycles: []apiCycle{}, Failures: []apiFailure{}, Speed: remarks(s.Speed, now),
	}
	if s.Status.Err != nil {
		answer.Node.Reason = s.Status.Err.Error()
	}
	answer.Node.Up = known(s.Status.Up, s.StatusKnown && !s.Status.Unknown)
	for _, c := range s.Cycles {
		answer.Cycles = append(answer.Cycles, apiCycle{c.Number, c.Start.UTC(), c.Duration.Seconds(), c.Outcome})
	}
	for _, f := range s.Failures {
		answer.Failures = append(answer.Failures, apiFailure{
			f.Last.UTC(), f.Count, f.Model, f.Prompt, f.Outcome, f.Reason, append([]string{}, f.Records...),
		})
	}
	return answer, nil
}

func (p *Progress) forAPI() *apiRunning {
	if p == nil {
		return nil
	}
	r := &apiRunning{
		Cycle: p.Cycle, Start: p.Start.UTC(), Models: p.Turns, Done: p.Done, Model: known(p.Model, p.Model != ""),
		Requests: p.Requests, Tokens: p.Tokens,
	}
	if l := p.Loading; l != nil {
		unit := "layers"
		if l.Bytes {
			unit = "bytes"
		}
		r.Loading = &apiLoading{l.Stage, l.Elapsed.Seconds(), unit, l.Done, known(l.Total, l.Total > 0), l.BytesPerSecond}
	}
	return r
}

// models returns a page of the models in their order.
func (a *API) models(r *http.Request) (any, error) {
	limit, after, err := asked(r, "after")
	if err != nil {
		return nil, err
	}
	all, now := a.store.State().Models, a.now()
	if after != "" {
		i := slices.IndexFunc(all, func(m ModelState) bool { return m.Name == after })
		if i < 0 {
			return nil, refusal{http.StatusNotFound, "after: there is no such model"}
		}
		all = all[i+1:]
	}
	n := min(limit, len(all))
	page := apiPage[apiModel]{Items: []apiModel{}}
	for _, m := range all[:n] {
		page.Items = append(page.Items, m.forAPI(now))
	}
	if n < len(all) {
		page.Next = &all[n-1].Name
	}
	return page, nil
}

func (m ModelState) forAPI(now time.Time) apiModel {
	answer := apiModel{Model: m.Name, Day: []apiPoint{}, Speed: remarks(m.Speed, now)}
	if m.Last != nil {
		answer.Last = m.Last.forAPI()
	}
	if c := m.Since; c != nil {
		answer.Since = &apiComparison{c.Turns, c.Output, c.TTFT}
	}
	for _, p := range m.Day {
		answer.Day = append(answer.Day, apiPoint{p.At.UTC(), known(p.Output, p.Output > 0), known(p.TTFT.Seconds(), p.TTFT > 0)})
	}
	return answer
}

func (s Summary) forAPI() *apiTurn {
	return &apiTurn{
		ExoModel: s.ExoModel, Start: s.Start.UTC(), Duration: s.Duration.Seconds(), Outcome: s.Outcome, Reason: s.Reason, Fix: s.Fix,
		Requests: s.Requests, OK: s.OK, Notes: append([]string{}, s.Notes...), TTFT: inSeconds(s.TTFT), Output: s.Output,
		ServerOutput: s.ServerOutput, Prefill: s.Prefill, ITLp50: inSeconds(s.ITLp50), ITLp99: inSeconds(s.ITLp99),
		RSSMedian: s.RSSMedian, RSSPeak: s.RSSPeak, Footprint: s.Footprint, FootprintMax: s.FootprintMax, GPU: s.GPU,
		PerToken: s.PerToken, MBU: s.MBU,
	}
}

func inSeconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return known(d.Seconds(), true)
}

func remarks(verdicts []judge.Verdict, now time.Time) []apiRemark {
	all := []apiRemark{}
	for _, r := range judge.Remarks(verdicts, now) {
		all = append(all, apiRemark{r.Text, r.Tone})
	}
	return all
}
