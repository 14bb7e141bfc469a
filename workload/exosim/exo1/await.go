package exo1

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// handleAwait answers GET /instance/await. Like exo it says ready as soon as the instance
// is in the state, whatever its runner does.
func (n *Node) handleAwait(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	timeout, err := strconv.ParseFloat(q.Get("timeout_seconds"), 64)
	if q.Has("timeout_seconds") && (err != nil || timeout < 0 || timeout > 300) {
		wire.Unprocessable(w, wire.Invalid{
			Type: "less_than_equal", Loc: []any{"query", "timeout_seconds"},
			Msg: "Input should be less than or equal to 300", Input: q.Get("timeout_seconds"),
		})
		return
	}
	events, err := wire.StartStream(w)
	if err != nil {
		return
	}
	model := q.Get("model_id")
	deadline, beat := time.Now().Add(n.Clock.Scaled(pace.Seconds(timeout))), time.Now().Add(n.Clock.Scaled(pace.KeepAliveEvery))
	for {
		now := time.Now()
		if i := n.cluster.leastLoaded(model); i != nil {
			_ = events.Send(wire.DataEvent(wire.Encode(struct {
				Type     string          `json:"type"`
				Instance json.RawMessage `json:"instance"`
			}{"ready", wire.RenameKeys(wire.Encode(n.wireInstance(i)), wire.ToSnake)})))
			return
		}
		if timeout > 0 && !now.Before(deadline) {
			_ = events.Send(wire.DataEvent(wire.Encode(struct {
				Type    string `json:"type"`
				Message string `json:"message"`
			}{"timeout", "No instance found for model " + model})))
			return
		}
		if !now.Before(beat) {
			if events.KeepAlive() != nil {
				return
			}
			beat = now.Add(n.Clock.Scaled(pace.KeepAliveEvery))
		}
		next := n.Clock.NextTick(now)
		if timeout > 0 && deadline.Before(next) {
			next = deadline
		}
		if pace.SleepUntil(r.Context(), next) != nil || n.Context().Err() != nil {
			return
		}
	}
}
