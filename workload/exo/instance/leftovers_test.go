package instance

import (
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// TestRecordsThatStay has exo keep the records of runners that are gone, in each of the states
// that were seen: they keep nobody waiting, are nobody's work, and no second instance of ours.
func TestRecordsThatStay(t *testing.T) {
	for _, state := range []string{"RunnerShuttingDown", "RunnerReady", "RunnerRunning", "RunnerFailed", "RunnerLoading", "RunnerWarmingUp"} {
		for _, variant := range []exosim.Variant{exosim.HEAD, exosim.V1071} {
			t.Run(state+" "+string(variant), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newSim(t, exosim.Options{Variant: variant}, exosim.Fault{Kind: exosim.RecordLeft, State: state})
					dir := t.TempDir()
					for i := range 3 {
						m := newTestManager(t, n, dir, func(o *Options) { o.Reload = ReloadIdle })
						visit(t, m, i)
						if i == 1 { // and when somebody's has been there as well
							n.DeleteStranger(n.load(t, mistral))
							pass(5 * time.Second)
						}
						if err := m.Close(); err != nil {
							t.Error(err)
						}
					}
				})
			})
		}
	}
}

// visit takes an instance of our own, watches over two requests, and gives it back.
func visit(t *testing.T, m *Manager, i int) {
	t.Helper()
	start := time.Now()
	if busy, why, err := m.Busy(t.Context()); busy || err != nil {
		t.Errorf("visit %d: busy with %q, %v", i, why, err)
	}
	lease, err := m.Acquire(t.Context(), llama)
	if err != nil {
		t.Fatalf("visit %d: %v", i, err)
	}
	if took := time.Since(start); !lease.Owned || lease.Shared || took > 15*time.Second {
		t.Errorf("visit %d: %+v after %v", i, lease, took)
	}
	for range 2 {
		start = time.Now()
		stop := lease.Watch(t.Context())
		if contended, why := stop(workload.Result{Outcome: workload.OutcomeOK}); contended || time.Since(start) > time.Second {
			t.Errorf("visit %d: contended by %q after %v", i, why, time.Since(start))
		}
	}
	start = time.Now()
	if err := lease.Release(t.Context()); err != nil || time.Since(start) > 6*time.Second {
		t.Errorf("visit %d: released after %v: %v", i, time.Since(start), err)
	}
}
