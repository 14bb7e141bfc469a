package workload

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const century = 100 * 365 * 24 * time.Hour

func TestCycleThatWasDueWhileTheMachineSleptStartsAfterwards(t *testing.T) {
	for name, c := range map[string]struct {
		jump time.Duration // of the wall clock, 20 minutes after the start
		want []time.Duration
	}{
		"awake":                  {0, []time.Duration{0, time.Hour}},
		"slept for eight hours":  {8 * time.Hour, []time.Duration{0, 20*time.Minute + sleepCheck, 80*time.Minute + sleepCheck}},
		"slept for ten minutes":  {10 * time.Minute, []time.Duration{0, 50 * time.Minute}},
		"clock corrected":        {minSleep - 1, []time.Duration{0, time.Hour}},
		"clock set back an hour": {-time.Hour, []time.Duration{0, time.Hour}},
		"set back a century":     {-century, []time.Duration{0, time.Hour}},
		"set ahead a century":    {century, []time.Duration{0, 20*time.Minute + sleepCheck, 80*time.Minute + sleepCheck}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &fakeNode{}
				n.answer = func(ctx context.Context, r Request) Result { return n.wait(ctx, r, 0) }
				r, rec := newTestRunner(n, 1, 1, RunnerOptions{Interval: time.Hour})
				var ahead atomic.Int64
				r.wall = func() time.Time { return wallClock().Add(time.Duration(ahead.Load())) }
				begin := time.Now()
				time.AfterFunc(20*time.Minute+time.Millisecond, func() { ahead.Store(int64(c.jump)) })
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
				defer cancel()
				r.Run(ctx)
				var at []time.Duration
				for _, s := range rec.starts {
					at = append(at, s.Sub(begin))
				}
				if !slices.Equal(at, c.want) {
					t.Errorf("cycles started at %v, want %v", at, c.want)
				}
			})
		})
	}
}

func TestCycleAcrossASleepIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead time.Duration
		n := &fakeNode{}
		r, rec := newTestRunner(n, 1, 2, RunnerOptions{})
		n.answer = func(ctx context.Context, q Request) Result {
			ahead += time.Hour // in every request, of which there are three
			return n.wait(ctx, q, time.Second)
		}
		r.wall = func() time.Time { return wallClock().Add(ahead) }
		c := r.Cycle(t.Context())
		if c.Slept != 3*time.Hour || c.Duration != 3*time.Second || rec.cycles[0].Slept != c.Slept {
			t.Errorf("the cycle took %v and slept %v, as observers heard %v", c.Duration, c.Slept, rec.cycles[0].Slept)
		}
		text, err := json.Marshal(c)
		if err != nil || !strings.Contains(string(text), `"slept_seconds":10800,`) {
			t.Errorf("as JSON: %s (error %v)", text, err)
		}
		ahead = 0
		n.answer = nil
		if c := r.Cycle(t.Context()); c.Slept != 0 {
			t.Errorf("the next cycle slept %v", c.Slept)
		}
	})
}
