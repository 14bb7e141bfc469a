package power_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exo/power"
	"exo-bench-exporter/workload/exo/state"
)

const ms = time.Millisecond

// cluster is a source whose readings are made from a moment.
type cluster struct {
	whole bool
	watts func(since time.Duration) map[string]float64
	begin time.Time
	looks []time.Duration
	fail  bool
	until time.Duration // after which it answers no more; 0 is never
}

func (c *cluster) Narrow() bool { return !c.whole }

func (c *cluster) Look(_ context.Context, q state.Query) (state.Snapshot, error) {
	since := time.Since(c.begin)
	c.looks = append(c.looks, since)
	if q.Parts != state.Systems {
		return state.Snapshot{}, fmt.Errorf("looked at %v", q.Parts)
	}
	if c.fail || c.until > 0 && since > c.until {
		return state.Snapshot{}, errors.New("no")
	}
	s := state.Snapshot{Systems: map[string]state.System{}}
	for node, w := range c.watts(since) {
		s.Systems[node] = state.System{GPU: new(0.0), Watts: &w}
		if w < 0 {
			s.Systems[node] = state.System{GPU: new(0.0)}
		}
	}
	return s, nil
}

// readings are what one machine shows whose power has a course, read every second from a moment on.
func readings(phase time.Duration, course func(seconds float64) float64) func(time.Duration) map[string]float64 {
	return func(since time.Duration) map[string]float64 {
		return map[string]float64{"n": course(((since + phase).Truncate(time.Second) - phase).Seconds())}
	}
}

func meter(c *cluster) *power.Meter {
	c.begin = time.Now()
	return power.NewMeter(c, 0, slog.New(slog.DiscardHandler))
}

// A request's energy is the integral over its own time, whenever in a second the machine is read.
func TestEnergyIsTheIntegral(t *testing.T) {
	courses := map[string]struct{ watts, joules func(float64) float64 }{
		"as good as steady": {func(s float64) float64 { return 40 + s/1000 }, func(s float64) float64 { return 40*s + s*s/2000 }},
		"rising":            {func(s float64) float64 { return 30 + s/4 }, func(s float64) float64 { return 30*s + s*s/8 }},
		"a wave": {
			func(s float64) float64 { return 40 + 4*math.Sin(s/5) }, func(s float64) float64 { return 40*s - 20*math.Cos(s/5) },
		},
	}
	for name, c := range courses {
		for _, took := range []time.Duration{3500 * ms, 10 * time.Second, 100 * time.Second} {
			for phase := range 5 {
				t.Run(fmt.Sprintf("%s, %s, phase %d", name, took, phase), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						src := &cluster{watts: readings(time.Duration(phase)*230*time.Millisecond, c.watts)}
						m := meter(src)
						w := m.Begin(t.Context(), []string{"n"})
						from := time.Now()
						time.Sleep(took)
						got, ok := w.End(from, time.Now())
						want := c.joules(took.Seconds()) - c.joules(0)
						if !ok || math.Abs(got/want-1) > 0.02 {
							t.Errorf("%.2f J, %v; want %.2f J", got, ok, want)
						}
						if most := 2 + int(8+8*math.Log(max(1, took.Seconds()/8))); len(src.looks) > most {
							t.Errorf("%d looks, want %d at most", len(src.looks), most)
						}
					})
				})
			}
		}
	}
}

