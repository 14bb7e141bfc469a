package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/report"
)

// What a model's answers were worth is added up over turns, and what became of them is told with its time.
func TestAnswers(t *testing.T) {
	m := two
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		if t.Model != "llama-3.1-8b" {
			return
		}
		asked := workload.Asked{Version: "2", Right: 10, Of: 10, Repeats: workload.RepeatsSame}
		quality := workload.Quality{By: workload.ByCanary, Now: 1, Usual: 1}
		switch {
		case cycle == 0: // questions of another version do not compare
			asked.Version, asked.Right = "1", 0
		case cycle == 1: // no verdict
			asked.Right, asked.Of, asked.Reason = 0, 0, "http://secret"
		case cycle == 4:
			asked.Repeats = workload.RepeatsChanged
		case cycle >= 6 && cycle < 9:
			asked.Right = 4 - (cycle - 6) // 4, 3, 2
			quality.Now, quality.Worse = float64(asked.Right)/10, cycle >= 7
		}
		t.Asked, t.Quality = &asked, []workload.Quality{quality}
		for i := range t.Results {
			t.Results[i].Signs = &workload.Signs{Characters: 100}
			if cycle == 6 && i == 0 {
				t.Results[i].Signs.Garbled = 0.5
			}
		}
	}
	r := of(t, m)
	at := func(cycle int) time.Time { return begin.Add(time.Duration(cycle) * 15 * time.Minute) }
	got := r.Models[0].Answers
	if f := got.Right; !f.Known || f.N != 100 || f.Value != 0.79 || got.Worst != (report.Moment{At: at(8), Value: 0.2}) {
		t.Errorf("right: %+v, worst %+v", f, got.Worst)
	}
	if f := got.Nonsense; !f.Known || f.N != 48 || f.Value != 1./48 {
		t.Errorf("nonsense: %+v", f)
	}
	if got.Repeats != "the same each time, until they changed" || !slices.Equal(got.Changes, []time.Time{at(4)}) {
		t.Errorf("%s, changed at %v", got.Repeats, got.Changes)
	}
	worse := report.Episode{By: workload.ByCanary, From: at(7), To: at(9), Lowest: 0.2, Usual: 1}
	if !slices.Equal(got.Worse, []report.Episode{worse}) {
		t.Errorf("%+v", got.Worse)
	}
	said(t, r, "llama-3.1-8b gave worse answers from Monday 01:45 UTC until Monday 02:15 UTC: "+
		"20 % of the questions were answered rightly, where 100 % are usual.")
	var events []string
	for _, e := range r.Course.Events {
		events = append(events, e.At.Format("15:04 ")+e.What)
	}
	if want := []string{
		"01:00 answers changed that had been the same each time",
		"01:45 answers became worse: 20 % of the questions were answered rightly, where 100 % are usual",
		"02:15 answers are no longer worse",
	}; !slices.Equal(events, want) {
		t.Errorf("events: %q", events)
	}
	// Of the other model nothing is known, which says why.
	other := r.Models[1].Answers
	if other.Right.Known || other.Right.Absent != "no questions were put" || other.Nonsense.Known || other.Nonsense.Absent == "" ||
		other.Repeats != "not known" {
		t.Errorf("%+v", other)
	}
}

// The machine's conditions count turn by turn, by what the system tells; what it does not tell says so.
func TestMeanwhile(t *testing.T) {
	m := two
	limit, heavy, none := 0.6, 2, uint64(0)
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		if t.Model != "llama-3.1-8b" || cycle == 0 { // not watched
			return
		}
		c := workload.Conditions{
			Seconds: 30, CoreThrottles: &none,
			Pressure: map[workload.Resource]workload.Pressure{workload.ResourceCPU: {Waiting: 0.02}, workload.ResourceIO: {Waiting: 0.05}},
		}
		switch cycle {
		case 3:
			c.Pressure[workload.ResourceIO] = workload.Pressure{Waiting: 0.34}
		case 4:
			c.Pressure[workload.ResourceIO] = workload.Pressure{Waiting: 0.12}
		case 5:
			c.FrequencyLimit = &limit
		case 6:
			c = workload.Conditions{Seconds: 30, ThermalPressure: &heavy}
		}
		t.Conditions = c
	}
	r := of(t, m)
	got := r.Models[0].Meanwhile
	if f := got.Short; !f.Known || f.N != 10 || f.Value != 0.2 || len(got.ShortMost) != 1 ||
		got.ShortMost[0].Words != "tasks waited for the disk 34 % of the time" || !got.ShortMost[0].At.Equal(begin.Add(45*time.Minute)) {
		t.Errorf("short: %+v, %+v", f, got.ShortMost)
	}
	var words []string
	for _, w := range got.SlowedMost {
		words = append(words, w.Words)
	}
	if f := got.Slowed; !f.Known || f.N != 11 || f.Value != 2./11 ||
		strings.Join(words, "; ") != "processors limited to 60 % of their frequency; thermal pressure heavy" {
		t.Errorf("slowed down: %+v, %q", f, words)
	}
	if other := r.Models[1].Meanwhile; other.Short.Known || !strings.HasPrefix(other.Slowed.Absent, "the machine was not watched") {
		t.Errorf("%+v", other)
	}
	recalled, err := report.Of(m.records(), report.Options{Recalled: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range recalled.Models {
		for _, f := range []report.Figure{model.Answers.Right, model.Answers.Nonsense, model.Meanwhile.Short, model.Meanwhile.Slowed} {
			if f.Known || f.Absent != "not read back from Prometheus" {
				t.Errorf("%s: %+v", model.Name, f)
			}
		}
	}
}
