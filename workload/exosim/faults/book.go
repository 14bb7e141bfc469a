package faults

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
)

// Book holds the faults that are in force in one node. It is safe for concurrent use, and
// never calls back.
type Book struct {
	clock    pace.Clock
	profiles []*pace.Profile
	log      *slog.Logger

	mu     sync.Mutex
	faults []*entry
	seq    int
}

type entry struct {
	Fault
	expires time.Time // zero for never
}

// NewBook returns an empty Book about a node with these models.
func NewBook(clock pace.Clock, profiles []*pace.Profile, log *slog.Logger) *Book {
	return &Book{clock: clock, profiles: profiles, log: log}
}

// durations are the kinds to which Seconds is how long they strike.
var durations = []Kind{Stall, Election, Lingers, DownloadFails, PlacementLate, BootSlow}

// Inject makes f go wrong from now on and returns the fault's id.
func (b *Book) Inject(f Fault) (string, error) {
	if err := b.check(f); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	f.ID, f.Struck = "fault-"+strconv.Itoa(b.seq), 0
	e := &entry{Fault: f}
	if f.Seconds > 0 && !slices.Contains(durations, f.Kind) {
		e.expires = b.clock.After(pace.Seconds(f.Seconds))
	}
	b.faults = append(b.faults, e)
	b.log.Info("Fault injected", "id", f.ID, "kind", f.Kind, "model", f.Model)
	return f.ID, nil
}

func (b *Book) check(f Fault) error {
	s, ok := spec(f.Kind)
	switch {
	case !ok:
		return fmt.Errorf("unknown kind of fault %q; the kinds are %v", f.Kind, Kinds())
	case f.Kind == Slow && f.Percent >= 100:
		return fmt.Errorf("a model cannot be slowed by %g %%: give less than 100", f.Percent)
	case f.Model != "" && !slices.ContainsFunc(b.profiles, func(p *pace.Profile) bool { return p.Is(f.Model) }):
		return fmt.Errorf("the node has no model %q to strike", f.Model)
	case f.Path == "" && f.Kind == AnswerLost:
		return fmt.Errorf("a fault of kind %s needs a path", f.Kind)
	case f.Path != "" && !s.Path:
		return fmt.Errorf("a fault of kind %s cannot strike a path", f.Kind)
	}
	return nil
}

// Clear ends the fault with this id, or all of them when id is empty, and returns how many
// it ended. What a fault has done already stays done.
func (b *Book) Clear(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.faults)
	b.faults = slices.DeleteFunc(b.faults, func(e *entry) bool { return id == "" || e.ID == id })
	return before - len(b.faults)
}

// InForce returns the faults that are in force.
func (b *Book) InForce() []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	all := make([]Fault, 0, len(b.faults))
	for _, e := range b.faults {
		all = append(all, e.Fault)
	}
	return all
}

func (b *Book) expire() {
	now := time.Now()
	b.faults = slices.DeleteFunc(b.faults, func(e *entry) bool {
		return !e.expires.IsZero() && !now.Before(e.expires) || e.Count > 0 && e.Struck >= e.Count
	})
}

// Active returns the newest lasting fault of this kind that concerns the model, or any
// model when that is empty.
func (b *Book) Active(kind Kind, model string) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	for _, e := range slices.Backward(b.faults) {
		if e.Kind == kind && b.concerns(e, model) {
			return e.Fault, true
		}
	}
	return Fault{}, false
}

// strike lets the oldest fault that match accepts strike the model, if there is one.
func (b *Book) strike(model string, match func(Fault, Spec) bool) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	for _, e := range b.faults {
		s, _ := spec(e.Kind)
		if !match(e.Fault, s) || !b.concerns(e, model) {
			continue
		}
		if e.Skip > 0 {
			e.Skip--
			continue
		}
		e.Struck++
		b.log.Info("Fault strikes", "id", e.ID, "kind", e.Kind, "model", model)
		return e.Fault, true
	}
	return Fault{}, false
}

// StrikeRequest returns the fault that strikes a chat completion of the model; nil for none.
func (b *Book) StrikeRequest(model string) *Fault {
	f, ok := b.strike(model, func(f Fault, s Spec) bool { return s.Scope == OfRequest && f.Path == "" })
	if !ok {
		return nil
	}
	return &f
}

// StrikeInstance returns the fault of this kind that strikes an instance of the model.
func (b *Book) StrikeInstance(kind Kind, model string) (Fault, bool) {
	return b.strike(model, func(f Fault, _ Spec) bool { return f.Kind == kind })
}

// StrikePath returns the fault that strikes any request for the path, by this method or any.
func (b *Book) StrikePath(method, path string) (Fault, bool) {
	return b.strike("", func(f Fault, _ Spec) bool {
		return f.Path != "" && (strings.HasPrefix(path, f.Path) || strings.HasPrefix(method+" "+path, f.Path))
	})
}

// concerns reports whether e, which may name a model in any way, strikes this one.
func (b *Book) concerns(e *entry, model string) bool {
	return e.Model == "" || model == "" || e.Model == model ||
		slices.ContainsFunc(b.profiles, func(p *pace.Profile) bool { return p.Is(e.Model) && p.Is(model) })
}

// Slowdown returns by which factor everything the model does takes longer.
func (b *Book) Slowdown(model string) float64 {
	if f, ok := b.Active(Slow, model); ok {
		return 1 / (1 - f.Percent/100)
	}
	return 1
}
