package state

import (
	"cmp"
	"fmt"
	"strings"

	"exo-bench-exporter/workload/exo/foreign"
)

// Runner is the status of one runner. exo goes on listing runners whose instance was deleted
// and whose process has ended; a runner means something only through a listed instance.
type Runner struct {
	Status        string // variant, for example RunnerReady; empty when the runner is absent
	Layers, Total uint64 // while loading
	Reason        string // of a failure
}

// The statuses that mean something here; others are kept as they are.
const (
	RunnerIdle    = "RunnerIdle"
	RunnerReady   = "RunnerReady"
	RunnerRunning = "RunnerRunning"
	RunnerFailed  = "RunnerFailed"
	RunnerWarming = "RunnerWarmingUp"
)

// Ready reports whether the runner takes requests.
func (r Runner) Ready() bool { return r.Status == RunnerReady || r.Status == RunnerRunning }

// Loading reports whether the runner is on its way from being idle to being ready.
func (r Runner) Loading() bool {
	switch r.Status {
	case "RunnerConnecting", "RunnerConnected", "RunnerLoading", "RunnerLoaded", RunnerWarming:
		return true
	}
	return false
}

func (r Runner) String() string {
	switch {
	case r.Status == "":
		return "absent"
	case r.Total > 0:
		return fmt.Sprintf("%s %d/%d layers", r.Status, r.Layers, r.Total)
	}
	return r.Status
}

func (s *scanner) runner() Runner {
	var r Runner
	var why []string
	r.Status = s.union(func() { r, why = Runner{}, nil },
		count("layersLoaded", &r.Layers), count("totalLayers", &r.Total),
		text("errorMessage", foreign.MaxLine, &r.Reason),
		field{"diagnostics", func(s *scanner) { why = s.diagnostics() }},
	)
	r.Status = cmp.Or(r.Status, "unknown")
	r.Reason = foreign.Line(strings.Join(append([]string{r.Reason}, why...), "; "))
	r.Reason = strings.TrimPrefix(r.Reason, "; ")
	s.keep(itemCost)
	return r
}

// diagnostics reads [{"Tag": {"message": …}}, …], the first few.
func (s *scanner) diagnostics() []string {
	const few = 4
	var all []string
	s.array(func(i int) {
		var message string
		name := s.union(func() { message = "" }, text("message", foreign.MaxLine, &message))
		if words := strings.TrimPrefix(name+": "+message, ": "); words != ": " && words != "" && i < few {
			all = append(all, strings.TrimSuffix(words, ": "))
		}
	})
	return all
}

func (s *scanner) runners() map[string]Runner {
	all := map[string]Runner{}
	s.object(func(id string) { all[foreign.ID(id)] = s.runner() })
	return all
}
