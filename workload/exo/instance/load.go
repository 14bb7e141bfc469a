package instance

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/state"
)

// waiting watches one instance of ours from POST to ready.
type waiting struct {
	m     *Manager
	rec   *record
	model string
	asked time.Time

	last         time.Time // previous look
	absentSince  time.Time // instance not listed
	changed      time.Time // last progress
	signature    string
	download     download
	downloadRead time.Time
	downloadTime time.Duration
	refusedSince time.Time // download failed
	logged       time.Time
}

// run looks until all runners are ready, or until one of the ways in which that fails is
// certain. Time in which weights are downloaded counts as download, not as load.
func (w *waiting) run(ctx context.Context) (state.Snapshot, workload.Load, error) {
	w.last, w.changed = w.asked, w.asked
	for {
		v, err := w.m.node.look(ctx, state.Query{Parts: lifecycle})
		if err != nil {
			return state.Snapshot{}, workload.Load{}, answered(ctx, err, "exo's instances cannot be read while %s loads", w.model)
		}
		now := time.Now()
		in, listed := v.Instances[w.rec.Instance]
		if listed {
			w.rec.seen, w.absentSince = true, time.Time{}
			if v.Health(in).Ready {
				load := workload.Load{Loaded: true, Duration: now.Sub(w.asked) - w.downloadTime, Download: w.downloadTime}
				w.m.log.Info("Instance is ready", "model", w.model, "instance", in.ID, "load", load.Duration, "download", load.Download)
				w.m.progress(Progress{Model: w.model, Stage: "ready", Elapsed: now.Sub(w.asked)})
				return v, load, nil
			}
			err = w.judge(ctx, v, in, now)
		} else {
			err = w.absent(now)
		}
		if err != nil {
			return state.Snapshot{}, workload.Load{}, err
		}
		w.last = now
		if err := sleep(ctx, pollInterval); err != nil {
			return state.Snapshot{}, workload.Load{}, answered(ctx, err, "waiting for %s to load", w.model)
		}
	}
}

// absent judges an instance that is not listed.
func (w *waiting) absent(now time.Time) error {
	if !w.rec.seen {
		if bound := w.m.commandBound(); now.Sub(w.asked) >= bound {
			return failed(nil, "exo accepted instance %s of %s, but did not list it within %s (exo #2047); look for the reason in exo's log, or "+
				"restart exo",
				w.rec.Instance, w.model, bound)
		}
		return nil
	}
	if w.absentSince.IsZero() {
		w.absentSince = now
	}
	if now.Sub(w.absentSince) < vanishBound {
		return nil
	}
	return failed(nil, "instance %s of %s vanished while it was loading: somebody deleted it, its node left, exo's master changed, or exo "+
		"gave up on it; look into exo's log",
		w.rec.Instance, w.model)
}

// judge looks for what is wrong with an instance that is listed but not ready.
func (w *waiting) judge(ctx context.Context, v state.Snapshot, in state.Instance, now time.Time) error {
	h := v.Health(in)
	idle := false
	for _, r := range v.RunnersOf(in) {
		switch r.Status {
		case state.RunnerFailed:
			return failed(nil, "a runner of instance %s of %s failed%s; look into exo's log", in.ID, w.model,
				because(cmp.Or(h.Reason, "exo does not say why")))
		case state.RunnerIdle:
			idle = true
		}
	}
	if idle {
		if err := w.watchDownload(ctx, in, now); err != nil {
			return err
		}
	} else {
		w.download = download{}
	}
	w.note(h, now)
	loading := now.Sub(w.asked) - w.downloadTime
	switch {
	case w.download.active && w.downloadTime >= w.m.opts.DownloadTimeout:
		return failed(nil, "the weights of %s were not downloaded within %s (%s), which EXOBENCH_DOWNLOAD_TIMEOUT sets; exo keeps what it has, "+
			"the next turn goes on from there", w.model, w.m.opts.DownloadTimeout, w.download)
	case w.download.active && now.Sub(w.changed) >= downloadStall:
		return failed(nil, "the download of %s has made no progress for %s (%s); look whether exo reaches the internet", w.model, downloadStall,
			w.download)
	case loading >= w.m.opts.LoadTimeout:
		return failed(nil, "instance %s of %s was not ready after %s of loading (runners: %s%s); raise EXOBENCH_LOAD_TIMEOUT if it needs longer",
			in.ID, w.model, w.m.opts.LoadTimeout, h.States, hint(h, idle))
	}
	return nil
}

// hint says what an instance that was not ready in time may suffer from.
func hint(h state.Health, idle bool) string {
	switch {
	case h.Dead:
		return "; exo lists the instance but has no runner of it, exo #2120: look into exo's log, or restart exo"
	case idle:
		return ", with nothing being downloaded: look into exo's log, or restart exo"
	}
	return ""
}

// watchDownload follows the download of an instance whose runners are idle, and adds the
// time since the last look to the download's when there is one.
func (w *waiting) watchDownload(ctx context.Context, in state.Instance, now time.Time) error {
	if w.downloadRead.IsZero() || now.Sub(w.downloadRead) >= downloadPoll {
		w.downloadRead = now
		d, err := w.m.node.downloadOf(ctx, w.model, in.Nodes)
		if err != nil {
			return answered(ctx, err, "exo's downloads cannot be read while %s loads", w.model)
		}
		w.download = d
	}
	if w.download.active {
		w.downloadTime += now.Sub(w.last)
	}
	if w.download.failed == "" {
		w.refusedSince = time.Time{}
		return nil
	}
	if w.refusedSince.IsZero() {
		w.refusedSince = now
	}
	if now.Sub(w.refusedSince) < downloadRefusal {
		return nil
	}
	return failed(nil, "exo could not download %s: %s; exo does not try again by itself: delete the download in its dashboard or restart "+
		"exo, and look whether it reaches the internet",
		w.model, w.download.failed)
}

// note recognises progress and reports it.
func (w *waiting) note(h state.Health, now time.Time) {
	signature := fmt.Sprint(h.States, w.download.active, w.download.done)
	if signature == w.signature {
		return
	}
	w.signature, w.changed = signature, now
	p := Progress{Model: w.model, Stage: w.stage(h), Elapsed: now.Sub(w.asked)}
	if w.download.active {
		p.Done, p.Total, p.BytesPerSecond = w.download.done, w.download.total, w.download.speed
	} else {
		p.Done, p.Total = h.Layers, h.Total
	}
	w.m.progress(p)
	if now.Sub(w.logged) >= 10*time.Second {
		w.logged = now
		w.m.log.Info("Waiting for an instance", "model", w.model, "stage", p.Stage, "runners", h.States, "download", fmt.Sprint(w.download))
	}
}

func (w *waiting) stage(h state.Health) string {
	switch {
	case w.download.active:
		return Downloading
	case h.Warming:
		return "warming up"
	}
	return "loading"
}
