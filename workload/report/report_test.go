package report_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/report"
)

func of(t *testing.T, m made) report.Report {
	t.Helper()
	r, err := report.Of(m.records(), report.Options{Program: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said asserts that exactly one sentence has all of the words.
func said(t *testing.T, r report.Report, words ...string) {
	t.Helper()
	n := 0
	for _, s := range r.Summary {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(s, w) }) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d sentences say %q:\n%s", n, words, strings.Join(r.Summary, "\n"))
	}
}

func TestEmpty(t *testing.T) {
	if _, err := report.Of(nil, report.Options{}); !errors.Is(err, report.ErrEmpty) {
		t.Error(err)
	}
}

// What is beyond doubt is said as a person would, with its interval.
func TestOrder(t *testing.T) {
	r := of(t, two)
	said(t, r, "24 turns of 2 models, 26 January 2026, 00:00 to 02:46 UTC: 96 of 96 requests succeeded.")
	said(t, r, "llama-3.2-1b is 5.1 × as fast (5.0", "as llama-3.1-8b at 16 % of its memory.")
	said(t, r, "The first token comes soonest from llama-3.2-1b", "and latest from llama-3.1-8b")
	if len(r.Summary) != 3 {
		t.Errorf("more is said: %q", r.Summary)
	}
	m := r.Models[0]
	if m.Name != "llama-3.1-8b" || m.Asked != 48 || m.OK != 48 || m.Clean != 48 || m.ExoModel != "mlx-community/llama-3.1-8b" {
		t.Errorf("%+v", m)
	}
	if d := m.Decode; !d.Known || !d.Sure || d.N != 12 || math.Abs(d.Value/48/1.03-1) > 0.02 || d.Range.Low > d.Value ||
		d.Range.High < d.Value {
		t.Errorf("decode rate: %+v", d)
	}
	if m.Gap99.N != 2400 || !m.Gap99.Known || m.TTFT99.Known || m.TTFT99.Absent == "" { // 48 requests
		t.Errorf("p99 of %d gaps and %d first tokens: %+v", m.Gap99.N, m.TTFT99.N, m.TTFT99)
	}
	if e := m.Energy; e.Known || e.Absent == "" {
		t.Errorf("there is no energy, but %+v", e)
	}
}

// Of an order within the noise nothing is said but that.
func TestWithinTheNoise(t *testing.T) {
	m := made{cycles: 2, speed: map[string]float64{"llama-3.1-8b": 48, "mistral-7b": 55}}
	said(t, of(t, m), "Which model decodes fastest cannot be told from 2 turns a model: needs about 3 more.")
	m = made{cycles: 30, speed: map[string]float64{"llama-3.1-8b": 48, "mistral-7b": 48}}
	said(t, of(t, m), "equally fast, within 2 %")
	m = made{cycles: 30, speed: map[string]float64{"llama-3.1-8b": 48, "mistral-7b": 48, "llama-3.2-1b": 245}}
	said(t, of(t, m), "llama-3.1-8b and mistral-7b decode equally fast", "within 2 %")
}

// A model that lost speed lost it since a day of the week, and its course has the event.
func TestLoss(t *testing.T) {
	m := two
	m.cycles = 4 * 24 * 3
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		if cycle >= 4*24*2 && t.Model == "llama-3.1-8b" {
			for i, r := range t.Results {
				t.Results[i] = answer(t.Model, r.Prompt, r.Start, 50/r.Decode.Seconds()*0.95)
			}
		}
	}
	r := of(t, m)
	said(t, r, "llama-3.1-8b lost 5 % of its decode speed since Wednesday", "UTC (", "%); prefill and the first token changed with it.")
	i := slices.IndexFunc(r.Course.Events, func(e report.Event) bool { return e.Loss && e.Model == "llama-3.1-8b" })
	onset := begin.Add(48 * time.Hour)
	if i < 0 || r.Course.Events[i].At.Sub(onset).Abs() > 2*time.Hour {
		t.Errorf("events: %+v", r.Course.Events)
	}
	m.edit = nil
	said(t, of(t, m), "No model became slower or faster in this time")
}

// Failures are failures: counted, said, and no figure.
func TestFailures(t *testing.T) {
	m := two
	m.speed = map[string]float64{"llama-3.1-8b": 48, "llama-3.2-1b": 245, "qwen-1.5-7b": 0, "deepseek-r1": 50}
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		switch {
		case t.Model == "llama-3.1-8b" && cycle == 3:
			t.Outcome = workload.TurnPartial
			t.Results[0] = workload.Result{Model: t.Model, Prompt: "one", Outcome: workload.OutcomeIdleTimeout, Start: t.Start}
		case t.Model == "deepseek-r1":
			t.Outcome = workload.TurnFailed
			for i := range t.Results {
				t.Results[i] = workload.Result{Model: t.Model, Prompt: "one", Outcome: workload.OutcomeTruncated, Start: t.Start}
			}
		}
	}
	r := of(t, m)
	said(t, r, "llama-3.1-8b failed in 1 of 48 requests: tokens stopped coming (1).")
	said(t, r, "qwen-1.5-7b was never measured: the node does not know the model or cannot place it (12).")
	said(t, r, "deepseek-r1 answered none of 48 requests: the answer broke off (48).")
	for _, m := range r.Models[2:] {
		if m.Decode.Known || m.Decode.Absent == "" || m.Memory.Known {
			t.Errorf("%s has figures: %+v", m.Name, m.Decode)
		}
	}
}

