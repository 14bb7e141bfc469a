package report

import (
	"fmt"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
)

// Answers are what is known of whether what a model says is answers. Of their text nothing is known.
type Answers struct {
	Right    Figure // share of the questions with known answers that were answered rightly
	Worst    Moment // the turn with the lowest share; valid when Right is known
	Nonsense Figure // share of the answers that show a sign of nonsense
	// Repeats says in words whether the node gives the same answer each time, so that another one tells something.
	Repeats string
	Changes []time.Time // turns in which an answer was another one than each time before
	Worse   []Episode
}

// Moment is what a turn showed.
type Moment struct {
	At    time.Time
	Value float64
}

// Episode is a time in which answers were worse than they used to be, as the exporter judged at that time.
type Episode struct {
	By       workload.Yardstick
	From, To time.Time // To is zero where it had not ended
	Lowest   float64   // share of good answers
	Usual    float64   // 0 where nothing was usual yet
}

// Why nothing is known of answers.
const (
	noQuestions = "no questions were put"
	noVerdict   = "a question got no answer, or the model thinks before it answers"
	noText      = "the text of no answer was seen"
	notRecalled = "not read back from Prometheus"
)

// repeated says of an answer what there is to say beside those before it.
var repeated = map[workload.Repeats]string{
	workload.RepeatsSame: "the same each time", workload.RepeatsChanged: "the same each time, until they changed",
	workload.RepeatsNever: "not the same each time: a difference tells nothing", workload.RepeatsLearning: "not known yet",
}

// answers takes shares of the turns that figures are made of, and what happened of all.
func (a *analysis) answers(model string) Answers {
	all := Answers{Repeats: "not known"}
	if a.options.Recalled {
		all.Right.Absent, all.Nonsense.Absent, all.Repeats = notRecalled, notRecalled, notRecalled
		return all
	}
	all.right(a.side.Turns[model])
	all.nonsense(a.side.Turns[model])
	last := workload.Repeats("")
	for _, r := range a.records {
		if r.Turn.Model == model {
			all.compare(*r.Turn, &last)
			all.judged(*r.Turn)
		}
	}
	if words, ok := repeated[last]; ok {
		all.Repeats = words
	}
	return all
}

// right adds up the verdicts on the newest version of the questions.
func (all *Answers) right(turns []workload.Turn) {
	version, put := "", false
	for _, t := range turns {
		put = put || t.Asked != nil
		if _, ok := t.Correct(); ok {
			version = t.Asked.Version
		}
	}
	right, of := 0, 0
	for _, t := range turns {
		share, ok := t.Correct()
		if !ok || t.Asked.Version != version {
			continue
		}
		if of == 0 || share < all.Worst.Value {
			all.Worst = Moment{t.Start.UTC(), share}
		}
		right, of = right+t.Asked.Right, of+t.Asked.Of
	}
	why := noQuestions
	if put {
		why = noVerdict
	}
	all.Right = share(right, of, "questions", why)
}

func (all *Answers) nonsense(turns []workload.Turn) {
	bad, seen := 0, 0
	for _, t := range turns {
		for _, r := range t.OKResults() {
			if r.Signs == nil {
				continue
			}
			seen++
			if _, is := r.Sign(); is {
				bad++
			}
		}
	}
	all.Nonsense = share(bad, seen, "answers", noText)
}

// compare notes whether answers of a turn were other ones than before. last is what was known before.
func (all *Answers) compare(t workload.Turn, last *workload.Repeats) {
	said := map[workload.Repeats]bool{}
	if t.Asked != nil {
		said[t.Asked.Repeats] = true
	}
	for _, r := range t.Results {
		said[r.Repeats] = true
	}
	if said[workload.RepeatsChanged] {
		all.Changes = append(all.Changes, t.Start.UTC())
	}
	for _, r := range []workload.Repeats{
		workload.RepeatsChanged, workload.RepeatsSame, workload.RepeatsNever, workload.RepeatsLearning,
	} {
		if said[r] {
			if !(r == workload.RepeatsSame && *last == workload.RepeatsChanged) {
				*last = r
			}
			return
		}
	}
}

// judged continues the episodes with what was said of a turn.
func (all *Answers) judged(t workload.Turn) {
	for _, q := range t.Quality {
		open := all.open(q.By)
		switch {
		case q.Worse && open == nil:
			all.Worse = append(all.Worse, Episode{By: q.By, From: t.Start.UTC(), Lowest: q.Now, Usual: q.Usual})
		case q.Worse:
			open.Lowest = min(open.Lowest, q.Now)
		case open != nil:
			open.To = t.Start.UTC()
		}
	}
}

// open returns the episode that has not ended; nil where there is none.
func (all *Answers) open(by workload.Yardstick) *Episode {
	for i := range all.Worse {
		if e := &all.Worse[i]; e.By == by && e.To.IsZero() {
			return e
		}
	}
	return nil
}

// Words says what an episode was, for people who know the model.
func (e Episode) Words() string {
	what := "of the questions were answered rightly"
	if e.By == workload.BySigns {
		what = "of the answers were without a sign of nonsense"
	}
	s := fmt.Sprintf("%.0f %% %s", 100*e.Lowest, what)
	if e.Usual > 0 {
		s += fmt.Sprintf(", where %.0f %% are usual", 100*e.Usual)
	}
	return s
}

// events are those of a model's answers.
func (all Answers) events(model string) (events []Event) {
	for _, at := range all.Changes {
		events = append(events, Event{At: at, Model: model, What: "answers changed that had been the same each time"})
	}
	for _, e := range all.Worse {
		events = append(events, Event{At: e.From, Model: model, What: "answers became worse: " + e.Words(), Loss: true})
		if !e.To.IsZero() {
			events = append(events, Event{At: e.To, Model: model, What: "answers are no longer worse"})
		}
	}
	return events
}

// worse says of which models answers got worse.
func (a *analysis) worse(r Report) (said []string) {
	for _, m := range a.rows {
		for _, e := range m.Answers.Worse {
			until := "on"
			if !e.To.IsZero() {
				until = "until " + moment(e.To, r.To)
			}
			said = append(said, fmt.Sprintf("%s gave worse answers from %s %s: %s.", m.Name, moment(e.From, r.To), until, e.Words()))
		}
	}
	return said
}

// share is n of so many.
func share(n, of int, what, absent string) Figure {
	f := Figure{Quantity: compare.Quantity{Unit: "ratio"}, N: of, Of: what, Known: of > 0}
	if !f.Known {
		f.Absent = absent
		return f
	}
	f.Value = float64(n) / float64(of)
	return f
}
