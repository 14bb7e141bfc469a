package judging

import (
	"context"
	"log/slog"
	"time"

	"exo-bench-exporter/workload/judge"
)

// finding is something that is told once when it begins and once when it is over.
type finding struct {
	model    string
	quantity judge.Quantity
	kind     judge.Kind
}

func findings(verdicts []judge.Verdict) map[finding]judge.Verdict {
	all := map[finding]judge.Verdict{}
	for _, v := range verdicts {
		for _, a := range v.Alarms {
			all[finding{v.Model, v.Quantity, a.Kind}] = only(v, a)
		}
	}
	return all
}

// only returns v with the alarm a alone.
func only(v judge.Verdict, a judge.Alarm) judge.Verdict {
	v.Alarms, v.Learning = []judge.Alarm{a}, false
	return v
}

// say logs what has begun or is over since before. It is called with c.mu held.
func (c *Clerk) say(before []judge.Verdict) {
	was, is := findings(before), findings(c.verdicts)
	for f, v := range is {
		if _, known := was[f]; !known {
			level := slog.LevelWarn
			if f.kind.Info() || v.Alarms[0].Shared {
				level = slog.LevelInfo
			}
			c.log(level, "The speed has changed", f, v)
		}
	}
	for f, v := range was {
		if _, still := is[f]; !still {
			c.log(slog.LevelInfo, "A change of speed is over, or has become another", f, v)
		}
	}
}

func (c *Clerk) log(level slog.Level, message string, f finding, v judge.Verdict) {
	of := f.model
	if of == "" {
		of = "all of the node"
	}
	words := judge.Remarks([]judge.Verdict{v}, time.Now())[0].Text
	c.o.Logger.Log(context.Background(), level, message, "model", of, "quantity", f.quantity, "kind", f.kind, "what", words)
}
