package judge

import (
	"fmt"
	"time"
)

// News is something that has begun, or is over.
type News struct {
	Verdict Verdict // in which it is, or was last
	Alarm   Alarm
	Over    bool
}

// Compare returns what is in after and was not in before, then what was in before and is no longer.
func Compare(before, after []Verdict) []News {
	return append(missing(before, after, false), missing(after, before, true)...)
}

// missing returns what is in others and not in verdicts.
func missing(verdicts, others []Verdict, over bool) []News {
	type finding struct {
		model    string
		quantity Quantity
		kind     Kind
	}
	known := map[finding]bool{}
	for _, v := range verdicts {
		for _, a := range v.Alarms {
			known[finding{v.Model, v.Quantity, a.Kind}] = true
		}
	}
	var all []News
	for _, v := range others {
		for _, a := range v.Alarms {
			if !known[finding{v.Model, v.Quantity, a.Kind}] {
				all = append(all, News{v, a, over})
			}
		}
	}
	return all
}

// Words says what n is about, at the time now.
func (n News) Words(now time.Time) string { return n.Verdict.remark(n.Alarm, now).Text }

// Grounds says on what v rests: what is normal, how much a cycle scatters, and how long that is known.
func (v Verdict) Grounds() string {
	normal := fmt.Sprintf("%.1f tokens/s", v.Baseline)
	switch {
	case v.Model == "":
		normal = "what is normal of its models"
	case v.Quantity == TTFT:
		normal = fmt.Sprintf("%.3f s", v.Baseline)
	}
	modes := ""
	if v.Apart > 0 {
		modes = fmt.Sprintf(" and two speeds are usual, %.1f %% apart", 100*v.Apart)
	}
	return fmt.Sprintf("against %s, where a cycle scatters by %.1f %%%s, after %d cycles", normal, 100*v.Noise, modes, v.Cycles)
}
