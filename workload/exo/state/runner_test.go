package state

import "testing"

// What becomes of a runner on its way, by what exo calls it.
func TestRunnerIs(t *testing.T) {
	for status, want := range map[string]struct{ ready, loading bool }{
		"":                   {},
		"RunnerIdle":         {},
		"RunnerConnecting":   {loading: true},
		"RunnerConnected":    {loading: true},
		"RunnerLoading":      {loading: true},
		"RunnerLoaded":       {loading: true},
		"RunnerWarmingUp":    {loading: true},
		"RunnerReady":        {ready: true},
		"RunnerRunning":      {ready: true},
		"RunnerShuttingDown": {},
		"RunnerShutdown":     {},
		"RunnerFailed":       {},
		"RunnerOfTomorrow":   {},
	} {
		if r := (Runner{Status: status}); r.Ready() != want.ready || r.Loading() != want.loading {
			t.Errorf("%q is ready: %t, loading: %t", status, r.Ready(), r.Loading())
		}
	}
}
