package exporter

import (
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
)

// anyAnswer is a node that gives one answer to every prompt, piece by piece, and lists one model, of
// which exo 1.x has an instance that is ready.
type anyAnswer struct {
	status int
	header string // lines of "Name: value"
	body   string
	pause  time.Duration // before each piece
}

// plainAnswers are what the routes answer that put no prompt; what is not here is empty.
var plainAnswers = map[string]string{
	"/models":    `{"data":[{"id":"m"}]}`,
	"/v1/models": `{"data":[{"id":"m"}]}`,
	"/api/tags":  `{"models":[{"name":"m"}]}`,
	"/state/instances": `{"i":{"MlxRingInstance":{"instanceId":"i","shardAssignments":{"modelId":"m",` +
		`"runnerToShard":{"r":{}},"nodeToRunner":{"n":"r"}}}}}`,
	"/state/runners":             `{"r":{"RunnerReady":{}}}`,
	"/state/lastEventAppliedIdx": `1`,
}

// RoundTrip implements http.RoundTripper.
func (a anyAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		doc, ok := plainAnswers[r.URL.Path]
		if !ok {
			doc = `{}`
		}
		return answerOf(r, http.StatusOK, io.NopCloser(strings.NewReader(doc))), nil
	}
	resp := answerOf(r, a.status, &pieces{ctx: r.Context(), left: strings.SplitAfter(a.body, "\n\n"), pause: a.pause})
	for line := range strings.SplitSeq(a.header, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			resp.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return resp, nil
}

func answerOf(r *http.Request, status int, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: body, Request: r}
}

