package app

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/answers"
	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/judging"
	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/resume"
)

// Bench is the program that measures.
//
//	rig: runner → client → node;  sampler, monitor
//	     → metrics, store, feed, keeper → front
//
// What is shown outlives a change of the configuration, what measures does not: see Reload.
type Bench struct {
	log     *slog.Logger
	serve   serving
	reg     *prometheus.Registry
	metrics *exporter.Metrics
	store   *exporter.Store
	feed    *cluster.Feed
	front   *exporter.Front
	keeper  *record.Keeper // nil where no records are kept
	saver   *resume.Saver
	clerk   *judging.Clerk
	book    *answers.Book
	demo    *demo // nil unless the node is the built-in simulator

	rig     atomic.Pointer[Rig]
	origin  origin
	loading sync.Mutex // one Reload at a time
	next    *Rig       // waits for the turn that runs to end; guarded by loading
}

// newBench makes the parts that w describes and joins them. The error is for the user.
func newBench(cfg exporter.Config, w wiring, seams Seams) (*Bench, error) {
	b := &Bench{log: w.log, serve: w.serve, reg: exporter.NewRegistry()}
	b.origin.seams = seams
	b.origin.seams.logger = w.log
	b.book = answers.NewBook(answers.Options{Path: w.answers, Target: func() string { return b.Rig().Config.ExoURL }, Logger: w.log})
	rig, err := b.newRig(cfg, w)
	if err != nil {
		return nil, err
	}
	b.rig.Store(rig)
	shown := w.shown
	shown.Memory = func() (exporter.ExoMemory, bool) { return residentMemory(b.Rig().Sampler) }
	shown.Machine = func() (exporter.MachineState, bool) { return conditions(b.Rig().Machine) }
	w.judging.What, w.judging.Logger = b.judged, w.log
	b.clerk = judging.NewClerk(w.judging)
	shown.Judge = b.clerk.Verdicts
	b.metrics, b.store = exporter.NewMetrics(b.reg, shown), exporter.NewStore(shown)
	b.feed = cluster.NewFeed(exporter.Version(), b.Simulated)
	b.front = exporter.NewFront(b.reg, b.store, w.log)
	b.front.Handle("GET "+cluster.Path, b.feed)
	b.front.Handle("POST /-/reload", reloadHandler(w.serve.reload, b.Reload,
		"The configuration was read anew and takes effect between two turns."))
	b.front.Handle("POST /-/accept", b.acceptHandler(w.serve.accept))
	var kept exporter.Results
	if w.record.Path != "" {
		b.keeper = record.NewKeeper(b.recording(w.record))
		b.front.Handle(record.Pattern, b.keeper)
		kept = b.keeper
	}
	exporter.NewAPI(b.store, kept).Mount(b.front)
	b.saver = resume.NewSaver(w.resume, b.what, w.log)
	rig.mount(b.mounting(), 0, time.Time{})
	return b, nil
}

// resume goes on where the last run ended, before anything runs.
func (b *Bench) resume() {
	r := b.Rig()
	before, err := resume.Load(r.wiring.resume, b.what(), r.Config.CycleInterval)
	if err != nil {
		b.log.Warn("A cycle begins at once", "err", err)
	}
	if !before.Last.IsZero() {
		due := time.Until(before.Last.Add(r.Config.CycleInterval))
		b.log.Info("The last cycle is not long ago; the next one comes when it is due", "in", due.Round(time.Second))
	}
	b.book.Load()
	for i, t := range before.Turns { // as it is known now: it may have been accepted since
		before.Turns[i].Quality = b.book.Known(t)
	}
	b.metrics.Resume(before.Turns)
	b.store.Resume(before.Turns)
	b.saver.Continue(before)
	b.clerk.Load()
	r.mount(b.mounting(), before.First, before.Last)
}

// what names what is measured now.
func (b *Bench) what() resume.What {
	r := b.Rig()
	return resume.What{Target: r.Config.ExoURL, SHA256: r.Suite.SHA256(), Models: r.Config.Models}
}

// judged names what is judged now.
func (b *Bench) judged() judging.What {
	r := b.Rig()
	what := r.judged
	what.Simulated = r.simulated()
	return what
}

