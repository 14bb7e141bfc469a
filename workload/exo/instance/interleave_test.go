package instance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// TestInterleavings lets two exporters, which share a state directory or do not, and a
// stranger loose on one node that fails now and then. Whatever the order of events, nobody
// deletes what another created, every Acquire and Release ends, and nothing stays behind.
func TestInterleavings(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
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
	f := newFake()
	lives := []func(time.Duration) any{
		usual, usual, usual, usual, usual, usual, usual, usual, always(""), always("RunnerIdle"),
		script(usual, time.Second, j{"RunnerFailed": j{"errorMessage": "boom"}}),
		script(usual, time.Minute, nil),
	}
	life := rand.New(rand.NewPCG(seed, 2)) // used under the node's lock
	f.override["POST /instance"] = func(*http.Request) (int, string) {
		f.lifetime = lives[life.IntN(len(lives))]
		f.appear = []time.Duration{0, 100 * time.Millisecond, 3 * time.Second, -1}[min(life.IntN(12), 3)]
		if life.IntN(8) > 0 {
			f.appear = 100 * time.Millisecond
		}
		return []int{-1, -1, -1, -1, -1, -1, -2, 0, 500, 400}[life.IntN(10)], ""
	}
	down := time.Now().Add(time.Duration(rnd.IntN(120)) * time.Second)
	length := time.Duration(rnd.IntN(40)) * time.Second
	f.outage = func() bool { return time.Now().After(down) && time.Since(down) < length }

	dirs := []string{t.TempDir(), t.TempDir()}
	if seed%2 == 0 {
		dirs[1] = dirs[0]
	}
	managers := make([]*Manager, 2)
	var guests, others sync.WaitGroup
	var count sync.Mutex
	stop, cancel := context.WithCancel(t.Context())
	for i := range managers {
		m := newTestManager(t, caller{f, fmt.Sprint("guest ", i)}, dirs[i], func(o *Options) {
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
	others.Go(func() { stranger(stop, f, rand.New(rand.NewPCG(seed, 3)), lives) })
	guests.Wait()
	cancel()
	others.Wait()

	f.outage = nil
	pass(lateBound)
	for _, m := range managers {
		if err := m.Sweep(t.Context()); err != nil {
			t.Errorf("sweep: %v", err)
		}
	}
	for i, dir := range dirs {
		if left := f.listed(fmt.Sprint("guest ", i)); len(left) != 0 {
			t.Errorf("guest %d left %v behind", i, left)
		}
		if left := records(t, dir); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	}
	if len(f.crimes) != 0 {
		t.Error(f.crimes)
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

// stranger loads, uses and unloads models of its own until ctx ends.
func stranger(ctx context.Context, f *fakeNode, r *rand.Rand, lives []func(time.Duration) any) {
	var mine []string
	for n := 0; sleep(ctx, time.Duration(r.IntN(15000))*time.Millisecond) == nil; n++ {
		switch k := r.IntN(5); {
		case k < 2 && len(mine) < 3:
			mine = append(mine, f.stranger([]string{llama, qwen}[r.IntN(2)], lives[r.IntN(len(lives))]))
		case k == 2 && len(mine) > 0:
			id := fmt.Sprint("theirs-", n)
			f.mu.Lock()
			f.tasks[id] = textTask("Running", mine[r.IntN(len(mine))], id)
			f.mu.Unlock()
			_ = sleep(ctx, time.Duration(r.IntN(8000))*time.Millisecond)
			f.mu.Lock()
			delete(f.tasks, id)
			f.mu.Unlock()
		case len(mine) > 0:
			f.vanish(mine[0])
			mine = mine[1:]
		}
	}
}
