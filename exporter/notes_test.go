package exporter

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

func TestNotes(t *testing.T) {
	with := func(prompt string, change func(*workload.Result)) workload.Result {
		r := okResult("m", prompt)
		change(&r)
		return r
	}
	results := []workload.Result{
		okResult("m", "fine"),
		failedResult("m", "b1", workload.OutcomeBuffered),
		failedResult("m", "t1", workload.OutcomeTruncated),
		failedResult("m", "b2", workload.OutcomeBuffered),
		with("busy", func(r *workload.Result) { r.Contended = true }),
		with("slept", func(r *workload.Result) { r.Starved, r.Stalled = true, 3200*time.Microsecond }),
		with("doubled", func(r *workload.Result) { r.Server = &workload.ServerStats{GenerationTPS: 50, GenerationTokens: 5} }),
		with("absurd", func(r *workload.Result) { r.Disbelieved = []string{"completion_tokens -1", "prompt_tokens 1e9"} }),
		with("late", func(r *workload.Result) { r.DecodeOff = -7123 * time.Microsecond }),
		with("clumps", func(r *workload.Result) { r.Coalesced = 3 }),
		with("long", func(r *workload.Result) { r.Overran = true }),
	}
	for i := range 6 {
		results = append(results, with(fmt.Sprint("short", i), func(r *workload.Result) { r.AskedTokens = 32 }))
	}
	want := []string{
		"truncated: t1",
		"buffered: b1, b2",
		"contended (other people's work ran), so nothing is taken from: busy",
		"starved (the exporter was kept from running), so nothing is taken from: slept (3ms)",
		"client's and server's decode rate disagree in: doubled (100.0 and 50.0 tok/s)",
		"no decode rate, because the exporter was late to read one end of: late (by 7.1ms)",
		"the server says what cannot be true, and was not believed, in: absurd (completion_tokens -1, prompt_tokens 1e9)",
		"answers shorter than asked for: short0 (5 of 32 tokens), short1 (5 of 32 tokens), short2 (5 of 32 tokens), " +
			"short3 (5 of 32 tokens), 2 more",
		"answers longer than asked for, of which the rest was not measured: long (more than 5 tokens)",
		"token events came in clumps: 3 of 60 shared a read with the one before",
	}
	turn := turnOf("llama-3.2-1b", workload.TurnPartial, results...)
	if got := Summarize(turn).Notes; !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	few := with("few", func(r *workload.Result) { r.TokenEvents, r.Coalesced = 61, 3 })
	if got := Summarize(turnOf("m", workload.TurnOK, okResult("m", "fine"), few)).Notes; len(got) != 0 {
		t.Errorf("of a turn without anything to note: %q", got)
	}
	s := NewStore(testOptions())
	s.TurnDone(turn)
	expectPage(t, showPage(t, s), []string{"short0 (5 of 32 tokens)", "buffered: b1, b2", "100.0 and 50.0 tok/s"}, nil)
}

// What is said of answers, with no more names than a note holds.
func TestAnswerNotes(t *testing.T) {
	asked := func(right int, wrong ...string) *workload.Asked {
		return &workload.Asked{Version: "c", Right: right, Of: 10, Wrong: wrong}
	}
	worse := func(by workload.Yardstick) []workload.Quality { return []workload.Quality{{By: by, Worse: true}} }
	short := &workload.Signs{Characters: 2, Foreign: 1}
	for name, tc := range map[string]struct {
		turn workload.Turn
		want []string
	}{
		"few are right": {
			answering("", nil, asked(4, "a", "b", "c", "d", "e", "f")),
			[]string{"4 of 10 questions with known answers were answered rightly; wrongly: a, b, c, d, 2 more"},
		},
		"worse than usual": {
			answering("", nil, asked(7, "a", "b", "c"), worse(workload.ByCanary)...),
			[]string{"7 of 10 questions with known answers were answered rightly; wrongly: a, b, c"},
		},
		"right again, and called worse still": {
			answering("", nil, asked(10), worse(workload.ByCanary)...),
			[]string{"10 of 10 questions with known answers were answered rightly"},
		},
		"nonsense": {
			answering("", &workload.Signs{Characters: 99, Garbled: 1}, nil), []string{"answers look like nonsense: p (garbled)"},
		},
		"few are right, as usual": {
			answering("", nil, asked(4, "a"), workload.Quality{By: workload.ByCanary, Now: 0.4, Usual: 0.4}), nil,
		},
		"fewer are right than the few that usually are": {
			answering("", nil, asked(3, "a"), workload.Quality{By: workload.ByCanary, Now: 0.3, Usual: 0.4}),
			[]string{"3 of 10 questions with known answers were answered rightly; wrongly: a"},
		},
		"few are right, and what is usual is not known": {
			answering("", nil, asked(4, "a"), workload.Quality{By: workload.ByCanary, Now: 0.4, Learning: true}),
			[]string{"4 of 10 questions with known answers were answered rightly; wrongly: a"},
		},
		"nonsense, as usual": {
			answering("", &workload.Signs{Characters: 99, Garbled: 1}, nil, workload.Quality{By: workload.BySigns}), nil,
		},
		"none now, and called worse still": {answering("", short, nil, worse(workload.BySigns)...), nil},
		"no verdict": {
			answering("", nil, &workload.Asked{Reason: "busy"}), []string{"no verdict on its answers to questions: busy"},
		},
	} {
		if got := answerNotes(tc.turn); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