// pieces is a body of which each piece comes after a pause.
type pieces struct {
	ctx   context.Context
	left  []string
	pause time.Duration
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	timer := time.NewTimer(p.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; p.left[0] == "" {
		p.left = p.left[1:]
	}
	return n, nil
}

// Close implements io.Closer.
func (*pieces) Close() error { return nil }

// mostFigure is beyond what any figure of a request that took a few seconds can be.
const mostFigure = 1e15

// FuzzAnswers lets a node give any answer to the prompts of a cycle. Whatever it says, what comes
// out on /metrics is finite, not negative, and no more than was asked for.
func FuzzAnswers(f *testing.F) {
	const chunk = `data: {"id":"r","model":"m","choices":[{"index":0,"delta":{"content":"w "}}]}` + "\n\n"
	const end = `data: {"model":"m","choices":[{"delta":{},"finish_reason":"length"}],`
	for _, seed := range []struct {
		status       int
		header, body string
	}{
		{
			200, "Content-Type: text/event-stream",
			strings.Repeat(chunk, 4) + end + `"usage":{"prompt_tokens":9,"completion_tokens":4}}` + "\n\ndata: [DONE]\n\n",
		},
		{
			200, "Content-Type: text/event-stream",
			strings.Repeat(chunk, 4) + end + `"usage":{"prompt_tokens":-1,"completion_tokens":9e18,"total_tokens":1e300}}` + "\n\n",
		},
		{
			200, "Content-Type: text/event-stream",
			strings.Repeat(chunk, 9) + `: generation_stats {"prompt_tps":-5,"prompt_tokens":-1,"generation_tokens":-3,"generation_tps":1e309}` +
				"\n\n" + end + `"usage":null}` + "\n\n",
		},
		{
			200, "Content-Type: text/event-stream",
			chunk + `data: {"model":"m","choices":[{"delta":{"content":"w"},"finish_reason":"stop"}],"timings":{"cache_n":1e18,"prompt_n":1,` +
				`"predicted_per_second":-0.1}}` + "\n\n",
		},
		{
			200, "Content-Type: application/json",
			`{"model":"m","choices":[{"finish_reason":"length"}],"generation_stats":{"prompt_tokens":-1,"generation_tokens":99,` +
				`"peak_memory_usage":{"inBytes":-5}},"power_usage":{"total_energy_joules":-1e9}}`,
		},
		{
			200, "Content-Type: application/x-ndjson",
			`{"model":"m","message":{"content":"w"}}` + "\n\n" +
				`{"model":"m","message":{"content":""},"done":true,"eval_count":-4,"eval_duration":1,"prompt_eval_count":1e12}` + "\n\n",
		},
		{200, "Content-Type: text/event-stream\nContent-Encoding: gzip", "\x1f\x8b"},
		{429, "Retry-After: 1", `{"error":{"message":"slow down"}}`},
		{503, "", `{"error":{"message":"Loading model"}}`},
		{400, "", `{"error":{"message":"unknown field: seed"}}`},
		{301, "Location: //x:y@elsewhere/%zz", ""},
	} {
		for d := range len(workload.Dialects()) - 1 {
			f.Add(uint8(d), uint16(seed.status), seed.header, seed.body, uint16(10))
		}
	}
	f.Fuzz(func(t *testing.T, dialect uint8, status uint16, header, body string, pauseMS uint16) {
		names := workload.Dialects()[1:]
		node := anyAnswer{
			status: max(200, int(status)%600), header: header, body: body, pause: time.Duration(pauseMS) * time.Millisecond,
		}
		synctest.Test(t, func(t *testing.T) { checkFigures(t, node, names[int(dialect)%len(names)]) })
	})
}

// A good answer is measured in every dialect: what FuzzAnswers makes of it comes by that way.
func TestAnyAnswerIsMeasured(t *testing.T) {
	const (
		chunk = `data: {"model":"m","choices":[{"index":0,"delta":{"content":"w "}}]}` + "\n\n"
		end   = `data: {"model":"m","choices":[{"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":99,"completion_tokens":4}}` +
			"\n\n"
		line = `{"model":"m","message":{"content":"w"}}` + "\n\n"
	)
	stream := anyAnswer{http.StatusOK, "Content-Type: text/event-stream", strings.Repeat(chunk, 4) + end, 10 * time.Millisecond}
	lines := anyAnswer{
		http.StatusOK, "Content-Type: application/x-ndjson", strings.Repeat(line, 4) + `{"model":"m","done":true,"eval_count":4}` + "\n",
		10 * time.Millisecond,
	}
	for _, dialect := range workload.Dialects()[1:] {
		node := stream
		if dialect == workload.DialectOllama {
			node = lines
		}
		synctest.Test(t, func(t *testing.T) {
			if checkFigures(t, node, dialect) == 0 {
				t.Errorf("%s: no request succeeded", dialect)
			}
		})
	}
}

// checkFigures has the answers of node measured for two cycles, and returns how many were good.
func checkFigures(t *testing.T, node anyAnswer, dialect workload.Dialect) (good int) {
	client, err := exo.New(exo.Options{
		BaseURL: "http://node.test", Transport: node, Dialect: dialect, StateDir: t.TempDir(),
		LoadTimeout: 5 * time.Second, BusyTimeout: 5 * time.Second,
		Timeouts: exo.Timeouts{FirstToken: 3 * time.Second, Idle: 3 * time.Second, Request: 10 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	o := testOptions()
	o.Models = []workload.Model{{Name: "m", ExoID: "m"}}
	reg := NewRegistry()
	runner := workload.NewRunner(workload.RunnerOptions{
		Models: o.Models, Suite: o.Suite, Target: client, Observers: []workload.Observer{NewObserver(NewMetrics(reg, o))}, Interval: time.Hour,
	})
	asked := map[string]int{}
	for _, p := range o.Suite.Prompts {
		asked[p.ID] = p.MaxTokens
	}
	for cycle := range 2 {
		c := runner.Cycle(t.Context())
		for _, turn := range c.Turns {
			for _, r := range turn.Results {
				if (r.Err == "") != r.OK() {
					t.Errorf("%s with error %q", r.Outcome, r.Err)
				}
				if r.OK() {
					good++
				}
			}
		}
		wantPlausible(t, reg, asked, cycle+1)
	}
	return good
}

// wantPlausible wants every sample of the program's own to be possible after so many cycles, in
// which each prompt asked for so many tokens.
func wantPlausible(t *testing.T, reg *prometheus.Registry, asked map[string]int, cycles int) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		name := family.GetName()
		if !strings.HasPrefix(name, "exobench_") {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, v := range samples(m) {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > mostFigure {
					t.Errorf("%s%v = %s", name, m.GetLabel(), strconv.FormatFloat(v, 'g', -1, 64))
				}
			}
			if h := m.GetHistogram(); h != nil && h.GetSampleCount() > 0 && h.GetSampleSum() <= 0 {
				t.Errorf("%s%v: %d samples of nothing", name, m.GetLabel(), h.GetSampleCount())
			}
			if name == "exobench_output_tokens_total" || name == "exobench_decode_tokens_total" {
				if n, most := m.GetCounter().GetValue(), float64(asked[label(m, "prompt")]*cycles); n > most {
					t.Errorf("%s: %v tokens were counted, %v were asked for", name, n, most)
				}
			}
		}
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func samples(m *dto.Metric) []float64 {
	switch {
	case m.Counter != nil:
		return []float64{m.GetCounter().GetValue()}
	case m.Gauge != nil:
		return []float64{m.GetGauge().GetValue()}
	case m.Histogram != nil:
		return []float64{m.GetHistogram().GetSampleSum()}
	}
	return nil
}
