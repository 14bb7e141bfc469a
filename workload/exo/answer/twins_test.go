package answer

import (
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// say gives events what they say, as digits.
func say(arrivals []Arrival, words func(i int) uint64) []Arrival {
	return change(arrivals, func(i int, a *Arrival) { a.Print = words(i) })
}

// Events that came twice, and what looks like it. The model makes 100 tokens a second.
func TestSingle(t *testing.T) {
	twice := func(i int) uint64 { return uint64(i/2 + 1) }
	pairs := func(n int, apart float64) []Arrival { // n tokens, each sent again so many milliseconds later
		var ms []float64
		for i := range n {
			ms = append(ms, 100+10*float64(i), 100+10*float64(i)+apart)
		}
		return say(at(ms...), twice)
	}
	add := func(asked, told int, all []Arrival) Evidence { // as they come
		e := Evidence{Asked: asked, Usage: Usage{Completion: Count(told)}, Finish: "length"}
		for _, a := range all {
			e.Add(Event{At: a.At, Read: a.Read, Delta: Delta{Size: a.Size, Print: a.Print}}, Content)
		}
		return e
	}
	for _, tc := range []struct {
		name   string
		e      Evidence
		twins  bool
		output int
		rate   float64
	}{
		{"each event twice, half as many counted", add(64, 16, pairs(16, 0)), true, 16, 100},
		{"in reads of their own", add(64, 16, pairs(16, 0.4)), true, 16, 100},
		{"nobody counts", add(64, 0, pairs(16, 0)), true, 16, 100},
		{"nobody counts, and more events than tokens were asked for", add(16, 0, pairs(16, 0)), true, 16, 100},
		{"more events than tokens were asked for, and counted", add(16, 16, pairs(16, 0)), true, 16, 100},
		{"twice as long as asked for, and each event twice", add(8, 16, pairs(16, 0)), true, 8, 100},
		{"the end is counted", add(64, 17, pairs(16, 0)), true, 17, 1600.0 / 15},
		{"as many counted as came", add(64, 32, say(at(every(32, 100, 10)...), twice)), false, 32, 100},
		{"nobody counts, and what is the same came a token's time apart", add(64, 0, say(at(every(32, 100, 10)...), twice)), false, 32, 100},
		{
			"a model that says one word only, several at once",
			add(64, 0, say(pairs(16, 0), func(int) uint64 { return 7 })),
			false, 32, 200,
		},
		{
			"a model that says most words twice",
			add(64, 0, say(pairs(16, 0), func(i int) uint64 { return uint64(i/2 + 1 + i/31) })),
			false, 32, 200,
		},
		{"words that say nothing", add(64, 0, say(pairs(16, 0), func(int) uint64 { return 0 })), false, 32, 200},
		{"few words", add(64, 0, pairs(3, 0)), false, 6, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, twins := tc.e.Single()
			tally := Take(e)
			if twins != tc.twins || tally.Output != tc.output {
				t.Errorf("twins %v, %d tokens; want %v, %d", twins, tally.Output, tc.twins, tc.output)
			}
			if got := rate(tally, Look(t0, e, tally)); got < tc.rate*0.97 || got > tc.rate*1.2 {
				t.Errorf("%.1f tokens a second, want %.1f", got, tc.rate)
			}
		})
	}
}

