package app

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/memory"
)

// Agent is the program of EXOBENCH_MODE=memory: a sampler of this machine's memory that follows
// the turns of another exporter, its driver. It asks exo nothing.
type Agent struct {
	Config  exporter.Config
	Driver  *cluster.Client
	Sampler *memory.Sampler

	wiring   wiring
	reg      *prometheus.Registry
	front    *exporter.Front
	follower *cluster.Follower
}

// agentStays is what is said to whoever wants another configuration.
const agentStays = "Mode memory reads its configuration at its start only; it goes on as it is, restart it for another"

// newAgent makes the parts that w describes and joins them. The error is for the user.
func newAgent(cfg exporter.Config, w wiring) (*Agent, error) {
	a := &Agent{Config: cfg, Sampler: memory.New(w.memory), wiring: w, reg: exporter.NewRegistry()}
	var err error
	if a.Driver, err = cluster.NewClient(w.driver); err != nil {
		return nil, fmt.Errorf("EXOBENCH_DRIVER_URL: %w", err)
	}
	shown := exporter.NewAgent(a.reg, exporter.AgentOptions{
		Driver: w.driver.URL, Memory: func() (map[string]exporter.RoleMemory, bool) { return residentMemory(a.Sampler) },
		Node: thisMachine(a.Sampler),
	})
	a.front = exporter.NewFront(a.reg, shown, w.log)
	a.front.Handle("POST /-/reload", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, agentStays+".", http.StatusForbidden)
	}))
	a.follower = &cluster.Follower{Client: a.Driver, Sampler: a.Sampler, Sink: shown, Logger: w.log}
	return a, nil
}

// Serve implements Program.
func (a *Agent) Serve(ctx context.Context) error {
	l, err := a.wiring.serve.listen()
	if err != nil {
		return err
	}
	a.wiring.log.Info("exo-bench-exporter is running as memory agent", "version", exporter.Version(), "listen", l.Addr().String(),
		"driver", a.Config.DriverURL)
	stay := func() {
		a.wiring.log.Warn(agentStays)
	}
	return a.wiring.serve.while(ctx, l, a.front, a.wiring.log, a.watch, func(ctx context.Context) { a.wiring.serve.onHangup(ctx, stay) })
}

// watch samples memory and follows the driver's turns until ctx is done.
func (a *Agent) watch(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { a.Sampler.Run(ctx) })
	wg.Go(func() { a.follower.Run(ctx) })
	wg.Wait()
}

// Close implements Program.
func (a *Agent) Close() { a.Driver.CloseIdle() }
