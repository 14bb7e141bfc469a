package answer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// at makes arrivals at the given milliseconds after t0, those of equal time by one read.
func at(ms ...float64) []Arrival {
	var arrivals []Arrival
	read := 0
	for i, m := range ms {
		if i == 0 || m != ms[i-1] {
			read++
		}
		arrivals = append(arrivals, Arrival{At: t0.Add(time.Duration(m * float64(time.Millisecond))), Read: read, Content: true, Size: 5})
	}
	return arrivals
}

// every makes n times from a first one on, a step apart.
func every(n int, first, step float64) []float64 {
	var ms []float64
	for i := range n {
		ms = append(ms, first+float64(i)*step)
	}
	return ms
}

// rate is what a Result makes of a tally and a shape.
func rate(t Tally, s Shape) float64 {
	r := workload.Result{Timed: true, OutputTokens: t.Output, FirstTokens: t.First, SilentTokens: t.Silent, Decode: s.Last.Sub(s.First)}
	v, _ := r.DecodeRate()
	return v
}

// What can be said of times, by how the events came. The model makes 100 tokens a second.
func TestLook(t *testing.T) {
	clumps := func(k int) []float64 { // every k-th token lets all before it through
		var ms []float64
		for i := range 32 {
			ms = append(ms, 100+10*float64((i/k+1)*k-1))
		}
		return ms
	}
	for _, tc := range []struct {
		name      string
		e         Evidence
		buffered  string // words; empty where the answer is timed
		rate      float64
		gaps      []float64 // milliseconds, and how often; empty where nothing is known
		coalesced int
		pause     time.Duration // a gap between 15 of 10 ms and 15 more
	}{
		{"event by event", Evidence{Arrivals: at(every(32, 100, 10)...)}, "", 100, []float64{10, 31}, 0, 0},
		{"one event is late and meets the next", Evidence{Arrivals: at(100, 110, 130, 130, 140)}, "", 100, []float64{10, 3}, 1, 0},
		{"clumps of four", Evidence{Arrivals: at(clumps(4)...)}, "", 100, []float64{10, 7}, 24, 0},
		{
			"the first read holds half",
			Evidence{Arrivals: at(slices.Concat(slices.Repeat([]float64{250}, 16), every(16, 260, 10))...)},
			"", 100,
			[]float64{10, 16},
			15, 0,
		},
		{
			"the first read holds half after a long silence, and the rest comes at the server's rate",
			Evidence{Arrivals: at(slices.Concat(slices.Repeat([]float64{10_000}, 16), every(16, 10_010, 10))...), Stats: Stats{GenerationTPS: 100}},
			"", 100,
			[]float64{10, 16},
			15, 0,
		},
		{"four tokens an event", Evidence{Arrivals: at(every(8, 130, 40)...), Usage: Usage{Completion: 32}}, "", 100, nil, 0, 0},
		{"four tokens an event, each counted", Evidence{
			Arrivals: change(at(every(8, 130, 40)...), func(i int, a *Arrival) { a.Told = 4 * (i + 1) }), Usage: Usage{Completion: 32},
		}, "", 100, []float64{10, 28}, 0, 0},
		{"all at once", Evidence{Arrivals: at(slices.Repeat([]float64{420}, 32)...)}, "held the stream back", 0, nil, 31, 0},
		{"all at once, in several reads", Evidence{Arrivals: at(every(32, 420, 0.02)...)}, "held the stream back", 0, nil, 31, 0},
		{"held back, let go in two parts", Evidence{
			Arrivals: at(slices.Concat(slices.Repeat([]float64{420}, 16), slices.Repeat([]float64{440}, 16))...), Usage: Usage{Prompt: 40},
		}, "replays", 800, []float64{1.25, 1}, 30, 0},
		{"the first token at once, the others replayed", Evidence{
			Arrivals: at(append([]float64{100}, every(63, 720, 0.2)...)...), Usage: Usage{Prompt: 40},
		}, "", 99.6, []float64{9.84, 1}, 62, 0},
		{
			"a model that pauses",
			Evidence{Arrivals: at(slices.Concat(every(16, 100, 10), every(16, 1750, 10))...)},
			"", 17.2, nil, 0,
			1500 * time.Millisecond,
		},
		{
			"a model that pauses for long",
			Evidence{Arrivals: at(slices.Concat(every(16, 100, 10), every(16, 30250, 10))...)},
			"", 1.02, nil, 0,
			30 * time.Second,
		},
		{"replayed", Evidence{Arrivals: at(every(32, 420, 0.2)...), Usage: Usage{Prompt: 40}}, "replays", 5000, []float64{0.2, 31}, 0, 0},
		{"replayed slowly, as the node's own figure shows", Evidence{
			Arrivals: at(every(32, 520, 2)...), Usage: Usage{Prompt: 40}, Stats: Stats{GenerationTPS: 100},
		}, "replays", 500, []float64{2, 31}, 0, 0},
		{"replayed as a model could speak, but the node's own figure shows that all was made before", Evidence{
			Arrivals: at(every(32, 520, 6)...), Usage: Usage{Prompt: 40}, Stats: Stats{GenerationTPS: 100, PromptTPS: 400},
		}, "replays", 167, []float64{6, 31}, 0, 0},
		{"a hiccup before the first token of a fast model", Evidence{
			Arrivals: at(every(32, 170, 2)...), Usage: Usage{Prompt: 40}, Stats: Stats{GenerationTPS: 360, PromptTPS: 4000},
		}, "", 500, []float64{2, 31}, 0, 0},
		{"a node that says a little less than it does", Evidence{
			Arrivals: at(every(32, 520, 10)...), Usage: Usage{Prompt: 40}, Stats: Stats{GenerationTPS: 85},
		}, "", 100, []float64{10, 31}, 0, 0},
		{"a fast model", Evidence{Arrivals: at(every(32, 20, 0.5)...), Usage: Usage{Prompt: 40}}, "", 2000, []float64{0.5, 31}, 0, 0},
		{"a fast model that was busy", Evidence{Arrivals: at(every(32, 900, 4)...), Usage: Usage{Prompt: 40}}, "", 250, []float64{4, 31}, 0, 0},
		{
			"a fast model with a long prompt",
			Evidence{Arrivals: at(every(32, 350, 0.5)...), Usage: Usage{Prompt: 600}},
			"", 2000,
			[]float64{0.5, 31},
			0, 0,
		},
		{"a very fast server that says so", Evidence{
			Arrivals: at(every(32, 420, 0.4)...), Usage: Usage{Prompt: 40}, Stats: Stats{GenerationTPS: 2400},
		}, "", 2500, []float64{0.4, 31}, 0, 0},
		{"two tokens that met by chance", Evidence{Arrivals: at(100, 100)}, "", 0, nil, 1, 0},
		{"one token", Evidence{Arrivals: at(100)}, "", 0, nil, 0, 0},
		{"none", Evidence{}, "", 0, nil, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.e.Asked, tc.e.Finish = 64, "length"
			tally := Take(&tc.e)
			s := Look(t0, &tc.e, tally)
			if (s.Buffered == "") != (tc.buffered == "") || !strings.Contains(s.Buffered, tc.buffered) {
				t.Errorf("buffered: %q, want %q", s.Buffered, tc.buffered)
			}
			if got := rate(tally, s); tc.buffered == "" && (got < 0.99*tc.rate || got > 1.01*tc.rate) {
				t.Errorf("%.1f tokens a second, want %.1f", got, tc.rate)
			}
			if s.Coalesced != tc.coalesced {
				t.Errorf("%d coalesced, want %d", s.Coalesced, tc.coalesced)
			}
			var want []time.Duration
			if len(tc.gaps) > 0 {
				want = slices.Repeat([]time.Duration{time.Duration(tc.gaps[0] * float64(time.Millisecond))}, int(tc.gaps[1]))
			}
			if tc.pause > 0 {
				want = slices.Concat(slices.Repeat([]time.Duration{10 * time.Millisecond}, 15), []time.Duration{tc.pause},
					slices.Repeat([]time.Duration{10 * time.Millisecond}, 15))
			}
			if !slices.EqualFunc(s.Gaps, want, func(a, b time.Duration) bool { return (a - b).Abs() < 5*time.Microsecond }) {
				t.Errorf("gaps %v, want %v", s.Gaps, want)
			}
		})
	}
}

