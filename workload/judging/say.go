package judging

import (
	"context"
	"log/slog"
	"time"

	"exo-bench-exporter/workload/judge"
)

// say logs what has begun or is over since before. It is called with c.mu held.
func (c *Clerk) say(before []judge.Verdict) {
	for _, n := range judge.Compare(before, c.verdicts) {
		level, message := slog.LevelWarn, "The speed has changed"
		if n.Alarm.Kind.Info() || n.Alarm.Shared {
			level = slog.LevelInfo
		}
		if n.Over {
			level, message = slog.LevelInfo, "A change of speed is over, or has become another"
		}
		model := n.Verdict.Model
		if model == "" {
			model = "all of the node"
		}
		c.o.Logger.Log(context.Background(), level, message, "model", model, "quantity", n.Verdict.Quantity, "kind", n.Alarm.Kind,
			"what", n.Words(time.Now()))
	}
}
