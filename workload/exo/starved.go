package exo

import (
	"cmp"
	"context"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/stall"
)

// run puts the request and returns its Result, marked where the exporter itself was held up
// meanwhile; refused is the answer that came in the place of one with status 200, nil where none did.
func (x *exchange) run(ctx context.Context) (res workload.Result, refused *refusal) {
	watch := x.watcher.Begin()
	res, refused = x.put(ctx)
	seen := watch.End()
	if x.watcher == nil {
		return res, refused
	}
	why := x.rec.starved(seen)
	res.Starved, res.Stalled = why != "", seen.Stalled()
	// Only a standstill that fills most of the silence before an answer can have made it come at once.
	if res.Starved && res.Outcome == workload.OutcomeBuffered && 2*max(seen.Longest, seen.Jump) >= res.TTFT {
		res.Outcome, res.Err = workload.OutcomeOK, "" // it was the exporter that let the answer lie
	}
	if res.Starved && !x.rec.question && !res.Warmup { // of these no time goes anywhere
		x.log.Info("The times of a request are not the model's: "+why, "model", res.Model, "prompt", res.Prompt)
	}
	return res, refused
}

// starved says, for people, why the times of an answer are not the node's, by what was seen of this process
// meanwhile: it spoilt a figure of the whole answer, or the stream as such. It is empty when they are.
func (r *record) starved(seen stall.Report) string {
	return cmp.Or(r.late, seen.Starved(stall.Stream{Gap: meanGap(r.res), Events: r.res.TokenEvents, Lateness: r.res.StampLateness}))
}

// meanGap returns the mean time between the token events of r, 0 when there are none.
func meanGap(r workload.Result) time.Duration {
	if r.TokenEvents < 2 {
		return 0
	}
	return r.Decode / time.Duration(r.TokenEvents-1)
}
