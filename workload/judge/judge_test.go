package judge_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// turn is a turn of two prompts at a decode rate, cycle after cycle a quarter of an hour.
func turn(cycle int, rate float64) judge.Turn {
	return judge.Turn{
		Model: "m", Epoch: "e", Cycle: cycle, Time: monday.Add(time.Duration(cycle) * 15 * time.Minute),
		Samples: []judge.Sample{{Prompt: "a", DecodeRate: rate}, {Prompt: "b", DecodeRate: 0.9 * rate}},
	}
}

// tell gives j the cycles from from to before to, at the rate times lognormal noise of one per cent.
func tell(j *judge.Judge, from, to int, rate float64) {
	for c := from; c < to; c++ {
		j.Add(noisy(c, rate))
	}
}

func noisy(cycle int, rate float64) judge.Turn {
	r := rand.New(rand.NewPCG(7, uint64(cycle)))
	return turn(cycle, rate*math.Exp(0.01*r.NormFloat64()))
}

func worst(t *testing.T, j *judge.Judge) judge.Kind {
	t.Helper()
	v, ok := j.Model("m", judge.Decode)
	if !ok {
		t.Fatal("no verdict")
	}
	a, _ := v.Worst()
	return a.Kind
}

const learnt = 10 * 96 // cycles

func TestALossIsToldUntilItIsGone(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, learnt, 50)
	if k := worst(t, j); k != "" {
		t.Fatalf("%s without cause", k)
	}
	tell(j, learnt, learnt+6, 45)
	v, _ := j.Model("m", judge.Decode)
	a, ok := v.Worst()
	if !ok || a.Kind != judge.Drop {
		t.Fatalf("%+v, want a drop", v)
	}
	if a.Low > -0.1 || a.High < -0.1 {
		t.Errorf("the loss is between %.3f and %.3f, and was 0.1", a.Low, a.High)
	}
	if onset := turn(learnt, 0).Time; a.Since.Sub(onset).Abs() > 15*time.Minute {
		t.Errorf("since %v, want %v", a.Since, onset)
	}
	newest := noisy(learnt+5, 45).Samples[0].DecodeRate / 50
	if got := v.Latest + 1; math.Abs(got/newest-1) > 0.005 {
		t.Errorf("the newest cycle was at %.3f of the baseline, want %.3f", got, newest)
	}
	if v.Evidence < 1 || math.Abs(v.Baseline/(50*math.Sqrt(0.9))-1) > 0.01 || math.Abs(v.Noise-0.01) > 0.003 {
		t.Errorf("evidence %.2f, baseline %.2f, noise %.4f", v.Evidence, v.Baseline, v.Noise)
	}
	tell(j, learnt+6, learnt+7*96, 45)
	if k := worst(t, j); k != judge.Drop {
		t.Errorf("%q a week later, want the drop", k)
	}
	tell(j, learnt+7*96, learnt+7*96+10, 50)
	if k := worst(t, j); k != "" {
		t.Errorf("%q ten cycles after it was gone", k)
	}
}

func TestALossOfThreeWeeksIsNormal(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, learnt, 50)
	tell(j, learnt, learnt+22*96, 45)
	if k := worst(t, j); k != "" {
		t.Errorf("%q after three weeks", k)
	}
	tell(j, learnt+22*96, learnt+22*96+6, 40)
	if k := worst(t, j); k != judge.Drop {
		t.Errorf("%q after another loss, want a drop", k)
	}
}

func TestAcceptEndsALoss(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, learnt, 50)
	tell(j, learnt, learnt+20, 45)
	if !j.Accept("m") || j.Accept("stranger") {
		t.Error("Accept tells models apart badly")
	}
	tell(j, learnt+20, learnt+40, 45)
	if k := worst(t, j); k != "" {
		t.Errorf("%q after it was accepted", k)
	}
}

func TestMissingCyclesEndNothing(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, learnt, 50)
	tell(j, learnt, learnt+6, 45)
	empty := turn(learnt+6, 0)
	empty.Samples = nil
	j.Add(empty)
	tell(j, learnt+3*96, learnt+3*96+1, 45)
	if k := worst(t, j); k != judge.Drop {
		t.Errorf("%q after three days without a turn, want the drop", k)
	}
}

