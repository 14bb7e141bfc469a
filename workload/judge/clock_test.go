package judge_test

import (
	"fmt"
	"testing"
	"time"

	"exo-bench-exporter/workload/judge"
)

// A clock that is set, by however much, is no evidence: what was normal stays, and what was said goes on.
func TestAClockThatIsSet(t *testing.T) {
	for _, by := range []time.Duration{-90 * 24 * time.Hour, -50 * time.Hour, -20 * time.Minute, 20 * time.Minute, 50 * time.Hour} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			j := judge.New(judge.Options{})
			add := func(from, to int, rate float64) {
				for c := from; c < to; c++ {
					next := noisy(c, rate)
					next.Time = next.Time.Add(by)
					j.Add(next)
				}
			}
			tell(j, 0, learnt, 50)
			add(learnt, learnt+2*96, 50)
			if k := worst(t, j); k != "" {
				t.Fatalf("%s without cause", k)
			}
			v, _ := j.Model("m", judge.Decode)
			if v.Cycles < learnt || !v.Last.Equal(noisy(learnt+2*96-1, 50).Time.Add(by)) || v.Last.Sub(v.First) < 9*24*time.Hour {
				t.Errorf("history of %d cycles from %v to %v", v.Cycles, v.First, v.Last)
			}
			add(learnt+2*96, learnt+2*96+6, 45)
			if k := worst(t, j); k != judge.Drop {
				t.Errorf("%q after a loss, want a drop", k)
			}
			tell(j, learnt+2*96+6, learnt+2*96+20, 45) // and set back again
			if k := worst(t, j); k != judge.Drop {
				t.Errorf("%q after the clock was set right, want the drop", k)
			}
			tell(j, learnt+2*96+20, learnt+2*96+32, 50)
			if k := worst(t, j); k != "" {
				t.Errorf("%q after it was gone", k)
			}
		})
	}
}

// Models may come and go for ever: the one that was not seen for longest makes room.
func TestModelsThatAreGoneMakeRoom(t *testing.T) {
	j := judge.New(judge.Options{})
	for i := range 40 {
		next := turn(i, 50)
		next.Model = fmt.Sprint("m", i)
		j.Add(next)
	}
	for i, want := range map[int]bool{0: false, 7: false, 8: true, 39: true} {
		if _, ok := j.Model(fmt.Sprint("m", i), judge.Decode); ok != want {
			t.Errorf("model %d: known %t, want %t", i, ok, want)
		}
	}
}
