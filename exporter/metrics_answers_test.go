package exporter

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"exo-bench-exporter/workload"
)

// answering is a turn of one answer to prompt p of model m.
func answering(repeats workload.Repeats, signs *workload.Signs, asked *workload.Asked, quality ...workload.Quality) workload.Turn {
	return workload.Turn{
		Model: "m", ExoModel: "x/m", Start: time.Now(), Outcome: workload.TurnOK, Asked: asked, Quality: quality,
		Results: []workload.Result{{Model: "m", Prompt: "p", Outcome: workload.OutcomeOK, Repeats: repeats, Signs: signs}},
	}
}

// What is shown of answers after each turn.
func TestAnswers(t *testing.T) {
	prompt := func(id string) workload.Suite {
		return workload.Suite{Version: "v", Prompts: []workload.Prompt{{ID: id, Kind: "chat", MaxTokens: 8}}}
	}
	opts := Options{Models: []workload.Model{{Name: "m"}}, Suite: prompt("p"), Interval: time.Minute}
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg, opts)
	o := NewObserver(m)
	run := func(turn workload.Turn) {
		for _, r := range turn.Results {
			o.RequestDone(r)
		}
		o.TurnDone(turn)
	}
	zero := []string{
		`exobench_answer_fingerprint_changes_total{model="m",prompt="canary"} 0`,
		`exobench_answer_fingerprint_changes_total{model="m",prompt="p"} 0`,
		`exobench_degenerate_answers_total{model="m",sign="garbled"} 0`, `exobench_degenerate_answers_total{model="m",sign="repetition"} 0`,
		`exobench_degenerate_answers_total{model="m",sign="script"} 0`,
	}
	want := func(what string, lines ...string) {
		t.Helper()
		names := []string{
			"exobench_answer_fingerprint_changes_total", "exobench_answer_repeats", "exobench_degenerate_answers_total",
			"exobench_canary_correct_ratio", "exobench_answer_degenerate_ratio", "exobench_answers_worse", "exobench_answers_usual_ratio",
		}
		text, err := testutil.CollectAndFormat(reg, expfmt.TypeTextPlain, names...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if strings.Join(got, "\n") != strings.Join(lines, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(lines, "\n"))
		}
	}
	want("at the start", zero...)

	asked := &workload.Asked{Version: "c", Right: 9, Of: 10, Repeats: workload.RepeatsNever}
	run(answering(workload.RepeatsSame, &workload.Signs{Characters: 99}, asked,
		workload.Quality{By: workload.ByCanary, Now: 0.9, Learning: true}, workload.Quality{By: workload.BySigns, Now: 1, Usual: 1}))
	want("a turn that is well", `exobench_answer_degenerate_ratio{model="m"} 0`,
		zero[0], zero[1], `exobench_answer_repeats{model="m",prompt="canary"} 0`, `exobench_answer_repeats{model="m",prompt="p"} 1`,
		`exobench_answers_usual_ratio{by="signs",model="m"} 1`, `exobench_answers_worse{by="signs",model="m"} 0`,
		`exobench_canary_correct_ratio{model="m"} 0.9`, zero[2], zero[3], zero[4])

	asked = &workload.Asked{Version: "c", Right: 1, Of: 10, Repeats: workload.RepeatsChanged}
	bad := answering(workload.RepeatsChanged, &workload.Signs{Characters: 99, Foreign: 1}, asked,
		workload.Quality{By: workload.ByCanary, Now: 0.1, Learning: true, Worse: true})
	run(bad)
	after := []string{
		`exobench_answer_degenerate_ratio{model="m"} 1`,
		`exobench_answer_fingerprint_changes_total{model="m",prompt="canary"} 1`,
		`exobench_answer_fingerprint_changes_total{model="m",prompt="p"} 1`,
		`exobench_answer_repeats{model="m",prompt="canary"} 1`, `exobench_answer_repeats{model="m",prompt="p"} 1`,
		`exobench_answers_worse{by="canary",model="m"} 1`, `exobench_canary_correct_ratio{model="m"} 0.1`,
		zero[2], zero[3], `exobench_degenerate_answers_total{model="m",sign="script"} 1`,
	}
	want("one that is not", after...)

	failed := answering("", nil, nil)
	failed.Outcome, failed.Results[0].Outcome = workload.TurnFailed, workload.OutcomeTruncated
	run(failed)
	want("one that failed", append(append([]string{}, after[1:5]...), after[7:]...)...)

	reg = prometheus.NewPedanticRegistry()
	m = NewMetrics(reg, opts)
	m.Resume([]workload.Turn{bad})
	want("after a restart", after[0], zero[0], zero[1], after[3], after[4], after[5], after[6], zero[2], zero[3], zero[4])

	m.AnswersAccepted("m", []workload.Quality{{By: workload.ByCanary, Now: 0.1, Usual: 0.1}})
	m.AnswersAccepted("stranger", []workload.Quality{{By: workload.ByCanary}})
	want("accepted", after[0], zero[0], zero[1], after[3], after[4], `exobench_answers_usual_ratio{by="canary",model="m"} 0.1`,
		`exobench_answers_worse{by="canary",model="m"} 0`, after[6], zero[2], zero[3], zero[4])

	learning := answering(workload.RepeatsLearning, nil, &workload.Asked{Version: "c", Repeats: workload.RepeatsLearning},
		workload.Quality{By: workload.ByCanary, Now: 0.1, Worse: true})
	o = NewObserver(m)
	run(learning)
	stands := []string{
		zero[0], zero[1], after[3], after[4], `exobench_answers_usual_ratio{by="canary",model="m"} 0`,
		`exobench_answers_worse{by="canary",model="m"} 1`, zero[2], zero[3], zero[4],
	}
	want("while the node is learnt anew, and without a verdict", stands...)

	other := learning
	other.Results = []workload.Result{other.Results[0]}
	other.Results[0].Epoch.Version, other.Results[0].Repeats = "2", ""
	run(other)
	want("by another method", append(append([]string{}, stands[:2]...), stands[4:]...)...)

	opts.Suite = prompt("q")
	m.Apply(opts)
	want("with other prompts", zero[0], `exobench_answer_fingerprint_changes_total{model="m",prompt="q"} 0`, zero[2], zero[3], zero[4])
}
