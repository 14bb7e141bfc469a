package app

import (
	"context"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/record"
)

// maxRemembered bounds in bytes the records that are read for the day before a restart.
const maxRemembered = 32 << 20

// newRig makes the parts that w describes; what they tell of the node and of loads is shown.
func (b *Bench) newRig(cfg exporter.Config, w wiring) (*Rig, error) {
	say := w.client.Progress
	w.client.Progress = func(p instance.Progress) {
		b.store.Loading(shownLoading(p))
		say(p)
	}
	w.client.FingerprintKey = b.book.Key
	return newRig(cfg, w, b.setStatus)
}

// shownLoading is p as people are shown it.
func shownLoading(p instance.Progress) exporter.Loading {
	return exporter.Loading{
		Stage: p.Stage, Done: p.Done, Total: p.Total, Bytes: p.Stage == instance.Downloading, BytesPerSecond: p.BytesPerSecond,
		Elapsed: p.Elapsed,
	}
}

// remember shows of the day before the start what was recorded of it. That of the simulator is shown where it is
// measured by configuration.
func (b *Bench) remember(ctx context.Context) {
	r := b.Rig()
	path, since := r.Config.ResultsFile, time.Now().Add(-24*time.Hour)
	if path == "" {
		return
	}
	_, err := record.EachTurn(path, maxRemembered, func(kept record.Record) error {
		if kept.Target == r.Config.ExoURL && kept.Simulated == r.wiring.shown.Simulated && kept.Turn.Start.After(since) {
			b.store.Remember(*kept.Turn)
		}
		return ctx.Err()
	})
	b.log.Debug("Records of the day before the start were read", "file", path, "err", err)
}
