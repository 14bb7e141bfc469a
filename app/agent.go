package app

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
)

// Agent is the program of EXOBENCH_MODE=memory: a sampler of this machine's memory that follows
// the turns of another exporter, its driver. It asks exo nothing.
type Agent struct {
	origin origin
	serve  serving
	reg    *prometheus.Registry
	shown  *exporter.Agent
	front  *exporter.Front

	post    atomic.Pointer[Post]
	loading sync.Mutex // one Reload at a time
	next    chan *Post // the newest that nobody has taken up yet
}

// Post is what watches for an Agent by one configuration. A reload puts another in its place.
type Post struct {
	Config  exporter.Config
	Driver  *cluster.Client
	Sampler *memory.Sampler
	Machine *machine.Sampler

	wiring wiring
}

// Post returns what watches now.
func (a *Agent) Post() *Post { return a.post.Load() }

func newPost(cfg exporter.Config, w wiring) (*Post, error) {
	driver, err := cluster.NewClient(w.driver)
	if err != nil {
		return nil, fmt.Errorf("EXOBENCH_DRIVER_URL: %w", err)
	}
	return &Post{Config: cfg, Driver: driver, Sampler: memory.New(w.memory), Machine: machine.New(w.machine), wiring: w}, nil
}

// newAgent makes the parts that w describes and joins them. The error is for the user.
func newAgent(cfg exporter.Config, w wiring, seams Seams) (*Agent, error) {
	p, err := newPost(cfg, w)
	if err != nil {
		return nil, err
	}
	seams.logger = w.log
	a := &Agent{origin: origin{seams: seams}, serve: w.serve, reg: exporter.NewRegistry(), next: make(chan *Post, 1)}
	a.post.Store(p)
	a.shown = exporter.NewAgent(a.reg, exporter.AgentOptions{
		Driver:  func() string { return a.Post().Config.DriverURL },
		Memory:  func() (exporter.ExoMemory, bool) { return residentMemory(a.Post().Sampler) },
		Node:    func() []workload.NodeStatus { return thisMachine(a.Post().Sampler) },
		Machine: func() (exporter.MachineState, bool) { return conditions(a.Post().Machine) },
	})
	a.front = exporter.NewFront(a.reg, a.shown, w.log)
	a.front.Handle("POST /-/reload", reloadHandler(w.serve.reload, a.Reload, "The configuration was read anew and is in effect."))
	return a, nil
}

// Serve implements Program.
func (a *Agent) Serve(ctx context.Context) error {
	l, err := a.serve.listen()
	if err != nil {
		return err
	}
	p := a.Post()
	p.wiring.log.Info("exo-bench-exporter is running as memory agent", "version", exporter.Version(), "listen", l.Addr().String(),
		"driver", p.Config.DriverURL)
	reload := func() { _ = a.Reload() } // it has said what is wrong
	return a.serve.while(ctx, l, a.front, p.wiring.log, a.watch, func(ctx context.Context) { a.serve.onHangup(ctx, reload) })
}

// Reload reads the configuration anew, checks it, and has it take effect at once: what was seen of a turn that goes on
// is void, and another driver's figures are forgotten. Where something is wrong the error says what, and everything goes
// on as it was.
func (a *Agent) Reload() error {
	a.loading.Lock()
	defer a.loading.Unlock()
	was := a.Post()
	cfg, w, err := a.origin.anew(was.Config)
	var p *Post
	if err == nil {
		p, err = newPost(cfg, w)
	}
	a.shown.Reloaded(err == nil, time.Now())
	if err != nil {
		was.wiring.log.Error("The configuration cannot be reloaded; the old one stays", "err", err)
		return err
	}
	select {
	case <-a.next: // nobody has taken it up yet
	default:
	}
	a.next <- p
	w.log.Info("The configuration was read anew", "driver", cfg.DriverURL)
	return nil
}

// watch has a Post watch until ctx is done, and the next one in its place when there is one.
func (a *Agent) watch(ctx context.Context) {
	for ctx.Err() == nil {
		p := a.Post()
		until, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(func() { p.watch(until, a.shown) })
		select {
		case next := <-a.next:
			stop()
			wg.Wait()
			p.Driver.CloseIdle()
			if next.Config.DriverURL != p.Config.DriverURL {
				a.shown.Forget()
			}
			a.post.Store(next)
		case <-ctx.Done():
		}
		stop()
		wg.Wait()
	}
}

// watch samples this machine and follows the driver's turns until ctx is done.
func (p *Post) watch(ctx context.Context, shown *exporter.Agent) {
	follower := &cluster.Follower{Client: p.Driver, Sampler: p.Sampler, Sink: shown, Logger: p.wiring.log}
	var wg sync.WaitGroup
	wg.Go(func() { p.Sampler.Run(ctx) })
	wg.Go(func() { p.Machine.Run(ctx) })
	wg.Go(func() { follower.Run(ctx) })
	wg.Wait()
}

// Close implements Program.
func (a *Agent) Close() { a.Post().Driver.CloseIdle() }
