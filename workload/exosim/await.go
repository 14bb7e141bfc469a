package exosim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// handleAwait answers GET /instance/await. Like exo it says ready as soon as the instance
// is in the state, whatever its runner does.
func (n *Node) handleAwait(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	timeout, err := strconv.ParseFloat(q.Get("timeout_seconds"), 64)
	if q.Has("timeout_seconds") && (err != nil || timeout < 0 || timeout > 300) {
		unprocessable(w, invalid{
			Type: "less_than_equal", Loc: []any{"query", "timeout_seconds"},
			Msg: "Input should be less than or equal to 300", Input: q.Get("timeout_seconds"),
		})
		return
	}
	events, err := startStream(w)
	if err != nil {
		return
	}
	model := q.Get("model_id")
	deadline, beat := time.Now().Add(n.scaled(seconds(timeout))), time.Now().Add(n.scaled(keepAliveEvery))
	for {
		now := time.Now()
		if i := n.leastLoaded(model); i != nil {
			_ = events.send(dataEvent(encode(struct {
				Type     string          `json:"type"`
				Instance json.RawMessage `json:"instance"`
			}{"ready", renameKeys(encode(n.wireInstance(i)), toSnake)})))
			return
		}
		if timeout > 0 && !now.Before(deadline) {
			_ = events.send(dataEvent(encode(struct {
				Type    string `json:"type"`
				Message string `json:"message"`
			}{"timeout", "No instance found for model " + model})))
			return
		}
		if !now.Before(beat) {
			if events.send([]byte(": keep-alive\n\n")) != nil {
				return
			}
			beat = now.Add(n.scaled(keepAliveEvery))
		}
		next := n.nextTick(now)
		if timeout > 0 && deadline.Before(next) {
			next = deadline
		}
		if sleepUntil(r.Context(), next) != nil || n.ctx.Err() != nil {
			return
		}
	}
}
