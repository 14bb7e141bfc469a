package compare

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

func find(t *testing.T, c Comparison, quantity string) Change {
	t.Helper()
	i := slices.IndexFunc(c.Changes, func(c Change) bool { return c.Quantity.Name == quantity })
	if i < 0 {
		t.Fatalf("%s is not compared: %+v", quantity, c.Changes)
	}
	return c.Changes[i]
}

// A model that is five per cent slower has lower rates and longer times, and its memory is as it was.
func TestSides(t *testing.T) {
	c, err := Sides(reference(1, 20).side("a"), reference(1, 20).changed(0.95).side("b"), 0.02)
	if err != nil || len(c.Notes) > 0 {
		t.Fatal(err, c.Notes)
	}
	for _, want := range []struct {
		quantity string
		verdict  Verdict
		ratio    float64
		prompts  int
	}{
		{"decode", Lower, -0.05, 10},
		{"prefill", Lower, -0.05, 10},
		{"ttft", Higher, 1/0.95 - 1, 10},
		{"itl_p50", Higher, 1/0.95 - 1, 10},
		{"e2e", Higher, 1/0.95 - 1, 10},
		{"memory", Same, 0, 1},
	} {
		got := find(t, c, want.quantity)
		if got.Verdict != want.verdict || math.Abs(got.Ratio.Centre-want.ratio) > 0.015 || got.Prompts != want.prompts ||
			got.Turns != [2]int{20, 20} {
			t.Errorf("%s: %+v", want.quantity, got)
		}
		if r := got.After/got.Before - 1; math.Abs(r-got.Ratio.Centre) > 0.01 {
			t.Errorf("%s: from %v to %v is %v, but the change is %v", want.quantity, got.Before, got.After, r, got.Ratio.Centre)
		}
		if worse := got.Worse(0.03); worse != (want.ratio != 0) || got.Worse(0.2) {
			t.Errorf("%s: worse than 3 %%: %v", want.quantity, worse)
		}
	}
	if len(c.Changes) != 6 { // one gap a request makes no p99, and there is no energy
		t.Errorf("%d changes", len(c.Changes))
	}
	// Nothing is worse the other way round.
	back, err := Sides(reference(1, 20).changed(0.95).side("b"), reference(1, 20).side("a"), 0.02)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range back.Changes {
		if got.Worse(0) {
			t.Errorf("faster, yet %+v", got)
		}
	}
}

