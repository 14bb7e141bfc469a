package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/judging"
)

// Rig is what measures under one configuration. A Bench has one at a time and, with a new
// configuration, takes another in its place. Its fields are for commands that ask one part alone.
type Rig struct {
	Config  exporter.Config
	Suite   workload.Suite
	Client  *exo.Client
	Sampler *memory.Sampler
	Machine *machine.Sampler

	wiring  wiring
	judged  judging.What // without what only the node can say
	monitor *exo.Monitor
	runner  *workload.Runner // nil until mounted
}

// newRig makes the parts that w describes; it calls nobody. What is known of the node goes to
// onStatus. The error is for the user.
func newRig(cfg exporter.Config, w wiring, onStatus func(workload.Status)) (*Rig, error) {
	sampler := memory.New(w.memory)
	w.client.Runners = sampler.Runners
	client, err := exo.New(w.client)
	if err != nil {
		return nil, fmt.Errorf("EXOBENCH_EXO_URL: %w", err)
	}
	r := &Rig{Config: cfg, Suite: w.runner.Suite, Client: client, Sampler: sampler, Machine: machine.New(w.machine), wiring: w}
	r.judged = judging.What{Node: judging.Node{Target: cfg.ExoURL}, SHA256: r.Suite.SHA256()}
	for _, m := range cfg.Models {
		r.judged.Models = append(r.judged.Models, m.Name)
	}
	// Where exo does not tell of its machines, this one is shown.
	r.monitor = client.NewMonitor(func(s workload.Status) {
		if len(s.Nodes) == 0 {
			s.Nodes = thisMachine(r.Sampler)
		}
		onStatus(s)
	})
	return r, nil
}

// mounting is what outlives a rig: what meters turns by its sampler, who is told of them, and who remembers answers.
type mounting struct {
	meter     func(workload.Meter) workload.Meter
	observers []workload.Observer
	witness   workload.Witness
}

// mount mounts the rig's runner in m. Its first cycle has the number first and comes an interval after last, or at once.
func (r *Rig) mount(m mounting, first int, last time.Time) {
	run := r.wiring.runner
	run.Target, run.Meter, run.Surroundings, run.Wake = r.Client, m.meter(r.Sampler), r.Machine, r.monitor.Wake()
	run.Witness = m.witness
	run.Observers = append(m.observers, run.Observers...)
	run.First, run.Last = first, last
	r.runner = workload.NewRunner(run)
}

// simulated reports whether the node is the simulator, by configuration or by its own word.
func (r *Rig) simulated() bool { return r.wiring.shown.Simulated || r.Client.Simulated() }

// run measures until ctx is done or the runner is stopped.
func (r *Rig) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { r.watch(ctx) })
	r.runner.Run(ctx)
	cancel()
	wg.Wait()
}

// watch samples this machine and follows the node's state until ctx is done.
func (r *Rig) watch(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.sample(ctx) })
	wg.Go(func() { r.monitor.Run(ctx) })
	wg.Wait()
}

// sample samples memory and the conditions of this machine until ctx is done.
func (r *Rig) sample(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.Sampler.Run(ctx) })
	wg.Go(func() { r.Machine.Run(ctx) })
	wg.Wait()
}

// cycles runs up to n cycles, one after the other, until ctx is done, and tells each of them. See
// workload.Runner's Cycle for one that ctx ends.
func (r *Rig) cycles(ctx context.Context, n int, each func(c workload.Cycle, last bool)) {
	sampling, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { r.sample(sampling) })
	defer wg.Wait()
	defer stop()
	for last := false; !last; n-- {
		c := r.runner.Cycle(ctx)
		last = n <= 1 || ctx.Err() != nil
		each(c, last)
	}
}

func (r *Rig) close() {
	if err := r.Client.Close(); err != nil {
		r.wiring.log.Warn("Could not close the client", "err", err)
	}
}
