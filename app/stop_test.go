package app

import (
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// Told to stop at any of 30 moments of a cycle, the program leaves within seconds, tells nobody of what
// it cut off, and leaves on exo at most what its next start removes; the stranger's stays.
func TestStoppedAtAnyMoment(t *testing.T) {
	const moments = 30
	whole := stopAfter(t, time.Hour)
	if whole.turns != 2 {
		t.Fatalf("a whole cycle has %d turns", whole.turns)
	}
	cut := map[int]int{}
	for i := range moments {
		after := whole.took * time.Duration(i) / moments
		cut[stopAfter(t, after).turns]++
	}
	if cut[0] == 0 || cut[1] == 0 {
		t.Errorf("the moments were in %v: want all of a cycle", cut)
	}
}

// cutOff is how far a cycle came before it was cut off.
type cutOff struct {
	turns int
	took  time.Duration // from the start of the program to the end of the last turn
}

// stopAfter runs the program for a while, and then once more.
func stopAfter(t *testing.T, after time.Duration) (c cutOff) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(head.options())
		t.Cleanup(func() { _ = node.Close() })
		guest := placeGuest(t, node, head)
		dir := t.TempDir()
		begin := func(models string, watch workload.Observer) *stack {
			return newStack(t, setting{
				node: node, suite: shortSuite(1, faultTokens),
				vars:  []string{"MODELS", models, "STATE_DIR", dir, "RELOAD", "always", "CYCLE_INTERVAL", "2h"},
				seams: Seams{Listener: newQuietListener(), Observers: []workload.Observer{watch}},
			})
		}
		start := time.Now()
		s := begin(victim+","+next, hooks{
			request: func(r workload.Result) {
				if !r.OK() {
					t.Errorf("after %s: a request is told of as %s: %s", after, r.Outcome, r.Err)
				}
			},
			turn: func(workload.Turn) {
				c.turns++
				c.took = time.Since(start)
			},
		})
		end := s.serve(t)
		time.Sleep(after)
		told := time.Now()
		noError(t, end())
		if took := time.Since(told); took > 4*time.Second {
			t.Errorf("after %s: it took %s to leave", after, took)
		}
		s.Close()
		s = begin(next, hooks{})
		if c := s.Once(t.Context()); c.Outcome != workload.TurnOK {
			t.Errorf("after %s: the next cycle is %s; log:\n%s", after, c.Outcome, s.log)
		}
		s.Close()
		time.Sleep(time.Minute)
		wantNodeAsItWas(t, node, guest)
	})
	return c
}