// Of a side of which no turn shows half of the prompts there is no number to be said.
func TestNoTurn(t *testing.T) {
	a, b := reference(1, 5).side("a"), reference(2, 5).side("b")
	for i, turn := range b.Turns["m"] {
		b.Turns["m"][i].Results = turn.Results[i : i+1]
	}
	c, err := Sides(a, b, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	got := find(t, c, "decode")
	if want := "cannot tell: needs about 5 more"; got.Turns != [2]int{5, 0} || got.Words() != want {
		t.Errorf("%q of %+v", got.Words(), got)
	}
}

// What few turns cannot tell is not said, but how many would.
func TestFewTurns(t *testing.T) {
	for turns, more := range map[int]int{1: 4, 2: 3, 4: 1} {
		c, err := Sides(reference(1, turns).side("a"), reference(1, turns).changed(0.5).side("b"), 0.02)
		if err != nil {
			t.Fatal(err)
		}
		got := find(t, c, "decode")
		if got.Verdict != Unknown || got.More != more || got.Known != (turns == 4) || math.Abs(got.Ratio.Centre+0.5) > 0.05 {
			t.Errorf("%d turns: %+v", turns, got)
		}
	}
	// The number that is said is about right: half of as many are not enough, twice as many are.
	noisy := reference(3, 8)
	noisy.turn = 0.06
	c, err := Sides(noisy.side("a"), noisy.changed(1).side("b"), 0.02)
	if err != nil {
		t.Fatal(err)
	}
	got := find(t, c, "decode")
	if got.Verdict != Unknown || got.More < 20 || got.More > 500 {
		t.Fatalf("%+v", got)
	}
	noisy.turns = 8 + 2*got.More
	c, err = Sides(noisy.side("a"), noisy.changed(1).side("b"), 0.02)
	if err != nil || find(t, c, "decode").Verdict != Same {
		t.Errorf("with %d turns: %v, %+v", noisy.turns, err, find(t, c, "decode"))
	}
}

// A change of one prompt in ten is not the model's, and is named.
func TestPromptsApart(t *testing.T) {
	one := reference(5, 30).changed(0.5)
	one.one = true
	c, err := Sides(reference(5, 30).side("a"), one.side("b"), 0.02)
	if err != nil {
		t.Fatal(err)
	}
	got := find(t, c, "decode")
	if got.Verdict != Same || len(got.Apart) != 1 || got.Apart[0].Prompt != "p0" || math.Abs(got.Apart[0].Ratio.Centre+0.5) > 0.02 {
		t.Errorf("%+v", got)
	}
}

// A prompt that one side does not have takes no part, and one that fails now and then moves nothing.
func TestPromptsArePaired(t *testing.T) {
	edit := func(s Side, keep func(turn int, r workload.Result) bool) Side {
		for i, turn := range s.Turns["m"] {
			var results []workload.Result
			for _, r := range turn.Results {
				if keep(i, r) {
					results = append(results, r)
				}
			}
			s.Turns["m"][i].Results = results
		}
		return s
	}
	a := edit(reference(1, 20).side("a"), func(_ int, r workload.Result) bool { return r.Prompt != "p1" })
	b := edit(reference(1, 20).changed(1).side("b"), func(i int, r workload.Result) bool {
		return r.Prompt != "p2" && (r.Prompt != "p9" || i%2 == 0) // the fastest
	})
	c, err := Sides(a, b, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	if got := find(t, c, "decode"); got.Prompts != 8 || got.Verdict != Same || math.Abs(got.Ratio.Centre) > 0.015 {
		t.Errorf("%+v", got)
	}
}

// What is not clean, contradicted or shorter than asked for is in no figure.
func TestOnlyCleanResults(t *testing.T) {
	spoil := func(change func(*workload.Result)) Comparison {
		b := reference(1, 6).changed(1).side("b")
		for i := range b.Turns["m"] {
			for j := range b.Turns["m"][i].Results {
				change(&b.Turns["m"][i].Results[j])
			}
		}
		c, err := Sides(reference(1, 6).side("a"), b, 0.02)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		change func(*workload.Result)
		gone   []string
	}{
		"contended": {func(r *workload.Result) { r.Contended = true }, []string{"decode", "prefill", "ttft", "itl_p50", "e2e"}},
		"starved":   {func(r *workload.Result) { r.Starved = true }, []string{"decode", "ttft"}},
		"short":     {func(r *workload.Result) { r.AskedTokens = 300 }, []string{"e2e"}},
		"contradicted": {
			func(r *workload.Result) { r.Server = &workload.ServerStats{GenerationTPS: 1000} },
			[]string{"decode"},
		},
		"not counted": {func(r *workload.Result) { r.TokenSource = workload.TokensUnknown }, []string{"e2e"}},
		"not timed":   {func(r *workload.Result) { r.Timed = false }, []string{"decode", "ttft", "e2e"}},
	} {
		got := spoil(c.change)
		for _, quantity := range c.gone {
			if slices.ContainsFunc(got.Changes, func(c Change) bool { return c.Quantity.Name == quantity }) {
				t.Errorf("%s: %s is compared", name, quantity)
			}
		}
	}
}

// What cannot be compared is refused, what differs beside the speed is said.
func TestComparable(t *testing.T) {
	edited := func(edit func(*record.Record)) Side {
		all := reference(1, 6).changed(1).records("m")
		for i := range all {
			edit(&all[i])
		}
		s, err := NewSide("b", all)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	epochs := func(edit func(*workload.Epoch)) func(*record.Record) {
		return func(r *record.Record) {
			for i := range r.Turn.Results {
				edit(&r.Turn.Results[i].Epoch)
			}
		}
	}
	for name, c := range map[string]struct {
		edit func(*record.Record)
		err  string // part of the error
		note string // part of the only note
	}{
		"simulator": {edit: func(r *record.Record) { r.Simulated = true }, err: "simulator"},
		"suite":     {edit: func(r *record.Record) { r.Suite.SHA256 = "6" }, err: "different prompts"},
		"no model in common": {edit: func(r *record.Record) {
			r.Turn.Model = "other"
		}, err: "no model is in both"},
		"node":     {edit: func(r *record.Record) { r.Target = "http://mac-2:52415" }, note: "http://localhost:52415 and http://mac-2:52415"},
		"exporter": {edit: func(r *record.Record) { r.Version = "2" }, note: "exporters differ"},
		"route":    {edit: epochs(func(e *workload.Epoch) { e.Endpoint = workload.EndpointV1 }), note: "(endpoint differ)"},
		"engine": {edit: epochs(func(e *workload.Epoch) {
			e.Engine, e.Version = "llama.cpp", "b1"
		}), note: "(engine, version differ)"},
		"weights": {edit: func(r *record.Record) { r.Turn.ExoModel = "id/m-8bit" }, note: "another model was asked for"},
	} {
		got, err := Sides(reference(1, 6).side("a"), edited(c.edit), 0.02)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], c.note) || len(got.Changes) == 0 {
			t.Errorf("%s: %v, notes %q", name, err, got.Notes)
		}
	}
}

// A file in which the method changes is read from the last change on.
func TestSideIsOfOneMethod(t *testing.T) {
	all := reference(1, 10).records("m")
	for i := range 4 {
		for j := range all[i].Turn.Results {
			all[i].Turn.Results[j].Epoch.Endpoint = workload.EndpointV1
		}
	}
	slices.Reverse(all)
	s, err := NewSide("a", all)
	if err != nil || s.Left != 4 || len(s.Turns["m"]) != 6 || !s.Turns["m"][0].Start.Equal(madeStart.Add(4*15*time.Minute)) {
		t.Errorf("%v: %d left, %d turns", err, s.Left, len(s.Turns["m"]))
	}
	if n := notes(s, s); len(n) != 2 || !strings.Contains(n[0], "a: 4 turns left out") {
		t.Errorf("notes %q", n)
	}
	if _, err := NewSide("a", nil); err == nil {
		t.Error("a side without turns")
	}
	// A turn in which nothing was clean was measured by no other method: it shows nothing.
	disturbed := reference(1, 3).records("m")
	for i := range disturbed[1].Turn.Results {
		disturbed[1].Turn.Results[i].Contended = true
	}
	if s, err := NewSide("a", disturbed); err != nil || s.Left != 0 || len(s.Turns["m"]) != 2 {
		t.Errorf("%v: %d left, %d turns", err, s.Left, len(s.Turns["m"]))
	}
	if _, err := NewSide("a", disturbed[1:2]); err == nil {
		t.Error("a side of which nothing is clean")
	}
}

// Models are put in order on the prompts that all of them have, and where the order is noise it is not called one.
func TestModels(t *testing.T) {
	all := reference(1, 12).records("slow")
	all = append(all, reference(2, 12).changed(5).records("fast")...)
	all = append(all, reference(3, 12).records("slow, too")...)
	for _, r := range all {
		if r.Turn.Model == "fast" { // which does not have p0
			r.Turn.Results = r.Turn.Results[1:]
		}
	}
	s, err := NewSide("", all)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Models(s, 0.02) {
		first, second, third := r.Ranks[0], r.Ranks[1], r.Ranks[2]
		switch r.Quantity.Name {
		case "decode", "ttft":
			if r.Prompts != 9 || first.Model != "fast" || third.Against.Verdict == Higher || third.Against.Verdict == Lower {
				t.Errorf("%s on %d prompts: %+v", r.Quantity.Name, r.Prompts, r.Ranks)
			}
			if got := second.Against.Ratio.Centre; math.Abs(got-map[string]float64{"decode": -0.8, "ttft": 4}[r.Quantity.Name]) > 0.15 {
				t.Errorf("%s: the second is %+v of the first", r.Quantity.Name, got)
			}
		}
	}
}