// A gap, another method and another program are events; what is of another node or suite is left out and counted.
func TestEvents(t *testing.T) {
	m := two
	m.cycles = 40
	m.edit = func(cycle int, t *workload.Turn, s *record.Source) {
		if cycle == 0 {
			s.Target = "http://elsewhere"
		}
		if cycle >= 20 {
			t.Start = t.Start.Add(5 * time.Hour)
			s.Version = "2"
			for i := range t.Results {
				t.Results[i].Epoch.Version = "1.0.71"
			}
		}
	}
	r := of(t, m)
	var what []string
	for _, e := range r.Course.Events {
		what = append(what, e.Model+": "+e.What)
	}
	want := []string{
		": nothing was measured for 5 hours", ": exporter 2 instead of 1",
		"llama-3.1-8b: measured by another method from here on: another version (1.0.71 instead of unknown)",
		"llama-3.2-1b: measured by another method from here on: another version (1.0.71 instead of unknown)",
	}
	if !slices.Equal(what, want) {
		t.Errorf("events: %q", what)
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.HasPrefix(n, "2 turns left out") }) ||
		!slices.ContainsFunc(r.Notes, func(n string) bool { return strings.HasPrefix(n, "38 turns drawn in the course of time only") }) {
		t.Errorf("notes: %q", r.Notes)
	}
	engines := []report.Engine{{Name: "exo", Version: "1.0.71"}} // of what is compared, not of what is drawn only
	if got := r.Method; !slices.Equal(got.Exporters, []string{"1", "2"}) || !slices.Equal(got.Engines, engines) ||
		!slices.Equal(got.Machines, []workload.Machine{mini}) || got.Prompts != 4 || got.BuiltIn {
		t.Errorf("method: %+v", got)
	}
}

// What is said of the method is of the turns that figures are of: neither of an older method, nor of another id, nor of a turn that
// yielded nothing.
func TestMethod(t *testing.T) {
	m := two
	studio := workload.Machine{Kind: "Mac Studio", Chip: "Apple M3 Ultra", MemoryBytes: 512 << 30}
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		switch {
		case cycle < 3: // an older method, on another machine
			t.Host.Machines = []workload.Machine{studio}
			for i := range t.Results {
				r := &t.Results[i]
				r.Epoch.Dialect, r.Epoch.Endpoint, r.Epoch.Engine, r.Epoch.Nonce = workload.DialectOllama, "old", "ollama", true
			}
		case cycle < 6 && t.Model == "llama-3.1-8b": // two equal machines
			t.Host.Machines = []workload.Machine{mini, mini}
		case cycle < 8: // asked for by another id
			t.ExoModel = "mlx-community/another"
		case cycle == 11 && t.Model == "llama-3.2-1b":
			t.Outcome, t.Results, t.ExoModel = workload.TurnFailed, nil, "mlx-community/failed"
			t.Host.Machines = []workload.Machine{studio, studio}
		}
	}
	r := of(t, m)
	got := r.Method
	if !slices.Equal(got.Machines, []workload.Machine{mini, mini}) || !slices.Equal(got.Dialects, []string{string(workload.DialectExo1)}) ||
		!slices.Equal(got.Routes, []string{string(workload.EndpointBench)}) || !slices.Equal(got.Engines, []report.Engine{{Name: "exo"}}) ||
		got.Nonce {
		t.Errorf("%+v", got)
	}
	for _, model := range r.Models {
		if model.ExoModel != "mlx-community/"+model.Name {
			t.Errorf("%s was asked for as %s", model.Name, model.ExoModel)
		}
	}
	// The newest turns are of an id that is not public: so are the figures, and no id is told.
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		if cycle > 5 {
			t.ExoModel = "/Users/alice/model"
		}
	}
	if id := of(t, m).Models[0].ExoModel; id != "" {
		t.Errorf("figures of another model have the id %s", id)
	}
}

