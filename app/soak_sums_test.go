package app

import (
	"fmt"
	"math"
	"testing"

	"exo-bench-exporter/workload"
)

// tally is what the program's metrics have to add up to, kept in another way than theirs.
type tally struct {
	cycles, results, turnsDone int

	outcomes map[workload.TurnOutcome]int // of cycles
	turns    map[string]int               // by model and outcome
	want     map[string]float64           // by series
}

func newTally() tally {
	return tally{outcomes: map[workload.TurnOutcome]int{}, turns: map[string]int{}, want: map[string]float64{}}
}

func (a *tally) request(r workload.Result) {
	a.results++
	by := fmt.Sprintf("{model=%q,prompt=%q}", r.Model, r.Prompt)
	a.want[fmt.Sprintf(`exobench_requests_total{model=%q,outcome=%q,prompt=%q}`, r.Model, r.Outcome, r.Prompt)]++
	if r.OK() && r.Contended {
		a.want[fmt.Sprintf("exobench_contended_requests_total{model=%q}", r.Model)]++
	}
	if !r.Clean() {
		return
	}
	histogram := func(name string, seconds ...float64) {
		for _, s := range seconds {
			a.want["exobench_"+name+"_seconds_count"+by]++
			a.want["exobench_"+name+"_seconds_sum"+by] += s
		}
	}
	histogram("time_to_first_token", r.TTFT.Seconds())
	histogram("request_duration", r.E2E.Seconds())
	if n := r.DecodeTokens(); n > 0 {
		histogram("time_per_output_token", r.Decode.Seconds()/float64(n)) // which the program rounds to the nanosecond
		a.want["exobench_decode_tokens_total"+by] += float64(n)
		a.want["exobench_decode_seconds_total"+by] += r.Decode.Seconds()
	}
	for _, gap := range r.Gaps {
		histogram("inter_token_latency", gap.Seconds())
	}
	a.want["exobench_output_tokens_total"+by] += float64(r.OutputTokens)
	a.want["exobench_prompt_tokens_total"+by] += float64(r.PromptTokens)
	a.want[fmt.Sprintf("exobench_coalesced_events_total{model=%q}", r.Model)] += float64(r.Coalesced)
	a.want[fmt.Sprintf("exobench_withheld_gaps_total{model=%q}", r.Model)] += float64(r.Withheld)
	a.want[fmt.Sprintf("exobench_token_counts_total{model=%q,source=%q}", r.Model, r.TokenSource)]++
}

func (a *tally) turn(t workload.Turn) {
	a.turnsDone++
	a.turns[string(t.Outcome)]++
	a.want[fmt.Sprintf(`exobench_turns_total{model=%q,outcome=%q}`, t.Model, t.Outcome)]++
}

// wantSums wants every counter and histogram to be what was told, and nothing else to have counted.
func (o *soaker) wantSums(t *testing.T, scraped map[string]float64) {
	t.Helper()
	for outcome, n := range o.tally.outcomes {
		o.tally.want[fmt.Sprintf("exobench_cycles_total{outcome=%q}", outcome)] = float64(n)
	}
	families := map[string]bool{}
	for name, want := range o.tally.want {
		families[family(name)] = true
		if got := scraped[name]; math.Abs(got-want) > 1e-6*want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, got := range scraped {
		if families[family(name)] && o.tally.want[name] == 0 && got != 0 {
			t.Errorf("%s is %v, and nobody was told of that", name, got)
		}
	}
	if len(families) < 16 {
		t.Errorf("only %d families were counted: %v", len(families), families)
	}
	if o.tally.turnsDone != 2*o.tally.cycles || o.tally.outcomes[workload.TurnOK] == o.tally.cycles {
		t.Errorf("%d turns in %d cycles, of which %v", o.tally.turnsDone, o.tally.cycles, o.tally.outcomes)
	}
	for _, wrong := range o.wrong {
		t.Error(wrong)
	}
}

func family(series string) string {
	for i := range series {
		if series[i] == '{' {
			return series[:i]
		}
	}
	return series
}
