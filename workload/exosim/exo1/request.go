package exo1

import (
	"cmp"
	"context"
	"errors"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/truth"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// request is a text generation and the task that it is in the state. The answer's id is
// exo's command id.
type request struct {
	*pace.Generation
	node     *Node
	inst     *instance
	task     string
	id       string
	model    string // as the client named it
	received time.Time
	useCache bool
	hit      string
	fault    *faults.Fault // that strikes it; nil for none
}

// ask is what a request is made from.
type ask struct {
	client   context.Context
	body     wire.ChatRequest
	route    string
	bench    bool
	streamed bool
	limit    int
	exact    bool
	fault    *faults.Fault
	received time.Time
}

// enter hands a request to the instance.
func (n *Node) enter(i *instance, a ask) *request {
	q := &request{
		node: n, inst: i, task: world.UUID(), id: world.UUID(), model: a.body.Model, received: a.received, hit: hitNone,
		fault: a.fault,
	}
	q.Generation = n.Generation(world.Request{
		Truth:  truth.Truth{ID: q.id, Model: a.body.Model, Route: a.route, Received: a.received, Streamed: a.streamed},
		Client: a.client, Profile: i.profile, Prompt: pace.NewPrompt(a.body.Messages), Limit: a.limit, Exact: a.exact,
		Fault: a.fault, Share: func() float64 { return n.cluster.contention(i) }, Strike: q.strike,
	})
	_, warm := n.Faults.Active(faults.WarmBench, i.profile.ExoID)
	q.useCache = !a.bench || a.body.UsePrefixCache || warm
	n.tasks.put(q.task, textGeneration, n.textTask(q.task, q.id, i, a.body, a.bench))
	n.cluster.enter(i, q.Generation)
	return q
}

// strike lets a fault happen that concerns more than the answer.
func (q *request) strike(f faults.Fault, g *pace.Generation) error {
	switch f.Kind {
	case faults.RunnerKilled:
		q.inst.die(failure{cause: "signal=9 (Killed)", killed: true})
	case faults.DeadInstance:
		q.inst.die(failure{vanished: true})
	case faults.InstanceDeleted:
		q.node.remove(q.inst, EndedByFault)
	case faults.Election:
		q.node.elect(cmp.Or(pace.Seconds(f.Seconds), 30*time.Second))
	default:
		return nil
	}
	return g.Stall(0)
}

// run brings the answer forth. The error says why it ended early.
func (q *request) run(ctx context.Context) (err error) {
	defer func() { q.leave(err) }()
	if q.fault != nil && q.fault.Kind == faults.DeadInstance { // which needs no runner
		if err := q.Strike(q.Generation); err != nil {
			return err
		}
	}
	if err := q.awaitReady(ctx); err != nil {
		return err
	}
	err = q.node.worker.turn(func(t time.Time, freed <-chan struct{}) error { return q.Wait(ctx, t, freed) })
	if err != nil {
		return err
	}
	q.node.worker.release()
	q.Due = time.Now()
	q.start()
	if err := q.hook(); err != nil {
		return err
	}
	if err := q.Prefill(ctx); err != nil {
		return err
	}
	if q.useCache {
		q.node.cluster.store(q.inst, q.Prompt, q.PromptTPS)
	}
	return q.Decode(ctx)
}

// awaitReady waits until the runner can work; exo knows no limit to that.
func (q *request) awaitReady(ctx context.Context) error {
	for {
		status, changed := q.node.cluster.status(q.inst)
		if status.Tag == wire.RunnerReady || status.Tag == wire.RunnerRunning {
			return nil
		}
		if err := q.Wait(ctx, time.Time{}, changed); err != nil {
			return err
		}
	}
}

// start marks the task and the runner as running and asks the prefix cache.
func (q *request) start() {
	q.node.tasks.status(q.task, "Running")
	if q.useCache {
		q.Cached, q.hit, q.PromptTPS = q.node.cluster.lookup(q.inst, q.Prompt)
		q.Exact = q.hit == hitExact
	}
	q.Record.Cached(q.Cached)
	q.Begin()
	if q.node.cluster.start(q.inst) {
		q.node.event()
	}
}

// leave ends the request's task.
func (q *request) leave(err error) {
	status, end, finish := "Complete", "ok", q.Answer.Finish
	if err != nil {
		finish = ""
	}
	var a *pace.Interruption
	switch {
	case errors.As(err, &a):
		status, end = "Failed", a.Error()
	case errors.Is(err, pace.ErrCut), errors.Is(err, pace.ErrReset), errors.Is(err, pace.ErrClosed):
		status, end = "Failed", err.Error()
	case err != nil:
		status, end = canceled, "client disconnected"
	}
	if q.node.cluster.leave(q.inst, q.Generation) {
		q.node.event()
	}
	q.Record.Ended(end, finish)
	q.node.endTask(q, status)
}

// usage returns the answer's token counts.
func (q *request) usage() *wire.Usage {
	completion := q.Answer.Length
	if q.fault != nil && q.fault.Kind == faults.WrongUsage {
		completion = q.fault.Tokens
	}
	return &wire.Usage{
		PromptTokens: q.Prompt.Tokens, CompletionTokens: completion,
		TotalTokens:             q.Prompt.Tokens + completion,
		PromptTokensDetails:     wire.PromptDetails{CachedTokens: q.Cached},
		CompletionTokensDetails: wire.CompletionDetails{ReasoningTokens: q.Reasoned},
	}
}

// peakMemory returns peak_memory_usage as exo reports it: gigabytes of 10⁹ taken for 2³⁰,
// hence 7.37 % too high.
func (q *request) peakMemory() uint64 { return uint64(float64(q.Bytes()) / 1e9 * (1 << 30)) }
