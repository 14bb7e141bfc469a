package answer

import (
	"slices"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// came makes the arrivals of n events a tick apart, from 100 ms on, each with a word of five bytes.
func came(n int) []Arrival {
	arrivals := make([]Arrival, n)
	for i := range arrivals {
		arrivals[i] = Arrival{At: t0.Add(100*time.Millisecond + time.Duration(i)*tick), Read: i + 1, Content: true, Size: 5}
	}
	return arrivals
}

const tick = 10 * time.Millisecond

var t0 = time.Unix(1, 0)

// change returns arrivals with f applied to each.
func change(arrivals []Arrival, f func(i int, a *Arrival)) []Arrival {
	for i := range arrivals {
		f(i, &arrivals[i])
	}
	return arrivals
}

// How the tokens of an answer are counted, by what servers do.
func TestTake(t *testing.T) {
	type want struct {
		output, first, silent int
		source                workload.TokenSource
		steps                 []int // nil: not known
		overran, mismatch     bool
		disbelieved           int
	}
	const usage, stats, events, unknown = workload.TokensFromUsage, workload.TokensFromStats, workload.TokensFromEvents, workload.TokensUnknown
	each := func(n, k int) []int { return slices.Repeat([]int{k}, n) }
	thoughts := func(n, of int) []Arrival {
		return change(came(of), func(i int, a *Arrival) { a.Content = i >= n })
	}
	cut := func(n int, cuts ...Cut) []Arrival { // in turn
		return change(came(n), func(i int, a *Arrival) { a.Cut = cuts[i%len(cuts)] })
	}
	spread := func(n int) []Arrival { // in pairs, as where two pieces of a token come
		return change(came(n), func(i int, a *Arrival) {
			a.At = t0.Add(100*time.Millisecond + time.Duration(i/2)*2*tick + time.Duration(i%2)*time.Millisecond)
		})
	}
	paused := func(n int, by time.Duration) []Arrival { // before the fifth
		return change(came(n), func(i int, a *Arrival) {
			if i >= 4 {
				a.At = a.At.Add(by)
			}
		})
	}
	running := func(n, k int) []Arrival {
		return change(came(n), func(i int, a *Arrival) { a.Told, a.Size = k*(i+1), 5*k })
	}
	for _, tc := range []struct {
		name string
		e    Evidence
		want want
	}{
		{
			"an event is a token, and usage says so",
			Evidence{Asked: 32, Arrivals: came(32), Usage: Usage{Prompt: 40, Completion: 32}, Finish: "length"},
			want{output: 32, first: 1, source: usage, steps: each(32, 1)},
		},
		{
			"nothing but events",
			Evidence{Asked: 32, Arrivals: came(20), Finish: "stop"},
			want{output: 20, first: 1, source: events, steps: each(20, 1)},
		},
		{
			"exo's own count where usage is missing",
			Evidence{Asked: 32, Arrivals: came(4), Stats: Stats{Generation: 4}, Finish: "length"},
			want{output: 4, first: 1, source: stats, steps: each(4, 1)},
		},
		{
			"usage beyond what was asked for",
			Evidence{Asked: 32, Arrivals: came(32), Usage: Usage{Completion: 1_000_000}, Finish: "length"},
			want{output: 32, first: 1, source: events, steps: each(32, 1), mismatch: true, disbelieved: 1},
		},
		{
			"usage that cannot be a number of tokens",
			Evidence{Asked: 32, Arrivals: came(8), Usage: Usage{Completion: Unbelievable, Prompt: Unbelievable}},
			want{output: 8, first: 1, source: events, steps: each(8, 1), disbelieved: 2},
		},
		{
			"usage of each chunk only, the last of which has one",
			Evidence{
				Asked: 32, Arrivals: change(came(32), func(_ int, a *Arrival) { a.Told = 1 }), Usage: Usage{Completion: 1}, Finish: "length",
			},
			want{output: 32, first: 1, source: usage, steps: each(32, 1), mismatch: true},
		},
		{
			"usage of each chunk only, of four tokens",
			Evidence{
				Asked: 32, Arrivals: change(came(8), func(_ int, a *Arrival) { a.Told = 4 }), Usage: Usage{Completion: 4}, Finish: "length",
			},
			want{output: 32, first: 4, source: usage, steps: each(8, 4), mismatch: true},
		},
		{
			"usage that runs along",
			Evidence{Asked: 32, Arrivals: running(32, 1), Usage: Usage{Completion: 32}, Finish: "length"},
			want{output: 32, first: 1, source: usage, steps: each(32, 1)},
		},
		{
			"four tokens an event, usage runs along",
			Evidence{Asked: 32, Arrivals: running(8, 4), Usage: Usage{Completion: 32}, Finish: "length"},
			want{output: 32, first: 4, source: usage, steps: each(8, 4), mismatch: true},
		},
		{
			"four tokens an event, usage at the end",
			Evidence{Asked: 32, Arrivals: came(8), Usage: Usage{Completion: 32}, Finish: "length"},
			want{output: 32, first: 4, source: usage, mismatch: true},
		},
		{
			"one token first, then several an event",
			Evidence{
				Asked: 33, Arrivals: change(
					came(9), func(i int, a *Arrival) { a.Size = 20 - 15*(1-min(i, 1)) },
				), Usage: Usage{Completion: 33}, Finish: "length",
			},
			want{output: 33, first: 1, source: usage, mismatch: true},
		},
		{
			"some tokens have no text of their own",
			Evidence{Asked: 600, Arrivals: came(591), Usage: Usage{Completion: 600}, Finish: "length"},
			want{output: 600, first: 1, source: usage, steps: each(591, 1), mismatch: true},
		},
		{
			"the end token is counted and not sent",
			Evidence{Asked: 32, Arrivals: came(4), Usage: Usage{Completion: 5}, Finish: "stop"},
			want{output: 5, first: 1, silent: 1, source: usage, steps: each(4, 1), mismatch: true},
		},
		{
			"the end token came as an event of its own, and another token without any",
			Evidence{Asked: 32, Arrivals: came(4), Usage: Usage{Completion: 5}, Finish: "stop", Ended: true},
			want{output: 5, first: 1, source: usage, mismatch: true},
		},
		{
			"an answer that was cut off has no end token",
			Evidence{Asked: 5, Arrivals: came(4), Usage: Usage{Completion: 5}, Finish: "length"},
			want{output: 5, first: 1, source: usage, mismatch: true},
		},
		{
			"thoughts are sent but left out of the count",
			Evidence{
				Asked: 32, Arrivals: thoughts(16, 32), Usage: Usage{Prompt: 40, Completion: 16, Total: 72, Reasoning: 16}, Finish: "length",
			},
			want{output: 32, first: 1, source: usage, steps: each(32, 1), mismatch: true},
		},
		{
			"thoughts are sent, and nothing but their own count tells",
			Evidence{
				Asked: 32, Arrivals: thoughts(16, 32), Usage: Usage{Prompt: 40, Completion: 16, Reasoning: 16}, Finish: "length",
			},
			want{output: 32, first: 1, source: usage, steps: each(32, 1), mismatch: true},
		},
		{
			"thoughts are counted but never sent",
			Evidence{
				Asked: 200, Arrivals: came(32), Usage: Usage{Prompt: 40, Completion: 132, Total: 172, Reasoning: 100}, Finish: "length",
			},
			want{output: 132, first: 101, source: usage, steps: each(32, 1), mismatch: true},
		},
		{
			"thoughts are counted but never sent, in the middle",
			Evidence{
				Asked: 32, Arrivals: change(came(16), func(i int, a *Arrival) {
					if i >= 8 {
						a.At = a.At.Add(16 * tick)
					}
				}), Usage: Usage{Completion: 32, Reasoning: 16}, Finish: "length",
			},
			want{output: 32, first: 1, source: usage, steps: slices.Concat(each(8, 1), []int{17}, each(7, 1)), mismatch: true},
		},
		{
			"thoughts are neither sent nor counted",
			Evidence{
				Asked: 32, Arrivals: came(32), Usage: Usage{Prompt: 40, Completion: 32, Total: 172, Reasoning: 100}, Finish: "length",
			},
			want{output: 32, first: 1, source: usage, steps: each(32, 1)},
		},
		{
			"the server goes on past what was asked for",
			Evidence{Asked: 32, Arrivals: came(32), Extra: 168, Usage: Usage{Completion: 200}, Finish: "length"},
			want{output: 32, first: 1, source: events, steps: each(32, 1), overran: true},
		},
		{
			"a count that holds the prompt",
			Evidence{Asked: 200, Arrivals: came(32), Usage: Usage{Prompt: 40, Completion: 72, Total: 72}, Finish: "length"},
			want{output: 32, first: 1, source: usage, steps: each(32, 1), mismatch: true},
		},
		{
			"likewise, without a total",
			Evidence{Asked: 200, Arrivals: came(32), Usage: Usage{Prompt: 40, Completion: 72}, Finish: "length"},
			want{output: 32, first: 1, source: usage, steps: each(32, 1), mismatch: true},
		},
		{
			"a count of nothing beside a total that counts",
			Evidence{Asked: 32, Arrivals: came(8), Usage: Usage{Prompt: 40, Total: 72}, Finish: "length"},
			want{output: 32, first: 4, source: usage},
		},
		{
			"a count that the text cannot be",
			Evidence{
				Asked: 500, Arrivals: change(came(16), func(_ int, a *Arrival) { a.Size = 1 }), Usage: Usage{Completion: 500}, Finish: "stop",
			},
			want{output: 16, first: 1, source: events, steps: each(16, 1), mismatch: true, disbelieved: 1},
		},
		{
			"a count told in the midst, of the events so far",
			Evidence{Asked: 32, Arrivals: spread(32), Usage: Usage{Completion: 16}, counted: 16, Finish: "length"},
			want{output: 32, first: 1, source: events, steps: each(32, 1)},
		},
		{
			"a count told in the midst, of which the node's own last word is less",
			Evidence{Asked: 32, Arrivals: spread(32), Usage: Usage{Completion: 16}, counted: 32, Finish: "length"},
			want{output: 16, first: 1, source: usage, mismatch: true},
		},
		{
			"a count told in advance",
			Evidence{Asked: 32, Arrivals: came(16), Usage: Usage{Completion: 32}, counted: 1, Finish: "length"},
			want{output: 32, first: 2, source: usage, mismatch: true},
		},
		{
			"a count told before the last two events",
			Evidence{Asked: 32, Arrivals: came(32), Usage: Usage{Completion: 32}, counted: 30, Finish: "length"},
			want{output: 32, first: 1, source: usage, steps: each(32, 1)},
		},
		{
			"several tokens an event, which nobody counts",
			Evidence{Asked: 32, Arrivals: change(came(8), func(_ int, a *Arrival) { a.Size = 20 }), Finish: "length"},
			want{output: 8, first: 1, silent: 8, source: unknown, disbelieved: 1},
		},
		{
			"two words an event, which nobody counts",
			Evidence{Asked: 32, Arrivals: cut(16, Letter|Between, 0), Finish: "length"},
			want{output: 16, first: 1, silent: 16, source: unknown, disbelieved: 1},
		},
		{
			"two words an event, which the node counts",
			Evidence{Asked: 32, Arrivals: cut(16, Letter|Between, 0), Usage: Usage{Completion: 32}, Finish: "length"},
			want{output: 32, first: 2, source: usage, mismatch: true},
		},
		{
			"words apart from the spaces before them, which nobody counts",
			Evidence{Asked: 64, Arrivals: cut(64, Space, Letter), Finish: "length"},
			want{output: 64, first: 1, silent: 64, source: unknown, disbelieved: 1},
		},
		{
			"numbers, of which each has a token before it that is a space",
			Evidence{Asked: 64, Arrivals: cut(64, Space, 0), Finish: "length"},
			want{output: 64, first: 1, source: events, steps: each(64, 1)},
		},
		{
			"two events of two words by accident",
			Evidence{Asked: 40, Arrivals: append(cut(2, Between, Between), came(40)[2:]...), Finish: "length"},
			want{output: 40, first: 1, source: events, steps: each(40, 1)},
		},
		{
			"too few events to tell",
			Evidence{Asked: 32, Arrivals: cut(3, Between, Between), Finish: "stop"},
			want{output: 3, first: 1, source: events, steps: each(3, 1)},
		},
		{
			"more events than tokens were asked for, each of two words",
			Evidence{Asked: 32, Arrivals: cut(32, Between, Between), Extra: 40, Finish: "length"},
			want{output: 32, first: 1, silent: 32, source: unknown, overran: true, disbelieved: 1},
		},
		{
			"more events than tokens were asked for, which are pieces of words",
			Evidence{
				Asked: 32, Arrivals: change(cut(32, Open, Letter|Open), func(_ int, a *Arrival) { a.Size = 2 }), Extra: 40, Finish: "length",
			},
			want{output: 32, first: 1, silent: 32, source: unknown, disbelieved: 1},
		},
		{
			"two events more than tokens were asked for, which nobody counts",
			Evidence{Asked: 32, Arrivals: came(32), Extra: 2, Finish: "length"},
			want{output: 32, first: 1, source: events, steps: each(32, 1)},
		},
		{
			"a head before events of two words, which nobody counts",
			Evidence{Asked: 8, Sent: t0, Arrivals: append([]Arrival{{At: t0, Size: 7}}, cut(8, 0, Between)[:7]...), Extra: 1, Finish: "length"},
			want{output: 7, first: 1, silent: 7, source: unknown, mismatch: true, disbelieved: 1},
		},
		{
			"a head that a template puts before the answer",
			Evidence{
				Asked: 32, Sent: t0, Arrivals: append([]Arrival{{At: t0, Size: 7}}, came(31)...), Extra: 1, Usage: Usage{Completion: 32},
				Finish: "length",
			},
			want{output: 32, first: 1, silent: 1, source: usage, steps: each(31, 1), mismatch: true},
		},
		{
			"one event more than the node counts, and no head",
			Evidence{Asked: 32, Sent: t0, Arrivals: came(32), Usage: Usage{Completion: 31}, Finish: "length"},
			want{output: 32, first: 1, source: events, steps: each(32, 1), mismatch: true},
		},
		{
			"two events more than tokens were asked for, which the node does not count",
			Evidence{Asked: 32, Arrivals: came(32), Extra: 2, Usage: Usage{Completion: 32}, Finish: "length"},
			want{output: 32, first: 1, source: usage, mismatch: true},
		},
		{
			"twice as many events as tokens",
			Evidence{Asked: 32, Arrivals: came(32), Extra: 32, Usage: Usage{Completion: 32}, Finish: "length"},
			want{output: 32, first: 1, silent: 16, source: usage, mismatch: true},
		},
		{
			"likewise, and does not count",
			Evidence{Asked: 32, Arrivals: came(32), Extra: 3},
			want{output: 32, first: 1, source: events, steps: each(32, 1), overran: true},
		},
		{
			"likewise, with four tokens an event",
			Evidence{Asked: 32, Arrivals: came(32), Extra: 18, Usage: Usage{Completion: 200}, Finish: "length"},
			want{output: 32, first: 4, source: events, steps: each(8, 4), overran: true, mismatch: true},
		},
		{
			"likewise, as a usage shows that runs along",
			Evidence{Asked: 32, Arrivals: running(16, 4), Usage: Usage{Completion: 64}, Finish: "length"},
			want{output: 32, first: 4, source: events, steps: each(8, 4), overran: true, mismatch: true},
		},
		{
			"several events in the first read",
			Evidence{
				Asked: 32, Arrivals: change(came(32), func(i int, a *Arrival) { a.Read = max(i, 4) }), Usage: Usage{Completion: 32}, Finish: "length",
			},
			want{output: 32, first: 5, source: usage, steps: each(32, 1)},
		},
		{
			"one document, no event",
			Evidence{Asked: 32, Usage: Usage{Prompt: 40, Completion: 32}, Finish: "length"},
			want{output: 32, source: usage},
		},
		{
			"one document that says too much",
			Evidence{Asked: 32, Stats: Stats{Generation: 33}, Finish: "length"},
			want{disbelieved: 1},
		},
		{
			"nothing was asked for that bounds the answer",
			Evidence{Arrivals: came(4), Usage: Usage{Completion: 16}},
			want{output: 16, first: 4, source: usage, mismatch: true},
		},
		{
			"thoughts that were sent are not hidden ones",
			Evidence{Asked: 32, Arrivals: thoughts(3, 8), Usage: Usage{Completion: 20, Reasoning: 5}, Finish: "length"},
			want{output: 25, first: 3, source: usage, mismatch: true},
		},
		{
			"a total that holds the thoughts which the count leaves out",
			Evidence{Asked: 32, Arrivals: thoughts(5, 8), Usage: Usage{Prompt: 10, Completion: 6, Total: 30}, Finish: "length"},
			want{output: 20, first: 3, source: usage, mismatch: true},
		},
		{
			"a pause that is too short for the hidden thoughts",
			Evidence{Asked: 256, Arrivals: paused(9, 400*time.Millisecond), Usage: Usage{Completion: 109, Reasoning: 100}, Finish: "length"},
			want{output: 109, first: 101, source: usage, steps: each(9, 1), mismatch: true},
		},
		{
			"a pause that is none",
			Evidence{Asked: 256, Arrivals: paused(9, 5*time.Millisecond), Usage: Usage{Completion: 11, Reasoning: 2}, Finish: "length"},
			want{output: 11, first: 3, source: usage, steps: each(9, 1), mismatch: true},
		},
		{"nothing at all", Evidence{Asked: 32, Finish: "stop"}, want{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Take(&tc.e)
			if got.Output != tc.want.output || got.First != tc.want.first || got.Silent != tc.want.silent || got.Source != tc.want.source {
				t.Errorf("%d tokens by %q, %d of them first, %d silent; want %+v", got.Output, got.Source, got.First, got.Silent, tc.want)
			}
			if got.Overran != tc.want.overran || got.Mismatch != tc.want.mismatch || len(got.Disbelieved) != tc.want.disbelieved {
				t.Errorf("overran %v, mismatch %v, disbelieved %v; want %+v", got.Overran, got.Mismatch, got.Disbelieved, tc.want)
			}
			if !slices.Equal(got.Steps, tc.want.steps) {
				t.Errorf("steps %v, want %v", got.Steps, tc.want.steps)
			}
		})
	}
}

// The prompt has as many tokens as the node says, where that can be.
func TestPromptTokens(t *testing.T) {
	for name, tc := range map[string]struct {
		e         Evidence
		n, cached int
		odd       bool
	}{
		"usage":                {Evidence{Prompt: 100, Usage: Usage{Prompt: 100, Cached: 40}, Stats: Stats{Prompt: 7}}, 100, 40, false},
		"stats where no usage": {Evidence{Prompt: 100, Stats: Stats{Prompt: 30, Cached: 3}}, 30, 3, false},
		"more than there is":   {Evidence{Prompt: 100, Usage: Usage{Prompt: 101, Cached: 3}}, 0, 0, true},
		"no bound is known":    {Evidence{Usage: Usage{Prompt: 101}}, 101, 0, false},
		"more cached than all": {Evidence{Usage: Usage{Prompt: 10, Cached: 11}}, 10, 10, false},
	} {
		if n, cached := tc.e.PromptTokens(); n != tc.n || cached != tc.cached {
			t.Errorf("%s: %d tokens, %d cached, want %d and %d", name, n, cached, tc.n, tc.cached)
		}
		if odd := tc.e.disbelieved(); slices.Contains(odd, "prompt tokens") != tc.odd {
			t.Errorf("%s: disbelieved %v", name, odd)
		}
	}
}

// What is told later replaces what was told before, but zeros replace nothing.
func TestEvidenceKeepsWhatWasTold(t *testing.T) {
	e := Evidence{Asked: 2}
	e.Add(Event{Usage: Usage{Prompt: 40}}, None)
	e.Add(Event{Usage: Usage{Completion: 1}, Stats: Stats{GenerationTPS: 50}}, Content)
	e.Add(Event{Usage: Usage{Completion: 2}, Finish: "length"}, Before)
	e.Add(Event{}, Content)
	e.Add(Event{Usage: Usage{Cached: 3}}, None)
	if want := (Usage{Prompt: 40, Completion: 2, Cached: 3}); e.Usage != want || e.Stats.GenerationTPS != 50 || e.Finish != "length" {
		t.Errorf("usage %+v, stats %+v, finish %q", e.Usage, e.Stats, e.Finish)
	}
	if len(e.Arrivals) != 2 || e.Extra != 1 || e.Events() != 3 || !e.Arrivals[0].Content || e.Arrivals[1].Content || e.Arrivals[1].Told != 2 {
		t.Errorf("arrivals %+v and %d more", e.Arrivals, e.Extra)
	}
}

// exo sends the end token as an event, which has no text; others only say that it came.
func TestEndTokenIsSeen(t *testing.T) {
	for name, tc := range map[string]struct {
		last Event
		kind Token
		want bool
	}{
		"a token without text, as exo's": {Event{Finish: "stop", Delta: Delta{Content: Empty}}, Content, true},
		"text beside the reason":         {Event{Finish: "stop", Delta: Delta{Content: Filled, Size: 3}}, Content, false},
		"the reason alone":               {Event{Finish: "stop", Delta: Delta{Content: Empty}}, None, false},
		"a token in mid-answer":          {Event{Delta: Delta{Content: Empty}}, Content, false},
	} {
		var e Evidence
		e.Add(tc.last, tc.kind)
		if e.Ended != tc.want {
			t.Errorf("%s: the end token was seen: %v", name, e.Ended)
		}
	}
}
