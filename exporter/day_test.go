package exporter

import (
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// rated is a turn of one prompt at a decode rate in tokens per second, by default under firstMethod.
func rated(at time.Duration, rate float64) workload.Turn {
	r := okResult("mistral-7b", "long")
	r.Server = nil // which would not agree
	r.Decode = time.Duration(float64(r.DecodeTokens()) / rate * float64(time.Second))
	turn := turnOf("mistral-7b", workload.TurnOK, r)
	turn.Start = epoch.Add(at)
	return turn
}

func lastModel(t *testing.T, s *Store) ModelState {
	t.Helper()
	models := s.State().Models
	return models[len(models)-1]
}

func TestDayComparesWithTheMedianBefore(t *testing.T) {
	s := NewStore(testOptions())
	for i, rate := range []float64{1000, 50, 100, 100, 100, 150, 90} { // the first is more than a day before the last
		at := time.Duration(i) * time.Hour
		if i == 0 {
			at = -20 * time.Hour
		}
		s.TurnDone(rated(at, rate))
		if c := lastModel(t, s).Since; (c != nil) != (i >= fewest) {
			t.Errorf("after %d turns: %+v", i+1, c)
		}
	}
	m := lastModel(t, s)
	if c := m.Since; len(m.Day) != 6 || c.Turns != 5 || *c.Output > -0.099 || *c.Output < -0.101 || *c.TTFT != 0 {
		t.Errorf("%d points, %+v", len(m.Day), c)
	}
}

// What was recorded before a restart comes in its place in time, once, and under the present method alone.
func TestDayTakesInWhatWasRecorded(t *testing.T) {
	s := NewStore(testOptions())
	s.TurnDone(rated(5*time.Hour, 100))
	other := rated(time.Hour, 70)
	other.Results[0].Epoch.Version = "another"
	for _, turn := range []workload.Turn{
		rated(2*time.Hour, 80), rated(4*time.Hour, 90), rated(2*time.Hour, 80), other, turnOf("mistral-7b", workload.TurnFailed),
	} {
		s.Remember(turn)
	}
	gone := rated(0, 1)
	gone.Model = "gone"
	s.Remember(gone)
	var rates []int
	for _, p := range lastModel(t, s).Day {
		rates = append(rates, int(p.Output+0.5))
	}
	if len(rates) != 3 || rates[0] != 80 || rates[1] != 90 || rates[2] != 100 || len(s.days) != 1 {
		t.Errorf("rates %v of %d models", rates, len(s.days))
	}
	other.Start = epoch.Add(6 * time.Hour)
	s.TurnDone(other)
	if day := lastModel(t, s).Day; len(day) != 1 {
		t.Errorf("under another method there are %d points", len(day))
	}
	opts := testOptions()
	opts.Models = opts.Models[:1]
	if s.Apply(opts); len(s.days) != 0 {
		t.Error("a model that has left has a day")
	}
}

func TestDayIsBounded(t *testing.T) {
	s := NewStore(testOptions())
	for i := range 2 * maxPoints {
		s.TurnDone(rated(time.Duration(i)*time.Second, 100))
	}
	last := epoch.Add((2*maxPoints - 1) * time.Second)
	if day := lastModel(t, s).Day; len(day) > maxDrawn || !day[len(day)-1].At.Equal(last) || len(s.days["mistral-7b"].points) != maxPoints {
		t.Errorf("%d of %d points are drawn, the last of %s", len(day), len(s.days["mistral-7b"].points), day[len(day)-1].At)
	}
}