func TestWhatIsNoEnergy(t *testing.T) {
	rising := func(s float64) float64 { return 30 + s }
	tests := map[string]struct {
		src   cluster
		nodes []string
		took  time.Duration
		known bool
		looks int // at most
	}{
		"two readings": {cluster{watts: readings(0, rising)}, []string{"n"}, 2500 * ms, true, 3},
		"one reading":  {cluster{watts: readings(0, rising)}, []string{"n"}, 1500 * ms, false, 2},
		"none":         {cluster{watts: readings(0, rising)}, []string{"n"}, 500 * ms, false, 1},
		"exo shows one reading all the time": {
			cluster{watts: readings(0, func(float64) float64 { return 38 })}, []string{"n"}, 5500 * ms, false, 6,
		},
		"a reading every four seconds": {
			cluster{watts: readings(0, func(s float64) float64 { return 30 + math.Floor(s/4) })}, []string{"n"}, 7500 * ms, false, 8,
		},
		"no power": {
			cluster{watts: func(time.Duration) map[string]float64 { return map[string]float64{"n": -1} }},
			[]string{"n"},
			5 * time.Second,
			false, 1,
		},
		"no machine": {
			cluster{watts: func(time.Duration) map[string]float64 { return nil }}, []string{"n"}, 5 * time.Second, false, 1,
		},
		"only the whole of the state":   {cluster{watts: readings(0, rising), whole: true}, []string{"n"}, 5 * time.Second, false, 0},
		"exo does not answer":           {cluster{watts: readings(0, rising), fail: true}, []string{"n"}, 5 * time.Second, false, 1},
		"nobody knows which machine":    {cluster{watts: readings(0, rising)}, nil, 5500 * ms, true, 6},
		"nobody knows which of several": {cluster{watts: two(1, 2)}, nil, 5500 * ms, false, 1},
		"one of two tells nothing":      {cluster{watts: two(1, -1)}, []string{"a", "b"}, 5500 * ms, false, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := meter(&tt.src).Begin(t.Context(), tt.nodes)
				from := time.Now()
				time.Sleep(tt.took)
				got, ok := w.End(from, time.Now())
				if ok != tt.known || ok != (got > 0) {
					t.Errorf("%g J, %v", got, ok)
				}
				if len(tt.src.looks) > tt.looks {
					t.Errorf("looked at %v, want %d looks at most", tt.src.looks, tt.looks)
				}
			})
		})
	}
}

// two are two machines with steady but ever new readings; a negative one tells none.
func two(a, b float64) func(time.Duration) map[string]float64 {
	return func(since time.Duration) map[string]float64 {
		s := since.Truncate(time.Second).Seconds() / 1000
		return map[string]float64{"a": a + math.Copysign(s, a), "b": b + math.Copysign(s, b)}
	}
}

// The energy of a model is that of all machines that hold it, and of no other.
func TestMachinesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meter(&cluster{watts: two(30, 50)})
		for _, tt := range []struct {
			nodes []string
			watts float64
		}{{[]string{"a", "b"}, 80}, {[]string{"b"}, 50}} {
			w := m.Begin(t.Context(), tt.nodes)
			from := time.Now()
			time.Sleep(10 * time.Second)
			got, ok := w.End(from, time.Now())
			if want := tt.watts * 10; !ok || math.Abs(got/want-1) > 0.02 {
				t.Errorf("of %v: %.1f J, %v; want %.1f J", tt.nodes, got, ok, want)
			}
		}
	})
}

// What was seen before the request began, or after it had ended, is not its power.
func TestReadingsAreOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meter(&cluster{watts: readings(0, func(s float64) float64 {
			if s < 5 || s > 15 {
				return 6 + s/1000
			}
			return 40 + s/1000
		})})
		w := m.Begin(t.Context(), []string{"n"})
		time.Sleep(5 * time.Second)
		from := time.Now()
		time.Sleep(10 * time.Second)
		to := time.Now()
		time.Sleep(5 * time.Second)
		if got, ok := w.End(from, to); !ok || math.Abs(got/400-1) > 0.02 {
			t.Errorf("%.1f J, %v; want 400 J", got, ok)
		}
	})
}