// An answer of more events than its node counts tokens, all within what was asked for, at 100 events a second.
func TestFewerTokensThanEvents(t *testing.T) {
	sized := func(size int) []Arrival { return change(came(32), func(_ int, a *Arrival) { a.Size = size }) }
	for _, tc := range []struct {
		name string
		e    Evidence
		told int
		rate float64
	}{
		{"nothing tells that an event is less", Evidence{Arrivals: sized(5)}, 16, 100},
		{"the node's own rate is that of its count", Evidence{Arrivals: sized(5), Stats: Stats{GenerationTPS: 49}}, 16, 100},
		{"the node's own rate is that of the events", Evidence{Arrivals: sized(1), Stats: Stats{GenerationTPS: 101}}, 8, 100},
		{"text that was cut into single characters", Evidence{Arrivals: sized(1)}, 8, 25},
		{"words that were cut in two, which came evenly", Evidence{Arrivals: change(sized(2), func(i int, a *Arrival) {
			a.Cut = []Cut{Open, Letter | Open}[i%2]
		})}, 16, 50},
		{"words that each have two tokens", Evidence{Arrivals: change(sized(5), func(i int, a *Arrival) {
			a.Cut = []Cut{Open, Letter | Open}[i%2]
		})}, 4, 100},
		{"each event four times", Evidence{Arrivals: say(sized(5), func(i int) uint64 { return uint64(i/4 + 1) })}, 8, 25},
		{"each event twice, but for the first", Evidence{Arrivals: say(sized(5), func(i int) uint64 { return uint64((i+1)/2 + 1) })}, 17, 52},
		{"one word only", Evidence{Arrivals: say(sized(5), func(int) uint64 { return 7 })}, 16, 100},
		{"one word only, each event twice", Evidence{Arrivals: say(change(sized(5), func(i int, a *Arrival) {
			a.Read, a.At = i/2+1, t0.Add(100*time.Millisecond+time.Duration(i/2)*2*tick)
		}), func(int) uint64 { return 7 })}, 16, 50},
		{"words that were cut in two, which came one after the other", Evidence{Arrivals: change(sized(5), func(i int, a *Arrival) {
			a.At = t0.Add(100*time.Millisecond + time.Duration(i/2)*2*tick + time.Duration(i%2)*tick/4)
		})}, 16, 50},
		{"a beginning that was sent again at the end", Evidence{Arrivals: change(sized(5), func(i int, a *Arrival) {
			a.At = t0.Add(100*time.Millisecond + time.Duration(min(i, 24))*31*tick/24)
		})}, 25, 78},
		{"a stall, after which what had waited came at once", Evidence{Arrivals: change(sized(5), func(i int, a *Arrival) {
			if i > 8 && i < 21 {
				a.At = t0.Add(100*time.Millisecond + 21*tick - time.Duration(21-i)*tick/100)
			}
		})}, 20, 100},
		{"two stalls", Evidence{Arrivals: change(sized(5), func(i int, a *Arrival) {
			if i%12 > 5 {
				a.At = t0.Add(100*time.Millisecond + time.Duration(i/12*12+11)*tick + time.Duration(i%12)*tick/100)
			}
		})}, 21, 100},
		{"gaps that differ", Evidence{Arrivals: change(sized(5), func(i int, a *Arrival) {
			a.At = a.At.Add(time.Duration(i*7%11) * tick / 15)
		})}, 16, 100},
		{"more text than so few tokens hold", Evidence{Arrivals: sized(5)}, 4, 100},
		{"a few that stray", Evidence{Arrivals: sized(1)}, 29, 100},
		{
			"thoughts that are left out",
			Evidence{Arrivals: change(sized(1), func(i int, a *Arrival) { a.Content = i >= 16 })},
			16, 100,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.e.Asked, tc.e.Finish, tc.e.Usage = 64, "length", Usage{Completion: Count(tc.told)}
			tally := Take(&tc.e)
			r := workload.Result{
				Timed: true, OutputTokens: tally.Output, FirstTokens: tally.First, SilentTokens: tally.Silent, Decode: 31 * tick,
			}
			got, ok := r.DecodeRate()
			if !ok || got < tc.rate*0.9 || got > tc.rate*1.1 {
				t.Errorf("%.1f tokens a second, want %.1f: %+v", got, tc.rate, tally)
			}
			if !tally.Mismatch {
				t.Error("the mismatch is not said")
			}
			if err := (workload.Result{
				Outcome: workload.OutcomeOK, Timed: true, TTFT: tick, E2E: time.Second, OutputTokens: tally.Output, FirstTokens: tally.First,
				SilentTokens: tally.Silent, TokenEvents: tally.Measured, Decode: 31 * tick,
			}).Check(workload.Prompt{MaxTokens: 64}); err != nil {
				t.Error(err)
			}
		})
	}
}
