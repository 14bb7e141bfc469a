package workload

import (
	"context"
	"slices"
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

// weather is a Surroundings that notes when it is watched, beside what the session is asked.
type weather struct{ did []string }

func (w *weather) Watch() func() Conditions {
	w.did = append(w.did, "watch")
	return func() Conditions {
		w.did = append(w.did, "end")
		return Conditions{Seconds: 1}
	}
}

// outdoors is a session in the weather.
type outdoors struct {
	Session
	*weather
}

func (o outdoors) Open(context.Context, Model) (Session, error) { return o, nil }

func (o outdoors) Measure(ctx context.Context, r Request) Result {
	o.did = append(o.did, r.Prompt.ID)
	return o.Session.Measure(ctx, r)
}

func (o outdoors) Close(ctx context.Context) error {
	o.did = append(o.did, "close")
	return o.Session.Close(ctx)
}

// The machine is watched while requests are measured: neither the warm-up nor the unloading is in it.
func TestConditionsAreThoseOfTheRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := outdoors{&fakeSession{n: &fakeNode{}}, &weather{}}
		r, rec := newTestRunner(&fakeNode{}, 1, 2, RunnerOptions{Surroundings: o.weather})
		r.o.Target = o
		r.Cycle(t.Context())
		p := r.o.Suite.Prompts
		if want := []string{p[0].ID, "watch", p[0].ID, p[1].ID, "end", "close"}; !slices.Equal(o.did, want) {
			t.Errorf("did %q, want %q", o.did, want)
		}
		if rec.turns[0].Conditions.Seconds != 1 {
			t.Errorf("the turn has %+v", rec.turns[0].Conditions)
		}
	})
}