// What machines showed is of the time of the request, too, and of all of them.
func TestSensorsAreOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(celsius, gpu, watts float64) state.System {
			return state.System{Celsius: &celsius, GPU: &gpu, Watts: &watts}
		}
		course := func(s float64) map[string]state.System {
			if s < 5 || s >= 9 {
				return map[string]state.System{"a": at(90, 0, 6+s/1000), "b": at(90, 0, 6+s/1000), "other": at(99, 1, 99)}
			}
			return map[string]state.System{"a": at(50+s, 0.5, 30+s), "b": at(60-s, 1, 50), "other": at(99, 1, 99)}
		}
		m := power.NewMeter(systems(course), 0, slog.New(slog.DiscardHandler))
		w := m.Begin(t.Context(), []string{"a", "b"})
		time.Sleep(4900 * ms)
		from := time.Now()
		time.Sleep(4 * time.Second) // readings at 5, 6, 7 and 8 seconds
		to := time.Now()
		time.Sleep(5 * time.Second)
		w.End(from, to)
		s := w.Sensors(from, to)
		if s == nil || s.Readings != 8 || *s.Celsius != 58 || *s.GPU != 0.75 || math.Abs(*s.Watts-86.5) > 1e-9 {
			t.Errorf("%+v", s)
		}
		if s := w.Sensors(from, from); s != nil {
			t.Errorf("in no time %+v", s)
		}
		if s := m.Begin(t.Context(), []string{"c"}).Sensors(from, to); s != nil {
			t.Errorf("of a machine that is not there %+v", s)
		}
	})
}

// What one machine does not tell is not known of all.
func TestSensorThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := power.NewMeter(systems(func(s float64) map[string]state.System {
			return map[string]state.System{"a": {Celsius: new(50.0), Watts: new(30 + s)}, "b": {GPU: new(0.5), Watts: new(40 + s)}}
		}), 0, slog.New(slog.DiscardHandler))
		w := m.Begin(t.Context(), []string{"a", "b"})
		from := time.Now()
		time.Sleep(2500 * ms) // readings at 1 and 2 seconds
		to := time.Now()
		w.End(from, to)
		if s := w.Sensors(from, to); s == nil || s.Readings != 4 || s.Celsius != nil || s.GPU != nil || *s.Watts != 73 {
			t.Errorf("%+v", s)
		}
	})
}

// systems is a source of what machines show at a second from now on, which they take every second.
func systems(course func(seconds float64) map[string]state.System) power.Source {
	begin := time.Now()
	return source(func() map[string]state.System { return course(time.Since(begin).Truncate(time.Second).Seconds()) })
}

type source func() map[string]state.System

func (source) Narrow() bool { return true }

func (s source) Look(context.Context, state.Query) (state.Snapshot, error) {
	return state.Snapshot{Systems: s()}, nil
}

// Looks that fail are given up, and leave nothing behind.
func TestExoThatFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &cluster{watts: readings(0, func(s float64) float64 { return 30 + s }), until: 500 * ms}
		w := meter(src).Begin(t.Context(), []string{"n"})
		from := time.Now()
		time.Sleep(time.Minute)
		if _, ok := w.End(from, time.Now()); ok || len(src.looks) > 4 {
			t.Errorf("known: %v, %d looks", ok, len(src.looks))
		}
	})
}

// Rest is what machines draw when the work of a request before is over, and nobody else's goes on.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &cluster{watts: readings(0, func(s float64) float64 {
			if s < 5 {
				return 40
			}
			return 6
		})}
		m := meter(src)
		w := m.Begin(t.Context(), []string{"n"})
		time.Sleep(4500 * ms)
		w.End(src.begin, time.Now())
		at := time.Now()
		if rest := m.Rest(t.Context()); rest != nil || time.Since(at) > 0 {
			t.Errorf("right after work %v are at rest, after %s", rest, time.Since(at))
		}
		time.Sleep(2 * time.Second)
		at = time.Now()
		rest := m.Rest(t.Context())
		if watts, ok := rest.Idle([]string{"n"}); !ok || watts != 6 {
			t.Errorf("%g W, %v; want 6 W", watts, ok)
		}
		if waited := time.Since(at); waited > 0 {
			t.Errorf("waited for %s", waited)
		}
		at = time.Now()
		if m.Rest(t.Context()); time.Since(at) > 0 {
			t.Error("waited though nothing had run for two seconds")
		}
		if _, ok := rest.Idle([]string{"other"}); ok {
			t.Error("the rest of a machine is known that is not there")
		}
		busy := power.Readings{"n": {GPU: new(0.9), Watts: new(40.0)}}
		if _, ok := busy.Idle([]string{"n"}); ok {
			t.Error("a machine at work rests")
		}
	})
}
