package exporter

import (
	"slices"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// canaryPrompt is the label prompt of what the canary's questions have in common.
const canaryPrompt = workload.CanaryID

// degenerate counts the answers of a model that are nonsense.
func degenerate() metric.Group[workload.Result] {
	var signs []string
	for _, s := range workload.AllSigns() {
		signs = append(signs, string(s))
	}
	return metric.Group[workload.Result]{
		Labels: modelLabels,
		Known:  workload.Result.OK,
		Counters: []metric.Counter[workload.Result]{{
			Family: metric.Family{
				Name: "degenerate_answers_total", Unit: "answers", Labels: []string{"sign"},
				Help: "Answers of successful requests that show a sign of nonsense: repetition (half of it or more ends a sequence of 16 " +
					"characters that it had before), garbled (a tenth or more is control characters or no characters) or script (three tenths or " +
					"more of its letters are of a script of which the prompt has none); no answer below 48 characters does. A share of such answers " +
					"is usual where a server bans the end of the answer, as exo's /bench does: what tells is a change.",
			},
			Values: signs,
			Of: func(r workload.Result) string {
				sign, _ := r.Sign()
				return string(sign)
			},
		}},
	}
}

// answerFigures are of a turn's answers.
func answerFigures() []metric.Gauge[workload.Turn] {
	return []metric.Gauge[workload.Turn]{
		{
			Family: metric.Family{
				Name: "canary_correct_ratio", Unit: "ratio",
				Absent: "where the questions are off (EXOBENCH_CANARY), one of them got no answer, other people's work ran beside one, they took " +
					"longer than two minutes, or the model thinks first, for longer than their tokens",
				Help: "Share of the canary's questions that the model answered rightly after its last turn: whether what it says is an answer " +
					"at all, not how clever it is.",
			},
			Value: workload.Turn.Correct,
		},
		{
			Family: metric.Family{
				Name: "answer_degenerate_ratio", Unit: "ratio", Absent: "where the text of no answer was seen",
				Help: "Share of the successful answers of the last turn that show a sign of nonsense, see exobench_degenerate_answers_total.",
			},
			Value: func(t workload.Turn) (float64, bool) {
				share, seen := t.Degenerate()
				return share, seen > 0
			},
		},
	}
}

// comparisons tell of answers beside those before them.
func comparisons() metric.Group[workload.Repeats] {
	return metric.Group[workload.Repeats]{
		Labels: promptLabels,
		Counters: []metric.Counter[workload.Repeats]{{
			Family: metric.Family{
				Name: "answer_fingerprint_changes_total", Unit: "answers",
				Help: "Answers that differ from the one before though the node used to repeat itself, six times in a row: another file of the " +
					"model, another quantization or other numerics. Only of prompts that are put as they stand, at temperature 0; prompt=\"canary\" is " +
					"of the questions, and counts turns in which an answer differs. It means nothing where exobench_answer_repeats is 0.",
			},
			Value: func(r workload.Repeats) float64 { return boolValue(r == workload.RepeatsChanged) },
		}},
		Gauges: []metric.Gauge[workload.Repeats]{{
			Family: metric.Family{
				Name: "answer_repeats", Unit: "1 or 0",
				Absent: "until it is known, and where each prompt is another one (a nonce against the prefix cache) or the temperature is not 0",
				Help:   "1 where the node gives the same answer to a prompt each time, 0 where it does not, so that a difference tells nothing.",
			},
			Value: func(r workload.Repeats) (float64, bool) {
				return boolValue(r != workload.RepeatsNever), true
			},
		}},
	}
}

// answerQuality says how good answers are beside those before them.
func answerQuality() metric.Group[workload.Quality] {
	const by = " by: canary (questions answered rightly) or signs (answers without a sign of nonsense)."
	return metric.Group[workload.Quality]{
		Labels: []string{"model", "by"},
		Absent: "where no turn has had a figure for it, or the questions are off; what the last one told stands while others have none",
		Gauges: []metric.Gauge[workload.Quality]{
			{
				Family: metric.Family{
					Name: "answers_worse", Unit: "1 or 0",
					Absent: "while too little is known of what is usual (12 turns), and by signs where the suite has fewer than 8 prompts",
					Help: "1 while a model's answers are worse than they used to be: the share of good ones is lower than usual by a quarter of all " +
						"or more for two turns, or at most a tenth of the questions is answered rightly while nothing is usual yet." + by,
				},
				Value: func(q workload.Quality) (float64, bool) { return boolValue(q.Worse), q.Worse || !q.Learning },
			},
			{
				Family: metric.Family{
					Name: "answers_usual_ratio", Unit: "ratio", Absent: "while too little is known of what is usual (12 turns)",
					Help: "Median share of good answers over a model's last 48 turns, without those that were suspiciously bad." + by,
				},
				Value: func(q workload.Quality) (float64, bool) { return q.Usual, !q.Learning },
			},
		},
	}
}

// answerSeries are those of what a model answered.
type answerSeries struct {
	repeats map[string]*metric.Series[workload.Repeats] // by prompt
	quality map[workload.Yardstick]*metric.Series[workload.Quality]
}

func (m *Metrics) newAnswerSeries(model string) answerSeries {
	s := answerSeries{
		repeats: map[string]*metric.Series[workload.Repeats]{canaryPrompt: m.feeds.repeats.With(model, canaryPrompt)},
		quality: make(map[workload.Yardstick]*metric.Series[workload.Quality]),
	}
	for _, by := range workload.Yardsticks() {
		s.quality[by] = m.feeds.quality.With(model, string(by))
	}
	return s
}

// compared takes in what there is to say of an answer beside the one before.
func (s answerSeries) compared(prompt string, r workload.Repeats) {
	if series := s.repeats[prompt]; series != nil && tells(r) {
		series.Record(r)
	}
}

// tells reports whether there is anything to show of a comparison. What was shown stands while the node is learnt anew.
func tells(r workload.Repeats) bool { return r != "" && r != workload.RepeatsLearning }

// turn takes in what a turn says of answers.
func (s answerSeries) turn(t workload.Turn) {
	if t.Asked != nil {
		s.compared(canaryPrompt, t.Asked.Repeats)
	}
	s.judged(t)
}

// judged shows how good a turn's answers are.
func (s answerSeries) judged(t workload.Turn) {
	for by, series := range s.quality {
		i := slices.IndexFunc(t.Quality, func(q workload.Quality) bool { return q.By == by })
		if i < 0 {
			series.Withdraw()
			continue
		}
		series.Record(t.Quality[i])
	}
}

// AnswersAccepted shows what the normal quality of a model's answers is from now on.
func (m *Metrics) AnswersAccepted(model string, normal []workload.Quality) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.series[model]; s != nil {
		for _, q := range normal {
			s.answers.quality[q.By].Show(q)
		}
	}
}

// show shows what was found before a restart.
func (s answerSeries) show(t workload.Turn) {
	for _, r := range t.Results {
		if series := s.repeats[r.Prompt]; series != nil && tells(r.Repeats) {
			series.Show(r.Repeats)
		}
	}
	if t.Asked != nil && tells(t.Asked.Repeats) {
		s.repeats[canaryPrompt].Show(t.Asked.Repeats)
	}
	s.judged(t)
}

// withdrawRepeats removes what was found by comparing answers that were asked for in another way.
func (s answerSeries) withdrawRepeats() {
	for _, series := range s.repeats {
		series.Withdraw()
	}
}

// withdrawQuality removes how good answers to another suite were.
func (s answerSeries) withdrawQuality() {
	for _, series := range s.quality {
		series.Withdraw()
	}
}
