package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/record"
)

// Bench is the program that measures.
//
//	runner → client → node
//	runner → metrics, store, feed → front;  sampler, monitor → the same
//
// The parts that are exported are for commands that ask one of them alone.
type Bench struct {
	Config  exporter.Config
	Suite   workload.Suite
	Client  *exo.Client
	Sampler *memory.Sampler

	wiring  wiring
	reg     *prometheus.Registry
	metrics *exporter.Metrics
	store   *exporter.Store
	feed    *cluster.Feed
	front   *exporter.Front
	monitor *exo.Monitor
	keeper  *record.Keeper // nil where no records are kept
	runner  *workload.Runner
	demo    *demo // nil unless the node is the built-in simulator
}

// newBench makes the parts that w describes and joins them. The error is for the user.
func newBench(cfg exporter.Config, w wiring) (*Bench, error) {
	b := &Bench{Config: cfg, Suite: w.runner.Suite, Sampler: memory.New(w.memory), wiring: w, reg: exporter.NewRegistry()}
	var err error
	w.client.Runners = b.Sampler.Runners
	if b.Client, err = exo.New(w.client); err != nil {
		return nil, fmt.Errorf("EXOBENCH_EXO_URL: %w", err)
	}
	shown := w.shown
	shown.Memory = residentMemory(b.Sampler)
	b.metrics, b.store = exporter.NewMetrics(b.reg, shown), exporter.NewStore(shown)
	b.feed = cluster.NewFeed(exporter.Version(), b.Simulated)
	b.front = exporter.NewFront(b.reg, b.store, w.log)
	b.front.Handle("GET "+cluster.Path, b.feed)
	b.monitor = b.Client.NewMonitor(b.setStatus)

	run := w.runner
	run.Target, run.Meter, run.Wake = b.Client, b.feed.Meter(b.Sampler), b.monitor.Wake()
	observers := []workload.Observer{exporter.NewObserver(b.metrics), b.store, b.feed}
	if w.record.Path != "" {
		b.keeper = record.NewKeeper(b.recording())
		b.front.Handle(record.Pattern, b.keeper)
		observers = append(observers, b.keeper)
	}
	run.Observers = append(observers, run.Observers...)
	b.runner = workload.NewRunner(run)
	return b, nil
}

// recording returns how records of results are kept.
func (b *Bench) recording() record.Options {
	o := b.wiring.record
	o.Source = b.source
	o.Dropped = func(n int) { b.metrics.Dropped(exporter.DroppedRecords, n) }
	return o
}

// source says what a record or a report is of.
func (b *Bench) source() record.Source {
	return record.Source{
		Version: exporter.Version(), Target: b.Config.ExoURL, Simulated: b.Simulated(),
		Suite: record.Suite{Version: b.Suite.Version, SHA256: b.Suite.SHA256()},
	}
}

// Report returns what there is to say of a cycle of b's.
func (b *Bench) Report(c workload.Cycle) record.Report {
	return record.Report{
		Schema: record.Schema, Source: b.source(), Dialect: b.Client.Dialect(), Endpoint: b.Client.Endpoint(), Cycle: c,
	}
}

// setStatus publishes what is known of the node. Where exo does not tell of its machines, this
// one is shown.
func (b *Bench) setStatus(s workload.Status) {
	if len(s.Nodes) == 0 {
		s.Nodes = thisMachine(b.Sampler)()
	}
	b.metrics.SetStatus(s)
	b.store.SetStatus(s)
}

// Simulated reports whether the node is the simulator, by configuration or by its own word.
func (b *Bench) Simulated() bool { return b.wiring.shown.Simulated || b.Client.Simulated() }

// Serve implements Program.
func (b *Bench) Serve(ctx context.Context) error {
	l, err := b.wiring.serve.listen()
	if err != nil {
		return err
	}
	b.wiring.log.Info("exo-bench-exporter is running", "version", exporter.Version(), "listen", l.Addr().String(),
		"exo", b.Config.ExoURL, "models", len(b.Config.Models), "suite", b.Suite.Version, "interval", b.Config.CycleInterval)
	works := []func(context.Context){b.watch, b.runner.Run}
	if b.keeper != nil {
		works = append(works, b.keeper.Run)
	}
	return b.wiring.serve.while(ctx, l, b.front, b.wiring.log, works...)
}

// watch samples memory, follows the node's state and lets agents follow the turns until ctx is
// done.
func (b *Bench) watch(ctx context.Context) {
	defer context.AfterFunc(ctx, b.feed.Close)()
	var wg sync.WaitGroup
	wg.Go(func() { b.Sampler.Run(ctx) })
	wg.Go(func() { b.monitor.Run(ctx) })
	wg.Wait()
}

// Once runs one cycle and serves nothing. See workload.Runner's Cycle for one that ctx ends.
func (b *Bench) Once(ctx context.Context) workload.Cycle {
	sampling, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { b.Sampler.Run(sampling) })
	c := b.runner.Cycle(ctx)
	stop()
	wg.Wait()
	return c
}

// Close implements Program.
func (b *Bench) Close() {
	if err := b.Client.Close(); err != nil {
		b.wiring.log.Warn("could not close the client", "error", err)
	}
	if b.demo != nil {
		b.demo.close()
	}
}
