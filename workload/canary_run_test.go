package workload

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// askedNode is a fakeNode that can be asked questions.
type askedNode struct {
	*fakeNode
	ask   func(ctx context.Context, r Request) Result
	asked []Request
	until []time.Time
}

func (n *askedNode) Open(ctx context.Context, m Model) (Session, error) {
	s, err := n.fakeNode.Open(ctx, m)
	if err != nil {
		return nil, err
	}
	return askedSession{s.(*fakeSession), n}, nil
}

type askedSession struct {
	*fakeSession
	n *askedNode
}

func (s askedSession) Ask(ctx context.Context, until time.Time, r Request) Result {
	s.n.asked, s.n.until = append(s.n.asked, r), append(s.n.until, until)
	s.fakeSession.n.log = append(s.fakeSession.n.log, "ask "+r.Prompt.ID)
	if s.n.ask != nil {
		return s.n.ask(ctx, r)
	}
	return verdict(r, VerdictRight)
}

func verdict(r Request, v Verdict) Result {
	return Result{Outcome: OutcomeOK, Model: r.Model, Prompt: r.Prompt.ID, Verdict: v, Fingerprint: 1}
}

// witness says of all answers the same.
type witness struct {
	says     Repeats
	compared []string
	judged   int
}

func (w *witness) Compare(r Result) Repeats {
	w.compared = append(w.compared, r.Prompt)
	return w.says
}

func (w *witness) Judge(Turn) []Quality {
	w.judged++
	return []Quality{{By: ByCanary, Now: 1}}
}

// What becomes of the questions that follow a turn's prompts, and that nothing of it touches the turn.
func TestQuestions(t *testing.T) {
	canary := StandardCanary()
	last := canary.Prompts[9].ID
	for name, tc := range map[string]struct {
		models []Model
		off    bool
		fails  bool // every prompt
		ended  string
		ask    func(ctx context.Context, r Request) Result
		want   *Asked
		asked  int
	}{
		"all right": {want: &Asked{Version: "canary-1", Right: 10, Of: 10, Repeats: RepeatsSame}, asked: 10},
		"one wrong": {
			ask: func(_ context.Context, r Request) Result {
				if r.Prompt.ID == "date" {
					return verdict(r, VerdictWrong)
				}
				return verdict(r, VerdictRight)
			},
			want: &Asked{Version: "canary-1", Right: 9, Of: 10, Wrong: []string{"date"}, Repeats: RepeatsSame}, asked: 10,
		},
		"the last one fails": {
			ask: func(_ context.Context, r Request) Result {
				if r.Prompt.ID == last {
					return Result{Outcome: OutcomeTruncated, Err: "cut off"}
				}
				return verdict(r, VerdictRight)
			},
			want: &Asked{Version: "canary-1", Reason: "truncated: cut off"}, asked: 10,
		},
		"somebody else comes": {
			ask: func(_ context.Context, r Request) Result {
				res := verdict(r, VerdictRight)
				res.Contended = r.Prompt.ID == canary.Prompts[2].ID
				return res
			},
			want: &Asked{Version: "canary-1", Reason: "other people's work runs on the node"}, asked: 3,
		},
		"thoughts that do not end": {
			ask:  func(_ context.Context, r Request) Result { return verdict(r, VerdictThought) },
			want: &Asked{Version: "canary-1", Reason: "the model thinks before it answers, for longer than the questions' tokens"}, asked: 1,
		},
		"no text": {
			ask:  func(_ context.Context, r Request) Result { return verdict(r, "") },
			want: &Asked{Version: "canary-1", Reason: "the answer's text was not seen"}, asked: 1,
		},
		"it takes too long": {
			ask: func(ctx context.Context, r Request) Result {
				select {
				case <-ctx.Done(): // it would generate on, beside the next model
					t.Error("a question was cut off")
					return Result{Outcome: OutcomeCanceled}
				case <-time.After(50 * time.Second):
					return verdict(r, VerdictRight)
				}
			},
			want: &Asked{Version: "canary-1", Reason: "they took longer than 2m0s"}, asked: 3,
		},
		"the last answer is late": {
			ask: func(_ context.Context, r Request) Result {
				time.Sleep(13 * time.Second)
				return verdict(r, VerdictRight)
			},
			want: &Asked{Version: "canary-1", Right: 10, Of: 10, Repeats: RepeatsSame}, asked: 10,
		},
		"others' work does not end": {
			ask: func(_ context.Context, r Request) Result {
				time.Sleep(2 * time.Minute)
				return Result{Outcome: OutcomeCanceled}
			},
			want: &Asked{Version: "canary-1", Reason: "they took longer than 2m0s"}, asked: 1,
		},
		"a model that is known to think": {
			models: []Model{{Name: "deepseek-r1"}},
			want:   &Asked{Version: "canary-1", Reason: "deepseek-r1 thinks before it answers, for longer than the questions' tokens"},
		},
		"off":              {off: true},
		"no prompt is ok":  {fails: true},
		"the model is out": {ended: "the runner is dead"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, w := &askedNode{fakeNode: &fakeNode{}, ask: tc.ask}, &witness{says: RepeatsSame}
				o := RunnerOptions{Canary: &canary, Witness: w, Models: tc.models}
				if tc.off {
					o.Canary = nil
				}
				if tc.fails {
					n.answer = func(context.Context, Request) Result { return Result{Outcome: OutcomeHTTPError} }
				}
				n.ended = tc.ended
				models := 1 - len(tc.models)
				r, _ := newTestRunner(n.fakeNode, models, 3, o)
				r.o.Target = n
				turn := r.Cycle(t.Context()).Turns[0]
				if (turn.Asked == nil) != (tc.want == nil) || tc.want != nil && !equalAsked(*turn.Asked, *tc.want) {
					t.Errorf("%+v, want %+v", turn.Asked, tc.want)
				}
				if len(n.asked) != tc.asked {
					t.Errorf("%d questions were put, want %d", len(n.asked), tc.asked)
				}
				if !tc.fails && tc.ended == "" && (turn.Outcome != TurnOK || turn.Reason != "" || len(turn.Results) != 3 || w.judged != 1) {
					t.Errorf("turn %s (%s) with %d results, judged %d times", turn.Outcome, turn.Reason, len(turn.Results), w.judged)
				}
				if len(n.closed) != 1 {
					t.Errorf("closed %v", n.closed)
				}
				for i, line := range n.log { // in their order, after all prompts
					if strings.HasPrefix(line, "ask") != (i > 3) && tc.ended == "" {
						t.Errorf("%d: %s", i, line)
					}
				}
				for i, q := range n.asked {
					if q.Expect != &canary.Expect[i] || q.Prompt.ID != canary.Prompts[i].ID || q.Warmup || q.Temperature != 0 {
						t.Errorf("question %d: %+v", i, q)
					}
				}
				// Questions are compared when all have a verdict, so that a change among them is told.
				want := []string{"p0", "p1", "p2"}
				if tc.want != nil && tc.want.Of > 0 {
					for _, p := range canary.Prompts {
						want = append(want, p.ID)
					}
				}
				if !tc.fails && tc.ended == "" && !slices.Equal(w.compared, want) {
					t.Errorf("compared %v, want %v", w.compared, want)
				}
				for _, until := range n.until {
					if until != n.until[0] {
						t.Errorf("questions are put until %v", n.until)
					}
				}
			})
		})
	}
}

