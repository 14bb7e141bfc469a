package resume

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload"
)

// Saver is a workload.Observer that saves what Load reads, whenever a turn or a cycle has ended.
// It never blocks: what is newer takes the place of what is not written yet.
type Saver struct {
	path string
	what func() What
	log  *slog.Logger

	next    int
	started time.Time
	turns   map[string]workload.Turn // by model
	waiting chan document            // holds the newest that is not written yet
}

var _ workload.Observer = (*Saver)(nil)

// NewSaver returns a Saver for the file at path. what is asked each time.
func NewSaver(path string, what func() What, log *slog.Logger) *Saver {
	return &Saver{path: path, what: what, log: log, turns: make(map[string]workload.Turn), waiting: make(chan document, 1)}
}

// Continue has s go on from what was saved before. It is to be called before Run.
func (s *Saver) Continue(before State) {
	s.next, s.started = before.First, before.Last
	for _, t := range before.Turns {
		s.turns[t.Model] = t
	}
}

// Run writes what comes until ctx is done, then what came before that. That the file cannot be
// written is said once.
func (s *Saver) Run(ctx context.Context) {
	said := false
	write := func(d document) {
		err := d.write(s.path)
		if err != nil && !said {
			s.log.Warn("The state cannot be saved; after a restart a cycle begins at once", "file", s.path, "err", err)
		}
		said = err != nil
	}
	for ctx.Err() == nil {
		select {
		case d := <-s.waiting:
			write(d)
		case <-ctx.Done():
		}
	}
	select {
	case d := <-s.waiting:
		write(d)
	default:
	}
}

func (s *Saver) save() {
	what := s.what()
	maps.DeleteFunc(s.turns, func(model string, _ workload.Turn) bool {
		return !slices.ContainsFunc(what.Models, func(m workload.Model) bool { return m.Name == model })
	})
	turns := slices.SortedFunc(maps.Values(s.turns), func(a, b workload.Turn) int { return strings.Compare(a.Model, b.Model) })
	select {
	case <-s.waiting:
	default:
	}
	s.waiting <- document{Schema: schema, What: what, Next: s.next, Started: s.started, Turns: turns}
}

// CycleStarted implements workload.Observer.
func (s *Saver) CycleStarted(number int, _ []workload.Model, _ time.Time) {
	s.next, s.started = number+1, time.Time{}
	s.save()
}

// TurnStarted implements workload.Observer.
func (s *Saver) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (s *Saver) RequestDone(workload.Result) {}

// TurnDone implements workload.Observer.
func (s *Saver) TurnDone(t workload.Turn) {
	s.turns[t.Model] = t
	s.save()
}

// CycleDone implements workload.Observer.
func (s *Saver) CycleDone(c workload.Cycle) {
	s.started = c.Start
	s.save()
}