// That the exporter was told to stop is no failure of a model: it is counted as what it is.
func TestCanceled(t *testing.T) {
	m := two
	m.speed = map[string]float64{"llama-3.1-8b": 48, "llama-3.2-1b": 245, "mistral-7b": 50, "qwen-1.5-7b": 0}
	m.edit = func(cycle int, t *workload.Turn, _ *record.Source) {
		switch {
		case t.Model == "llama-3.1-8b" && cycle == 11:
			t.Outcome = workload.TurnCanceled
			t.Results[3] = workload.Result{Model: t.Model, Prompt: "four", Outcome: workload.OutcomeCanceled, Start: t.Start}
		case t.Model == "llama-3.2-1b" && cycle == 10:
			t.Outcome = workload.TurnPartial
			t.Results[0] = workload.Result{Model: t.Model, Prompt: "one", Outcome: workload.OutcomeTruncated, Start: t.Start}
			t.Results[1] = workload.Result{Model: t.Model, Prompt: "two", Outcome: workload.OutcomeCanceled, Start: t.Start}
		case t.Model == "mistral-7b":
			t.Outcome = workload.TurnCanceled
			t.Results = []workload.Result{{Model: t.Model, Prompt: "one", Outcome: workload.OutcomeCanceled, Start: t.Start}}
		case t.Model == "qwen-1.5-7b" && cycle == 11:
			t.Outcome = workload.TurnCanceled
		}
	}
	r := of(t, m)
	said(t, r, "93 of 94 requests succeeded")
	said(t, r, "llama-3.2-1b failed in 1 of 47 requests: the answer broke off (1).")
	said(t, r, "qwen-1.5-7b was never measured: the node does not know the model or cannot place it (11).")
	for _, s := range r.Summary {
		if strings.Contains(s, "told to stop") || strings.HasPrefix(s, "mistral-7b") || strings.HasPrefix(s, "llama-3.1-8b failed") {
			t.Errorf("it is said: %s", s)
		}
	}
	if c := r.Models[0]; c.Asked != 47 || c.OK != 47 || c.Failed() != 0 {
		t.Errorf("%d of %d", c.OK, c.Asked)
	}
	if got := r.Models[2].Requests; len(got) != 1 || got[0].Name != "canceled" || got[0].N != 12 {
		t.Errorf("%+v", got)
	}
}

// By kind, each figure is of the prompts of that kind alone.
func TestKinds(t *testing.T) {
	r := of(t, two)
	if len(r.Kinds) != 4 || r.Kinds[3].Name != "kind of four" {
		t.Fatalf("%+v", r.Kinds)
	}
	one, four := r.Kinds[0].Models[0].Decode.Value, r.Kinds[3].Models[0].Decode.Value
	if math.Abs(four/one/1.06-1) > 0.01 {
		t.Errorf("one %v, four %v", one, four)
	}
}

// What a histogram counted gives about the quantiles that its samples have.
func TestBinned(t *testing.T) {
	var buckets []report.Bucket
	for k := range 100 { // 1 to 100 ms, 10 samples in each
		buckets = append(buckets, report.Bucket{Low: float64(k+1) / 1000, High: float64(k+2) / 1000, Count: 10})
	}
	d := report.Binned(buckets)
	r, err := report.Of(made{cycles: 1, speed: map[string]float64{"llama-3.1-8b": 48}, edit: func(_ int, t *workload.Turn, _ *record.Source) {
		for i := range t.Results {
			t.Results[i].Gaps = nil
		}
	}}.records(), report.Options{Gaps: map[string]report.Distribution{"llama-3.1-8b": d}})
	if err != nil {
		t.Fatal(err)
	}
	m := r.Models[0]
	if d.N != 1000 || math.Abs(m.Gap50.Value/0.051-1) > 0.05 || math.Abs(m.Gap99.Value/0.1-1) > 0.05 {
		t.Errorf("%d samples, p50 %v, p99 %v", d.N, m.Gap50.Value, m.Gap99.Value)
	}
}

// Bounds that are no times leave a distribution finite, and what has no bound at all tells nothing.
func TestBinnedBounds(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		bucket      report.Bucket
		n           int
		first, last float64 // seconds
	}{
		"from nothing":     {report.Bucket{High: 0.02, Count: 5}, 5, 0.01, 0.02},
		"from below":       {report.Bucket{Low: -inf, High: 0.02, Count: 5}, 5, 0.01, 0.02},
		"without end":      {report.Bucket{Low: 2, High: inf, Count: 5}, 5, 2, 4},
		"around zero":      {bucket: report.Bucket{Low: -1e-9, High: 1e-9, Count: 5}},
		"without bounds":   {bucket: report.Bucket{Low: -inf, High: inf, Count: 5}},
		"of all times":     {bucket: report.Bucket{Low: 0, High: inf, Count: 5}},
		"of negative ones": {bucket: report.Bucket{Low: -2, High: -1, Count: 5}},
		"of no width":      {bucket: report.Bucket{Low: 1, High: 1, Count: 5}},
	} {
		d := report.Binned([]report.Bucket{c.bucket})
		if d.N != c.n {
			t.Errorf("%s: %d samples", name, d.N)
		}
		first, last, ok := d.Span()
		if ok != (c.n > 0) || ok && (report.Bound(first-1) > c.first*1.0001 || report.Bound(first) < c.first ||
			report.Bound(last-1) > c.last || report.Bound(last) < c.last*0.9999) {
			t.Errorf("%s: bins from %v to %v s", name, report.Bound(first-1), report.Bound(last))
		}
	}
}
