package instance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// TestInterleavings lets two exporters, which share a state directory or do not, and a
// stranger loose on one node that fails now and then. Whatever the order of events, nobody
// deletes what another created, every Acquire and Release ends, and nothing stays behind.
func TestInterleavings(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10
	}
	var owned, borrowed, refused int
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, b, r := interleave(t, seed)
				owned, borrowed, refused = owned+o, borrowed+b, refused+r
			})
		})
	}
	t.Logf("%d turns on own instances, %d on others', %d refused", owned, borrowed, refused)
	if n := int(seeds); owned < n/2 || borrowed < n/4 || refused < n/2 {
		t.Error("the interleavings do not cover what they should")
	}
}

func interleave(t *testing.T, seed uint64) (owned, borrowed, refused int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	n := newSim(t, exosim.Options{Seed: seed})
	for _, f := range []exosim.Fault{
		{Kind: exosim.RunnerFails, Message: "boom"},
		{Kind: exosim.RunnerStuck},
		{Kind: exosim.InstanceVanishes},
		{Kind: exosim.PlacementLate, Seconds: 3},
		{Kind: exosim.PlacementLate, Seconds: 20},
		{Kind: exosim.BootSlow, Seconds: 10},
		{Kind: exosim.AnswerLost, Path: "POST /instance"},
		{Kind: exosim.HTTPError, Path: "POST /instance"},
		{Kind: exosim.Text500, Path: "POST /instance"},
		{Kind: exosim.HTTPError, Path: "POST /instance", Status: 400},
		{Kind: exosim.DeleteIgnored},
		{Kind: exosim.AnswerLost, Path: "DELETE /instance"},
	} {
		if f.Skip, f.Count = rnd.IntN(5), 1; rnd.IntN(2) == 0 {
			n.inject(t, f)
		}
	}
	length := float64(rnd.IntN(40))
	outage := time.AfterFunc(time.Duration(rnd.IntN(120))*time.Second, func() {
		n.inject(t, exosim.Fault{Kind: exosim.Unreachable, Seconds: length})
	})

	dirs := []string{t.TempDir(), t.TempDir()}
	if seed%2 == 0 {
		dirs[1] = dirs[0]
	}
	managers, ways := make([]*Manager, 2), []*way{n.way, newWay(n.Node)}
	var guests, others sync.WaitGroup
	var count sync.Mutex
	stop, cancel := context.WithCancel(t.Context())
	for i := range managers {
		m := newTestManager(t, ways[i], dirs[i], func(o *Options) {
			o.Logger = nil
			o.BusyTimeout, o.LoadTimeout = 20*time.Second, 40*time.Second
		})
		managers[i] = m
		r := rand.New(rand.NewPCG(seed, uint64(10+i)))
		guests.Go(func() {
			for range 3 {
				lease := turn(m, r)
				count.Lock()
				switch {
				case lease == nil:
					refused++
				case lease.Owned:
					owned++
				default:
					borrowed++
				}
				count.Unlock()
			}
		})
	}
	others.Go(func() { stranger(t, stop, n, rand.New(rand.NewPCG(seed, 3))) })
	guests.Wait()
	cancel()
	others.Wait()

	outage.Stop()
	n.Clear("")
	pass(lateBound)
	for _, m := range managers {
		if err := m.Sweep(t.Context()); err != nil {
			t.Errorf("sweep: %v", err)
		}
	}
	for i, dir := range dirs {
		ways[i].wantNothingLeft(t)
		wantNoRecords(t, dir)
	}
	return owned, borrowed, refused
}

// turn is one model's turn of an exporter that may be told to stop at any time.
func turn(m *Manager, r *rand.Rand) *Lease {
	pass(time.Duration(r.IntN(10000)) * time.Millisecond)
	ctx := context.Background()
	if r.IntN(3) == 0 {
		c, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(15000))*time.Millisecond)
		defer cancel()
		ctx = c
	}
	lease, err := m.Acquire(ctx, []string{llama, qwen}[r.IntN(2)])
	if err != nil {
		return nil
	}
	stop := lease.Watch(ctx)
	pass(time.Duration(r.IntN(12000)) * time.Millisecond)
	stop(workload.Result{Outcome: workload.OutcomeOK, ResponseID: "own"})
	_ = lease.Release(ctx)
	return lease
}

// stranger loads, uses and unloads models of its own until ctx ends, and has bad luck with them.
func stranger(t *testing.T, ctx context.Context, n *sim, r *rand.Rand) {
	for sleep(ctx, time.Duration(r.IntN(15000))*time.Millisecond) == nil {
		models, mine := []string{llama, qwen}, n.strangers()
		switch k := r.IntN(6); {
		case k < 2 && len(mine) < 3:
			n.place(t, models[r.IntN(2)])
		case k == 2:
			_, _ = n.StartStranger(models[r.IntN(2)], r.IntN(400)) // unless nobody has it loaded
		case k == 3 && len(mine) > 0:
			n.KillRunner(mine[len(mine)-1])
		case len(mine) > 0:
			n.DeleteStranger(mine[0])
		}
	}
}
