package exosim

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// defaultMaxTokens is what exo 1.x generates at most when it is not told.
const defaultMaxTokens = 32168

// chat answers POST /v1/chat/completions and, when bench is set, /bench/chat/completions.
func (n *Node) chat(bench bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		received := time.Now()
		var req chatRequest
		if !readJSON(w, r, &req) || !validChat(w, req) {
			return
		}
		fault := n.strikeRequest(req.Model)
		if fault != nil && n.answerFault(w, r, *fault) {
			return
		}
		i := n.leastLoaded(req.Model)
		if i == nil {
			refuse(w, http.StatusNotFound, "No instance found for model "+req.Model)
			return
		}
		if n.awaitMaster(r.Context()) != nil {
			return
		}
		limit := defaultMaxTokens
		if req.MaxTokens != nil {
			limit = max(1, *req.MaxTokens)
		}
		g := n.newGeneration(r.Context(), i.profile, req, limit, bench)
		g.truth.Received, g.truth.Route, g.fault = received, r.URL.Path, fault
		streamed := req.Stream && !(bench && n.opts.Variant == V1071)
		id := n.enter(g, i, req, bench, streamed)
		switch {
		case streamed:
			n.streamChat(w, r, g, id)
		case bench:
			n.benchJSON(w, r, g, id)
		default:
			n.documentChat(w, r, g, id)
		}
	}
}

// validChat answers 422 when the request lacks what exo demands.
func validChat(w http.ResponseWriter, req chatRequest) bool {
	var problems []invalid
	if req.Model == "" {
		problems = append(problems, missing("model", map[string]any{}))
	}
	if req.Messages == nil {
		problems = append(problems, missing("messages", map[string]any{"model": req.Model}))
	}
	if len(problems) > 0 {
		unprocessable(w, problems...)
	}
	return len(problems) == 0
}

// enter hands the generation to the instance and returns the task it became. The answer's
// id is exo's command id.
func (n *Node) enter(g *generation, i *instance, req chatRequest, bench, streamed bool) *textTask {
	commandID, taskID := newUUID(), newUUID()
	g.inst = i
	g.share = func() float64 { return n.contention(i) }
	g.truth.ID, g.truth.Model, g.truth.Streamed = commandID, req.Model, streamed
	n.mu.Lock()
	defer n.mu.Unlock()
	n.putTask(taskID, newTextTask(taskID, commandID, i, req, bench))
	if g.fault != nil && g.fault.Kind == Empty {
		g.answer.length = 0
	}
	i.active[g] = struct{}{}
	n.truths.add(g.truth)
	_, warm := n.activeLocked(WarmBench, i.profile.ExoID)
	return &textTask{id: taskID, commandID: commandID, useCache: !bench || req.UsePrefixCache || warm}
}

// textTask identifies a running generation.
type textTask struct {
	id, commandID string
	useCache      bool
}

// contention returns by which factor a request of i takes longer because of the others:
// instances share the memory's bandwidth evenly, and a batch of one instance costs a
// little more for each further request.
func (n *Node) contention(i *instance) float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	busy := 0
	for _, other := range n.instances {
		if other.status.tag == runnerRunning {
			busy++
		}
	}
	return float64(max(1, busy)) * (1 + 0.15*float64(max(0, len(i.active)-1)))
}

// generate runs the generation to its end. The error says why it ended early.
func (n *Node) generate(ctx context.Context, g *generation, t *textTask) (err error) {
	defer func() { n.leave(g, t, err) }()
	if g.fault != nil && g.fault.Kind == DeadInstance {
		if err := g.strike(); err != nil {
			return err
		}
	}
	if err := n.awaitReady(ctx, g); err != nil {
		return err
	}
	g.due = n.nextTick(time.Now())
	if err := g.wait(ctx, g.due, nil); err != nil {
		return err
	}
	n.startText(g, t)
	if err := g.prefill(ctx); err != nil {
		return err
	}
	if t.useCache {
		n.mu.Lock()
		g.inst.store(g.prompt, g.promptTPS)
		n.mu.Unlock()
	}
	return g.decode(ctx)
}

// awaitReady waits until the runner can work; exo knows no limit to that.
func (n *Node) awaitReady(ctx context.Context, g *generation) error {
	for {
		n.mu.Lock()
		status, changed := g.inst.status.tag, g.inst.changed
		n.mu.Unlock()
		if status == runnerReady || status == runnerRunning {
			return nil
		}
		if err := g.wait(ctx, time.Time{}, changed); err != nil {
			return err
		}
	}
}

// startText marks the task and the runner as running and asks the prefix cache.
func (n *Node) startText(g *generation, t *textTask) {
	n.taskStatus(t.id, "Running")
	n.mu.Lock()
	defer n.mu.Unlock()
	if g.inst.status.tag == runnerReady {
		n.setStatusLocked(g.inst, runnerStatus{tag: runnerRunning})
	}
	if t.useCache {
		g.cached, g.hit, g.promptTPS = g.inst.lookup(g.prompt)
	}
	g.truth.CachedTokens = g.cached
	g.kvTokens = g.prompt.tokens
	n.settleMemory(g.inst)
}

// leave ends the generation's task.
func (n *Node) leave(g *generation, t *textTask, err error) {
	status, end := "Complete", "ok"
	var a *interruption
	switch {
	case errors.As(err, &a):
		status, end = "Failed", a.Error()
	case errors.Is(err, errCut), errors.Is(err, errReset), errors.Is(err, errClosed):
		status, end = "Failed", err.Error()
	case err != nil:
		status, end = "Cancelled", "client disconnected"
	}
	n.mu.Lock()
	n.settleMemory(g.inst) // with the KV cache at its largest
	delete(g.inst.active, g)
	if len(g.inst.active) == 0 && g.inst.status.tag == runnerRunning {
		n.setStatusLocked(g.inst, runnerStatus{tag: runnerReady})
	}
	n.settleMemory(g.inst)
	g.truth.End, g.truth.Done = end, time.Now()
	if err == nil {
		g.truth.Finish = g.answer.finish
	}
	n.mu.Unlock()
	n.endTask(t.id, status)
}

// awaitMaster waits until there is a master that takes commands.
func (n *Node) awaitMaster(ctx context.Context) error {
	n.mu.Lock()
	until := n.pausedTill
	n.mu.Unlock()
	if time.Now().Before(until) {
		return sleepUntil(ctx, until)
	}
	return nil
}

// cancelText answers POST /v1/cancel/{id}.
func (n *Node) cancelText(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	n.mu.Lock()
	found := false
	for _, i := range n.instances {
		for g := range i.active {
			if g.truth.ID == id {
				g.end(&interruption{silent: true})
				found = true
			}
		}
	}
	n.mu.Unlock()
	if !found {
		refuse(w, http.StatusNotFound, "Command not found or already completed")
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Message   string `json:"message"`
		CommandID string `json:"command_id"`
	}{"Command cancelled.", id})
}
