package exo

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

// An answer whose figures are those of the one before, to the last digit, was kept by something on the way. The rates of exo
// are those of a node that was asked the same again and again: it repeats that of a prompt which it finds in its cache.
func TestAnswersThatWereKept(t *testing.T) {
	const exoPrompt, one, other = 2904.6622579821874, 390.18116771972205, 270.74568852151407
	for name, tc := range map[string]struct {
		prompt, decode []float64 // rates by the node, one answer after the other
		ids            []string  // of the prompts
		kept           []int     // which are found
	}{
		"a node that is asked":     {[]float64{exoPrompt, 1332.896291018113}, []float64{one, other}, nil, nil},
		"exo, prompt in its cache": {[]float64{exoPrompt, exoPrompt, exoPrompt}, []float64{one, other, 371.0514}, nil, nil},
		"kept by something":        {[]float64{exoPrompt, exoPrompt, exoPrompt}, []float64{one, one, one}, nil, []int{1, 2}},
		"kept, then asked":         {[]float64{exoPrompt, exoPrompt, 2800.5}, []float64{one, one, 388.12345678}, nil, []int{1}},
		"kept, without the rate of a prompt": {
			[]float64{0, 0}, []float64{47.983461234, 47.983461234}, nil, []int{1},
		},
		"rounded":               {[]float64{400, 400}, []float64{100, 100}, nil, nil},
		"rounded to two places": {[]float64{400.25, 400.25}, []float64{48.52, 48.52}, nil, nil},
		"another prompt":        {[]float64{exoPrompt, exoPrompt}, []float64{one, one}, []string{"p", "q"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{})
				s := n.session(workload.DialectOpenAI, nil)
				var kept []int
				for i, decode := range tc.decode {
					timings := fmt.Sprintf(`,"timings":{"prompt_n":40,"prompt_per_second":%v,"predicted_n":32,"predicted_per_second":%v}`,
						tc.prompt[i], decode)
					end := step{0, data(`{}`, "length", useOf(40, 32, 0)+timings) + doneEvent}
					n.set(pathV1, stream(nil, append(spoken(32, aWord), end)...))
					r := request(32)
					if tc.ids != nil {
						r.Prompt.ID = tc.ids[i]
					}
					switch res := s.Measure(t.Context(), r); {
					case res.Outcome == workload.OutcomeBuffered && strings.Contains(res.Err, "to the last digit"):
						kept = append(kept, i)
					case !res.OK():
						t.Errorf("answer %d: %s (%s)", i, res.Outcome, res.Err)
					}
				}
				if fmt.Sprint(kept) != fmt.Sprint(tc.kept) {
					t.Errorf("found %v, want %v", kept, tc.kept)
				}
			})
		})
	}
}

// What is remembered of answers is bounded.
func TestFiguresAreBounded(t *testing.T) {
	c := newFakeNode(t, nil).client(nil)
	for i := range 3 * maxFigures {
		if c.repeats(question{"m", fmt.Sprint(i), 1}, workload.ServerStats{GenerationTPS: 1.23456789}) {
			t.Fatal("a new question was asked before")
		}
	}
	if len(c.figures) > maxFigures {
		t.Errorf("%d are remembered", len(c.figures))
	}
}