func TestEpochsAreNotCompared(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, learnt, 50)
	for c := range 96 {
		next := turn(learnt+c, 25)
		next.Epoch = "other"
		j.Add(next)
	}
	v, _ := j.Model("m", judge.Decode)
	if len(v.Alarms) != 0 || !v.Learning || v.Cycles > 96 {
		t.Errorf("%+v, want a beginning", v)
	}
}

func TestNothingIsAnAlarmOnTheFirstDay(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, 50, 50)
	tell(j, 50, 96, 20)
	if k := worst(t, j); k != "" {
		t.Errorf("%q on the first day", k)
	}
}

func TestTurnsThatAreKnownChangeNothing(t *testing.T) {
	j := judge.New(judge.Options{})
	tell(j, 0, 200, 50)
	before, _ := j.MarshalJSON()
	tell(j, 199, 200, 50)
	if after, _ := j.MarshalJSON(); !bytes.Equal(before, after) {
		t.Error("a turn that was told twice counts twice")
	}
}

// full is a turn of ten prompts with every figure.
func full(model string, cycle int) judge.Turn {
	r := rand.New(rand.NewPCG(uint64(len(model)), uint64(cycle)))
	t := judge.Turn{Model: model, Epoch: "e", Cycle: cycle, Time: monday.Add(time.Duration(cycle) * 15 * time.Minute)}
	for p := range 10 {
		v := math.Exp(0.02 * r.NormFloat64())
		t.Samples = append(t.Samples, judge.Sample{
			Prompt: fmt.Sprint("prompt", p), Shape: fmt.Sprint(p % 4), DecodeRate: 50 * v, PrefillRate: 400 * v, TTFT: 1/v + 0.1*r.Float64(),
		})
	}
	return t
}

