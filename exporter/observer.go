package exporter

import (
	"time"

	"exo-bench-exporter/workload"
)

// Observer feeds Metrics from what a workload.Runner does. What concerns a model or prompt
// that is not configured (any more) is dropped, so that its series do not come back.
type Observer struct {
	m *Metrics
}

var _ workload.Observer = Observer{}

// NewObserver returns an Observer that feeds m.
func NewObserver(m *Metrics) Observer { return Observer{m} }

// CycleStarted implements workload.Observer.
func (o Observer) CycleStarted(int, []workload.Model, time.Time) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.m.cycle.running.Record(true)
}

// TurnStarted implements workload.Observer.
func (o Observer) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (o Observer) RequestDone(r workload.Result) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	model := o.m.series[r.Model]
	if model == nil || r.Warmup || r.Outcome == workload.OutcomeCanceled {
		return
	}
	prompt := model.prompts[r.Prompt]
	if prompt == nil {
		return
	}
	if r.Clean() {
		o.m.enter(model, r.Epoch)
	}
	o.m.dropped.Record(dropped{DroppedStrings, tooLong(r.Err, r.ExoModel, r.Answered)})
	prompt.Record(r)
	model.requests.Record(r)
	model.answers.compared(r.Prompt, r.Repeats)
	o.m.stamps.record(r)
	if r.Endpoint != "" {
		o.m.node.setEndpoint(r.Endpoint)
	}
}

// TurnDone implements workload.Observer.
func (o Observer) TurnDone(t workload.Turn) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	model := o.m.series[t.Model]
	if model == nil || t.Outcome == workload.TurnCanceled {
		return
	}
	if len(t.CleanResults()) > 0 {
		o.m.enter(model, t.Epoch())
		model.goodCycles.Record(t)
	}
	o.m.dropped.Record(dropped{DroppedStrings, tooLong(t.Reason, t.ExoModel)})
	model.turns.Record(t)
	model.conditions.show(t)
	model.answers.turn(t)
	if t.Outcome.Good() {
		model.memory.Record(t.Memory)
	} else {
		model.memory.Withdraw()
	}
	id := t.ExoModel
	if id == "" {
		id = model.model.ExoID
	}
	model.identity.Record(measured{model.model, id})

	asked := make(map[string]bool)
	for _, r := range t.Results {
		asked[r.Prompt] = true
	}
	for id, prompt := range model.prompts {
		if !asked[id] {
			prompt.Withdraw()
		}
	}
}

// CycleDone implements workload.Observer.
func (o Observer) CycleDone(c workload.Cycle) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.m.cycle.running.Record(false)
	o.m.cycle.done.Record(c)
	o.m.epochs.cycleDone()
}
