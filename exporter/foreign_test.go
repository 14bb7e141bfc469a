package exporter

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/workload"
)

// long is what a hostile node puts into every text.
var long = "\x1b[31m" + strings.Repeat("x\n", 2_500_000) + "\xff"

// texts calls f with every string that v holds.
func texts(v reflect.Value, f func(string)) {
	if v.CanInterface() {
		if err, ok := v.Interface().(error); ok && !v.IsZero() {
			f(err.Error())
			return
		}
		if _, ok := v.Interface().(time.Time); ok {
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		f(v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			texts(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			texts(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			texts(key, f)
			texts(v.MapIndex(key), f)
		}
	}
}

func expectBrief(t *testing.T, held any) {
	t.Helper()
	found := 0
	texts(reflect.ValueOf(held), func(s string) {
		found++
		if len(s) > 1200 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%T holds a text of %d bytes: %.40q", held, len(s), s)
		}
	})
	if found < 5 {
		t.Errorf("only %d texts were found", found)
	}
}

// hostile is a failed result of a configured model whose every other text is long.
func hostile(i int) workload.Result {
	text := fmt.Sprint(i) + long
	return workload.Result{
		Model: "mistral-7b", ExoModel: text, Answered: text, Prompt: text, Kind: text, ResponseID: text, Start: epoch,
		Outcome: workload.Outcome(text), Err: text, FinishReason: text,
		Epoch: workload.Epoch{Engine: text, Version: text},
	}
}

func TestLongTextsAreNotKept(t *testing.T) {
	s := NewStore(testOptions())
	s.SetStatus(workload.Status{Dialect: workload.Dialect(long), Err: errors.New(long), Nodes: []workload.NodeStatus{{Name: long}}})
	s.CycleStarted(0, testOptions().Models, epoch)
	var results []workload.Result
	for i := range 10 {
		r := hostile(i)
		s.RequestDone(r)
		r.Outcome, r.Contended = workload.OutcomeOK, true
		results = append(results, r)
	}
	turn := turnOf("mistral-7b", workload.TurnPartial, results...)
	turn.ExoModel, turn.Reason = long, long
	s.TurnDone(turn)
	s.TurnDone(workload.Turn{Model: "mistral-7b", Outcome: workload.TurnUnavailable, Reason: long, ExoModel: long})
	expectBrief(t, s.State())
	if page := showPage(t, s); len(page) > 100_000 {
		t.Errorf("the page has %d bytes", len(page))
	}

	a, reg := newTestAgent(t)
	a.Contact(cluster.State{Version: long, Turn: &cluster.Turn{Model: long, Phase: workload.Phase(long)}}, nil)
	a.Seen(long, wholeMemory, true)
	expectBrief(t, a.driver)
	a.Contact(cluster.State{}, errors.New(long))
	if len(a.err.Error()) > maxReason {
		t.Errorf("the agent holds an error of %d bytes", len(a.err.Error()))
	}
	if text := exposition(t, reg); len(text) > 20_000 {
		t.Errorf("the exposition has %d bytes", len(text))
	}
}

func TestLongTextsInMetricsAreCutAndCounted(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	r := okResult("mistral-7b", "short")
	r.ExoModel, r.Epoch.Engine, r.Epoch.Version = long, long, long
	o.RequestDone(r)
	turn := turnOf("mistral-7b", workload.TurnOK, r)
	turn.ExoModel = long
	o.TurnDone(turn)
	m.SetStatus(
		workload.Status{Dialect: workload.Dialect(long), Err: errors.New(long), Nodes: []workload.NodeStatus{{Name: long, PowerWatts: ptr(1.0)}}},
	)
	if text := exposition(t, reg); len(text) > 100_000 {
		t.Errorf("the exposition has %d bytes", len(text))
	}
	expect(t, reg, map[string]string{`dropped_total{what="strings"}`: "3"})
}

// A node that invents machines, and a driver that invents models, make no series without bound.
func TestInventedThingsMakeNoSeries(t *testing.T) {
	const invented = 20_000
	m, reg := newTestMetrics(t, testOptions())
	before := len(series(t, reg))
	var nodes []workload.NodeStatus
	for i := range invented {
		nodes = append(nodes, workload.NodeStatus{Name: fmt.Sprint("node-", i), PowerWatts: ptr(1.0)})
	}
	m.SetStatus(workload.Status{Up: true, Nodes: nodes})
	if got := len(series(t, reg)) - before; got != maxNodes+1 { // and exo_up
		t.Errorf("%d machines make %d series", invented, got)
	}
	expect(t, reg, map[string]string{`dropped_total{what="series"}`: fmt.Sprint(invented - maxNodes)})
	m.SetStatus(workload.Status{Up: true, TooBig: true})
	expect(t, reg, map[string]string{`dropped_total{what="series"}`: fmt.Sprint(invented - maxNodes + 1)})
	store := NewStore(testOptions())
	store.SetStatus(workload.Status{Up: true, Nodes: nodes})
	if got := len(store.State().Status.Nodes); got > maxNodes {
		t.Errorf("the store keeps %d machines", got)
	}

	a, agentReg := newTestAgent(t)
	for i := range invented {
		a.Seen(fmt.Sprint("model-", i), wholeMemory, true)
	}
	models := 0
	for name := range series(t, agentReg) {
		if strings.HasPrefix(name, "exobench_model_resident_memory_bytes{") {
			models++
		}
	}
	if models != maxAgentModels || len(a.models) != maxAgentModels {
		t.Errorf("%d models make %d series and %d rows", invented, models, len(a.models))
	}
	expect(t, agentReg, map[string]string{`dropped_total{what="series"}`: fmt.Sprint(invented - maxAgentModels)})
}