// TestStateSurvives cuts a history in two by keeping and restoring, which changes no verdict and no byte.
func TestStateSurvives(t *testing.T) {
	models := []string{"a", "bb", "ccc", "dddd", "eeeee"}
	whole := judge.New(judge.Options{})
	cut := judge.New(judge.Options{})
	for c := range 600 {
		for _, m := range models {
			whole.Add(full(m, c))
			cut.Add(full(m, c))
		}
		if c == 350 {
			kept, err := cut.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if cut, err = judge.Restore(kept, judge.Options{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, _ := whole.MarshalJSON()
	b, _ := cut.MarshalJSON()
	if !bytes.Equal(a, b) {
		t.Error("a judge that was kept and restored knows something else")
	}
	if x, y := fmt.Sprint(whole.Verdicts()), fmt.Sprint(cut.Verdicts()); x != y {
		t.Errorf("verdicts differ:\n%s\n%s", x, y)
	}
	if len(a) > 1<<20 {
		t.Errorf("five models with ten prompts take %d bytes", len(a))
	}
	t.Logf("%d bytes", len(a))
}

func TestRestoreRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, kept := range []string{
		"", "{", `{"Version":0}`, `{"Version":99}`, `{"Version":2,"Models":{"m":null}}`, `{"Version":2,"Models":3}`, `{"Version":1}`,
	} {
		if j, err := judge.Restore([]byte(kept), judge.Options{}); err == nil {
			t.Errorf("%q makes %v", kept, j)
		}
	}
}

func TestOfTakesWhatIsClean(t *testing.T) {
	epoch := workload.Epoch{SHA256: "s", Engine: "exo"}
	ok := workload.Result{
		Prompt: "p", Outcome: workload.OutcomeOK, Timed: true, TTFT: 1300 * time.Millisecond, Decode: time.Second, OutputTokens: 51,
		AskedTokens: 51, PromptTokens: 500, Epoch: epoch, Server: &workload.ServerStats{PromptTPS: 400},
	}
	busy := ok
	busy.Contended = true
	got := judge.Of(workload.Turn{Model: "m", Cycle: 3, Start: monday, Results: []workload.Result{busy, ok}})
	want := judge.Sample{Prompt: "p", Shape: got.Samples[0].Shape, DecodeRate: 50, PrefillRate: 400, TTFT: 1.3, ServerPrefill: 1.25}
	if got.Model != "m" || got.Cycle != 3 || !strings.HasPrefix(got.Epoch, epoch.ID()) || !slices.Equal(got.Samples, []judge.Sample{want}) {
		t.Errorf("%+v", got)
	}
	odd := ok
	odd.Server = &workload.ServerStats{PromptTPS: 100} // the prompt would have taken longer than the first token did
	got = judge.Of(workload.Turn{Model: "m", Cycle: 3, Start: monday, Results: []workload.Result{odd}})
	if s := got.Samples[0]; s.ServerPrefill != 0 || s.PrefillRate < 384 || s.PrefillRate > 385 {
		t.Errorf("a rate that cannot be true is a sample: %+v", s)
	}
	other := judge.Of(workload.Turn{Model: "m", ExoModel: "another/id", Cycle: 4, Start: monday, Results: []workload.Result{ok}})
	if other.Epoch == got.Epoch {
		t.Error("another model under the same name is compared with the one before")
	}
}

func FuzzAdd(f *testing.F) {
	f.Add(uint64(1), uint8(0), 50.0, 0.2)
	f.Add(uint64(5), uint8(4), 50.0, 0.2)
	f.Add(uint64(2), uint8(1), math.NaN(), math.Inf(1))
	f.Add(uint64(3), uint8(2), -1.0, 1e-300)
	f.Add(uint64(4), uint8(3), 1e300, 0.0)
	f.Fuzz(func(t *testing.T, seed uint64, how uint8, rate, wait float64) {
		r := rand.New(rand.NewPCG(seed, 1))
		j := judge.New(judge.Options{})
		at := monday
		how %= 5
		for c := range 80 {
			at = at.Add(time.Duration(r.Int64N(int64(3 * time.Hour))))
			switch r.IntN(40) {
			case 0:
				at = at.AddDate(-r.IntN(60), 0, 0)
			case 1:
				at = at.AddDate(r.IntN(60), 0, 0)
			}
			turn := judge.Turn{
				Model: fmt.Sprint("m", r.IntN(2+int(how)/2)), Epoch: fmt.Sprint(r.IntN(60) / 59), Cycle: int(r.Int32N(100)) * c, Time: at,
			}
			for p := range r.IntN(4 + 25*int(how)*int(how)) {
				s := judge.Sample{
					Prompt: fmt.Sprint("p", p), Shape: fmt.Sprint(p % 7), DecodeRate: rate * r.ExpFloat64(), PrefillRate: r.NormFloat64(), TTFT: wait,
				}
				if r.IntN(30) == 0 {
					s.DecodeRate, s.ServerPrefill = math.NaN(), math.Inf(-1)
				}
				turn.Samples = append(turn.Samples, s)
			}
			j.Add(turn)
			if r.IntN(50) == 0 {
				j.Accept(turn.Model)
			}
			if c%8 != 7 {
				continue
			}
			for _, v := range j.Verdicts() {
				for _, x := range []float64{v.Change.Ratio, v.Evidence, v.Baseline, v.Noise, v.CarryOver} {
					if math.IsNaN(x) || math.IsInf(x, 0) {
						t.Fatalf("%+v", v)
					}
				}
			}
		}
		kept, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if len(kept) > 8<<20 {
			t.Fatalf("%d bytes", len(kept))
		}
		if _, err := judge.Restore(kept, judge.Options{}); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	j := judge.New(judge.Options{})
	models := []string{"a", "bb", "ccc", "dddd", "eeeee"}
	var turns []judge.Turn
	for c := range 2000 {
		for _, m := range models {
			turns = append(turns, full(m, c))
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t := turns[i%len(turns)]
		t.Time = t.Time.Add(time.Duration(i/len(turns)) * 2000 * 15 * time.Minute)
		t.Cycle += i / len(turns) * 2000
		j.Add(t)
	}
}
