package exporter

import (
	"math"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9*math.Abs(b) }

func TestSummarize(t *testing.T) {
	slow := okResult("m", "short")
	slow.Decode, slow.Gaps = 80*time.Millisecond, []time.Duration{20e6, 20e6, 20e6, 20e6}
	slow.PromptTokens, slow.TTFT = 110, 600*time.Millisecond
	slow.Server = &workload.ServerStats{GenerationTPS: 51, GenerationTokens: 101} // as if it counted more
	results := []workload.Result{okResult("m", "long"), slow, failedResult("m", "x", workload.OutcomeEmpty)}
	// whatever these say, only how they ended counts
	for _, mark := range []func(*workload.Result){
		func(r *workload.Result) { r.Contended = true },
		func(r *workload.Result) { r.Starved = true },
	} {
		r := okResult("m", "other")
		r.TTFT, r.Decode, r.PromptTokens, r.Gaps = time.Hour, time.Hour, 1e6, []time.Duration{time.Hour}
		r.Server = &workload.ServerStats{GenerationTPS: 1, GenerationTokens: 1e6}
		mark(&r)
		results = append(results, r)
	}
	s := Summarize(turnOf("m", workload.TurnPartial, results...))
	if s.Requests != 5 || s.OK != 4 || *s.TTFT != 400*time.Millisecond || *s.ITLp50 != 15*time.Millisecond || s.ITLp99 != nil ||
		*s.RSSMedian != 900e6 || *s.RSSPeak != 1000e6 || *s.Footprint != 950e6 || *s.FootprintMax != 1010e6 || *s.GPU != 700e6 {
		t.Errorf("got %+v", s)
	}
	for what, rate := range map[string]struct{ got, want float64 }{
		"client's decode rate": {*s.Output, 8 / 0.120},
		"server's decode rate": {*s.ServerOutput, 104 / (4/104.0 + 100/51.0)}, // tokens after the first, over what they took
		"prefill rate":         {*s.Prefill, (40 + 100) / 0.8},
	} {
		if !near(rate.got, rate.want) {
			t.Errorf("%s is %v, want %v", what, rate.got, rate.want)
		}
	}
	nothing := Summarize(workload.Turn{Model: "m", Outcome: workload.TurnSkipped})
	if nothing.TTFT != nil || nothing.Output != nil || nothing.ServerOutput != nil || nothing.Prefill != nil ||
		nothing.ITLp50 != nil || nothing.RSSMedian != nil || nothing.Footprint != nil || nothing.FootprintMax != nil || nothing.GPU != nil {
		t.Errorf("a turn without results has figures: %+v", nothing)
	}
}

func TestSummaryOfManyGaps(t *testing.T) {
	many := okResult("m", "short")
	many.Gaps = nil
	for i := range minP99Gaps {
		many.Gaps = append(many.Gaps, time.Duration(i+1)*time.Millisecond)
	}
	s := Summarize(turnOf("m", workload.TurnOK, many))
	if *s.ITLp50 != 50500*time.Microsecond || *s.ITLp99 != 99010*time.Microsecond { // of 1 ms to 100 ms
		t.Errorf("median %v, 99th percentile %v", *s.ITLp50, *s.ITLp99)
	}
	many.Gaps = many.Gaps[1:]
	if s := Summarize(turnOf("m", workload.TurnOK, many)); s.ITLp99 != nil {
		t.Errorf("a 99th percentile of %d gaps: %v", len(many.Gaps), *s.ITLp99)
	}
}