// observers returns those that outlive a rig.
func (b *Bench) observers() []workload.Observer {
	all := []workload.Observer{exporter.NewObserver(b.metrics), b.store, b.feed, b.saver, b.clerk}
	if b.keeper != nil {
		all = append(all, b.keeper)
	}
	return all
}

// mounting returns what a rig is mounted in.
func (b *Bench) mounting() mounting { return mounting{b.feed.Meter, b.observers(), b.book} }

// recording returns o with where records come from and what counts those that are lost.
func (b *Bench) recording(o record.Options) record.Options {
	o.Source = b.source
	o.Dropped = func(n int) { b.metrics.Dropped(exporter.DroppedRecords, n) }
	return o
}

// source says what a record or a report is of.
func (b *Bench) source() record.Source {
	r := b.Rig()
	return record.Source{
		Version: exporter.Version(), Target: r.Config.ExoURL, Simulated: r.simulated(),
		Suite: record.Suite{Version: r.Suite.Version, SHA256: r.Suite.SHA256()},
	}
}

// setStatus publishes what is known of the node.
func (b *Bench) setStatus(s workload.Status) {
	b.metrics.SetStatus(s)
	b.store.SetStatus(s)
}

// Rig returns what measures now.
func (b *Bench) Rig() *Rig { return b.rig.Load() }

// Simulated reports whether the node is the simulator, by configuration or by its own word.
func (b *Bench) Simulated() bool { return b.Rig().simulated() }

// Report returns what there is to say of a cycle of b's.
func (b *Bench) Report(c workload.Cycle) record.Report {
	client := b.Rig().Client
	return record.Report{Schema: record.Schema, Source: b.source(), Dialect: client.Dialect(), Endpoint: client.Endpoint(), Cycle: c}
}

// Serve implements Program.
func (b *Bench) Serve(ctx context.Context) error {
	l, err := b.serve.listen()
	if err != nil {
		return err
	}
	r := b.Rig()
	b.log.Info("exo-bench-exporter is running", "version", exporter.Version(), "listen", l.Addr().String(),
		"exo", r.Config.ExoURL, "models", len(r.Config.Models), "suite", r.Suite.Version, "interval", r.Config.CycleInterval)
	b.resume()
	reload := func() { _ = b.Reload() } // it has said what is wrong
	works := []func(context.Context){
		b.run, func(ctx context.Context) { b.serve.onHangup(ctx, reload) }, b.saver.Run, b.clerk.Run, b.book.Run, b.remember,
	}
	if b.keeper != nil {
		works = append(works, b.keeper.Run)
	}
	return b.serve.while(ctx, l, b.front, b.log, works...)
}

// run measures with one rig after the other until ctx is done.
func (b *Bench) run(ctx context.Context) {
	context.AfterFunc(ctx, b.feed.Close) // before the turn that runs has come to its end
	defer b.feed.Close()
	for {
		b.Rig().run(ctx)
		if ctx.Err() != nil {
			return
		}
		b.swap()
	}
}

// Once runs one cycle and serves nothing. See workload.Runner's Cycle for one that ctx ends, of which nothing is judged.
func (b *Bench) Once(ctx context.Context) (c workload.Cycle) {
	b.Repeat(ctx, 1, func(one workload.Cycle, _ bool) { c = one })
	return c
}

// Repeat is Once for n cycles, one after the other. It tells each of them, of the last one after they are judged.
func (b *Bench) Repeat(ctx context.Context, n int, each func(c workload.Cycle, last bool)) {
	b.book.Look()
	b.Rig().cycles(ctx, n, func(c workload.Cycle, last bool) {
		if last && ctx.Err() == nil {
			b.clerk.Settle(ctx)
		}
		each(c, last)
	})
}

// Speeds returns what can be said now of the speed of the node and of each model against what is normal.
func (b *Bench) Speeds() []judge.Verdict { return b.clerk.Verdicts() }

// Close implements Program.
func (b *Bench) Close() {
	b.Rig().close()
	if b.next != nil {
		b.next.close()
	}
	if b.demo != nil {
		b.demo.close()
	}
}