// The answer proper begins with what is no thought, unless that is but the end of one.
func TestFirstContent(t *testing.T) {
	thought := func(n int, all []Arrival) []Arrival {
		for i := range n {
			all[i].Content = false
		}
		return all
	}
	for _, c := range []struct {
		name string
		e    Evidence
		want float64 // milliseconds after t0; 0 for never
	}{
		{"no thought", Evidence{Arrivals: at(100, 110, 120), Asked: 3, Finish: "length"}, 100},
		{"one token", Evidence{Arrivals: at(100), Asked: 1, Finish: "length"}, 100},
		{"a thought, then the answer", Evidence{Arrivals: thought(2, at(100, 110, 120, 130)), Asked: 4, Finish: "length"}, 120},
		{"a thought that ended, and one token", Evidence{Arrivals: thought(2, at(100, 110, 120)), Asked: 9, Finish: "stop"}, 120},
		{"a thought cut off", Evidence{Arrivals: thought(2, at(100, 110, 120)), Asked: 3, Finish: "length"}, 0},
		{"nothing but thought", Evidence{Arrivals: thought(3, at(100, 110, 120)), Asked: 3, Finish: "length"}, 0},
		{"more than asked for", Evidence{Arrivals: thought(2, at(100, 110, 120)), Asked: 3, Extra: 5, Finish: "length"}, 120},
	} {
		var want time.Time
		if c.want > 0 {
			want = t0.Add(time.Duration(c.want * float64(time.Millisecond)))
		}
		if got := Look(t0, &c.e, Take(&c.e)).FirstContent; !got.Equal(want) {
			t.Errorf("%s: %v, want %v", c.name, got.Sub(t0), want.Sub(t0))
		}
	}
}
