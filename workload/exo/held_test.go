package exo

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// What makes an answer wait until it is whole and replays it is found by answers of different lengths, at whatever pace it
// replays them, and whatever the server says of itself; a server that is slow now and then is not taken for such.
func TestAnswersThatAreHeldBack(t *testing.T) {
	const prefill = 100 * ms
	type answer struct{ first, pace time.Duration }
	held := func(pace time.Duration) func(int, int) answer {
		return func(_, n int) answer { return answer{prefill + time.Duration(n-1)*tick, pace} }
	}
	slow := func(by time.Duration, which ...int) func(int, int) answer { // some requests, counted from 0
		return func(request, _ int) answer {
			a := answer{prefill, tick}
			for _, w := range which {
				if w == request {
					a.first += by
				}
			}
			return a
		}
	}
	const third = "the later the more tokens follow it (16 came after 250ms, 40 after 490ms, 64 after 730ms)"
	const timings = `,"timings":{"prompt_n":40,"prompt_per_second":400,"predicted_n":%d,"predicted_per_second":100}`
	for name, tc := range map[string]struct {
		of       func(request, n int) answer
		says     string // the server of itself
		prompts  []int  // tokens asked for, after a warm-up
		buffered []int  // which of them are found
		requests int
	}{
		"as it is made":                          {slow(0), "", []int{64, 64, 256}, nil, 4},
		"replayed faster than it was made":       {held(5 * ms), "", []int{64, 64, 256, 32}, []int{0, 1, 2, 3}, 6},
		"replayed as fast as it was made":        {held(tick), "", []int{64, 64}, []int{0, 1}, 4},
		"replayed more slowly than it was made":  {held(30 * ms), "", []int{64}, []int{0}, 3},
		"replayed, and the server says its own":  {held(9 * ms), timings, []int{64, 64}, []int{0, 1}, 4},
		"one answer is late":                     {slow(380*ms, 1), "", []int{64, 64}, nil, 4},
		"one answer is late, and so is the next": {slow(380*ms, 1, 2), "", []int{64, 64}, nil, 4},
		"one is later than a whole answer":       {slow(480*ms, 1), "", []int{64, 64}, nil, 3},
		"all are late but for the warm-up":       {slow(380*ms, 1, 2, 3, 4, 5), "", []int{64, 64, 256}, nil, 5},
		"the warm-up loads the model":            {slow(9*time.Second, 0), "", []int{64, 64, 256}, nil, 4},
		"a little later":                         {slow(140*ms, 1, 2, 3), "", []int{64, 64, 256}, nil, 4},
		"held back, of one length":               {held(5 * ms), "", []int{16, 16}, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n *fakeNode
				n = newFakeNode(t, map[string]http.HandlerFunc{pathV1: func(w http.ResponseWriter, r *http.Request) {
					all := n.prompts()
					tokens := all[len(all)-1].body.MaxTokens
					a := tc.of(len(all)-1, tokens)
					steps := []step{{a.first, tok("w ")}}
					for range tokens - 1 {
						steps = append(steps, step{a.pace, tok("w ")})
					}
					figures := useOf(40, tokens, 0)
					if tc.says != "" {
						figures += fmt.Sprintf(tc.says, tokens)
					}
					stream(nil, append(steps, step{0, data(`{}`, "length", figures) + doneEvent})...)(w, r)
				}})
				s := n.session(workload.DialectOpenAI, nil)
				warm := request(16)
				warm.Warmup = true
				if r := s.Measure(t.Context(), warm); !r.OK() {
					t.Fatalf("the warm-up: %s (%s)", r.Outcome, r.Err)
				}
				var found []int
				for i, tokens := range tc.prompts {
					r := s.Measure(t.Context(), request(tokens))
					switch {
					case r.Outcome == workload.OutcomeBuffered && strings.Contains(r.Err, third):
						found = append(found, i)
					case !r.OK():
						t.Errorf("prompt %d: %s (%s)", i, r.Outcome, r.Err)
					}
				}
				requests := len(n.prompts())
				if fmt.Sprint(found) != fmt.Sprint(tc.buffered) || requests != tc.requests {
					t.Errorf("%v are found by %d requests, want %v by %d", found, requests, tc.buffered, tc.requests)
				}
			})
		})
	}
}

// Longer prompts have their first token later, and what a cache knows earlier: neither is held back.
func TestWaitsThatDoNotCompare(t *testing.T) {
	short := wait{"p", 40, 16, 250 * ms, 10 * ms}
	for name, long := range map[string]wait{
		"a longer prompt":                    {"q", 90, 256, 2700 * ms, 10 * ms},
		"not twice the tokens":               {"p", 40, 31, 800 * ms, 10 * ms},
		"another prompt of unknown length":   {"q", 0, 256, 2650 * ms, 10 * ms},
		"later than the short one can be so": {"p", 40, 64, 2 * time.Second, 10 * ms},
		"as early":                           {"p", 40, 64, 250 * ms, 10 * ms},
		"tokens come too slowly for that":    {"p", 40, 64, 730 * ms, 41 * ms},
	} {
		if each, is := long.each(short); is {
			t.Errorf("%s: %v for each token", name, each)
		}
	}
	for name, long := range map[string]wait{
		"the same prompt":                  {"p", 0, 64, 730 * ms, 10 * ms},
		"a prompt as long":                 {"q", 40, 256, 2650 * ms, 10 * ms},
		"a prompt of some more tokens":     {"q", 60, 256, 2700 * ms, 10 * ms},
		"a prompt of which less was known": {"q", 12, 64, 700 * ms, 10 * ms},
	} {
		if _, is := long.each(short); !is {
			t.Errorf("%s does not compare", name)
		}
	}
}