func equalAsked(a, b Asked) bool {
	return a.Version == b.Version && a.Right == b.Right && a.Of == b.Of && a.Reason == b.Reason && a.Repeats == b.Repeats &&
		slices.Equal(a.Wrong, b.Wrong)
}

// A stop in the middle of the questions ends the turn as one in the middle of the prompts does.
func TestStopAmongQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		canary := StandardCanary()
		n := &askedNode{fakeNode: &fakeNode{}, ask: func(ctx context.Context, _ Request) Result {
			cancel()
			<-ctx.Done()
			return Result{Outcome: OutcomeCanceled}
		}}
		w := &witness{}
		r, _ := newTestRunner(n.fakeNode, 1, 2, RunnerOptions{Canary: &canary, Witness: w})
		r.o.Target = n
		start := time.Now()
		c := r.Cycle(ctx)
		if c.Outcome != TurnCanceled || c.Turns[0].Asked != nil || w.judged != 0 || len(n.asked) != 1 || len(n.closed) != 1 {
			t.Errorf("cycle %s, asked %+v, %d questions, judged %d times", c.Outcome, c.Turns[0].Asked, len(n.asked), w.judged)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestStrongest(t *testing.T) {
	for want, all := range map[Repeats][]Repeats{
		RepeatsChanged:  {RepeatsSame, RepeatsChanged, RepeatsNever},
		RepeatsSame:     {RepeatsLearning, RepeatsNever, RepeatsSame},
		RepeatsNever:    {RepeatsNever, RepeatsLearning},
		RepeatsLearning: {RepeatsLearning, ""},
		"":              {"", ""},
	} {
		if got := strongest(all); got != want {
			t.Errorf("%v say %q together, want %q", all, got, want)
		}
	}
}
