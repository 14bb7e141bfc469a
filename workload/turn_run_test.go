package workload

import (
	"context"
	"testing"
	"testing/synctest"
)

// sharing is a target, a session of it and a meter that each can say that the memory is not the
// model's alone.
type sharing struct {
	Session
	byLoad, byMeter bool
}

func (s sharing) Open(context.Context, Model) (Session, error) {
	return sharing{&fakeSession{n: &fakeNode{}}, s.byLoad, s.byMeter}, nil
}
func (s sharing) Load() Load                       { return Load{Loaded: true, Shared: s.byLoad} }
func (s sharing) Begin(string) Recording           { return s }
func (s sharing) Mark(Phase)                       {}
func (s sharing) End(context.Context, bool) Memory { return Memory{Samples: 1, Shared: s.byMeter} }

func TestMemoryIsSharedByEitherWord(t *testing.T) {
	for _, c := range []struct{ byLoad, byMeter bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		synctest.Test(t, func(t *testing.T) {
			s := sharing{byLoad: c.byLoad, byMeter: c.byMeter}
			r, rec := newTestRunner(&fakeNode{}, 1, 1, RunnerOptions{Meter: s})
			r.o.Target = s
			r.Cycle(t.Context())
			if got, want := rec.turns[0].Memory.Shared, c.byLoad || c.byMeter; got != want {
				t.Errorf("%+v: shared %v, want %v", c, got, want)
			}
		})
	}
}
