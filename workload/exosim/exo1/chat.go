package exo1

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// defaultMaxTokens is what exo 1.x generates at most when it is not told.
const defaultMaxTokens = 32168

// chat answers POST /v1/chat/completions and, when bench is set, /bench/chat/completions.
func (n *Node) chat(bench bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		received := time.Now()
		var req wire.ChatRequest
		body, ok := wire.ReadBody(w, r, &req)
		if !ok || !validChat(w, req, body) {
			return
		}
		fault := n.Faults.StrikeRequest(req.Model)
		if fault != nil && n.Faults.Answer(r.Context(), w, *fault, wire.Refuse) {
			return
		}
		i := n.cluster.leastLoaded(req.Model)
		if i == nil {
			wire.Refuse(w, http.StatusNotFound, "No instance found for model "+req.Model)
			return
		}
		if n.master.await(r.Context()) != nil {
			return
		}
		limit := defaultMaxTokens
		if req.MaxTokens != nil {
			limit = max(1, *req.MaxTokens)
		}
		streamed := req.Stream && !(bench && n.opts.Variant == wire.V1071)
		q := n.enter(i, ask{
			client: r.Context(), body: req, route: r.URL.Path, bench: bench, streamed: streamed,
			limit: limit, exact: bench, fault: fault, received: received,
		})
		switch {
		case streamed:
			q.stream(w, r)
		case bench:
			q.benchDocument(w, r)
		default:
			q.document(w, r)
		}
	}
}

// validChat answers 422 when the request lacks what exo demands.
func validChat(w http.ResponseWriter, req wire.ChatRequest, body json.RawMessage) bool {
	var problems []wire.Invalid
	if req.Model == "" {
		problems = append(problems, wire.Missing("model", body))
	}
	if req.Messages == nil {
		problems = append(problems, wire.Missing("messages", body))
	}
	if len(problems) > 0 {
		wire.Unprocessable(w, problems...)
	}
	return len(problems) == 0
}

// breakOff breaks the connection under w when err says that it has to be, and then does not
// return.
func breakOff(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, pace.ErrReset):
		wire.ResetConnection(w)
	case errors.Is(err, pace.ErrClosed):
		panic(http.ErrAbortHandler)
	}
}

// cancelText answers POST /v1/cancel/{id}.
func (n *Node) cancelText(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !n.cluster.cancel(id) {
		wire.Refuse(w, http.StatusNotFound, "Command not found or already completed")
		return
	}
	wire.WriteJSON(w, http.StatusOK, struct {
		Message   string `json:"message"`
		CommandID string `json:"command_id"`
	}{"Command cancelled.", id})
}
