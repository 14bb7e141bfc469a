package judge

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Tone is how much a Remark matters.
type Tone string

// The tones of remarks.
const (
	Good   Tone = "good"   // nothing is wrong
	Unsure Tone = "unsure" // nothing can be said yet
	Note   Tone = "note"   // for information
	Bad    Tone = "bad"    // a loss
)

// Remark is what there is to say of a model or a node, in words.
type Remark struct {
	Text string
	Tone Tone
}

// Remarks says in words what the verdicts of a model, or of the node, say at the time now: a remark for
// each thing that holds, then that the first of them has too little history or, where nothing holds, that
// nothing changed. None of no verdicts.
func Remarks(verdicts []Verdict, now time.Time) []Remark {
	var all []Remark
	for _, v := range verdicts {
		for _, a := range v.Alarms {
			all = append(all, v.remark(a, now))
		}
	}
	switch {
	case len(verdicts) == 0:
		return nil
	case verdicts[0].Learning:
		return append(all, Remark{verdicts[0].lesson(), Unsure})
	case len(all) == 0:
		return []Remark{{"steady", Good}}
	}
	return all
}

// lesson says how far v has come in learning what is normal.
func (v Verdict) lesson() string {
	if v.Cycles < LeastCycles {
		return fmt.Sprintf("learning: %d of %d cycles", v.Cycles, LeastCycles)
	}
	return fmt.Sprintf("learning: %.0f of %.0f hours", math.Floor(v.Last.Sub(v.First).Hours()), LeastTime.Hours())
}

func (v Verdict) remark(a Alarm, now time.Time) Remark {
	var b strings.Builder
	switch a.Kind {
	case Partial:
		if n := len(a.Prompts); n == 1 {
			b.WriteString("1 prompt: ")
		} else if n > 1 {
			fmt.Fprintf(&b, "%d prompts: ", n)
		} else {
			b.WriteString("Some prompts: ")
		}
	case Intermittent:
		b.WriteString("Again and again a cycle: ")
	}
	b.WriteString(v.Quantity.difference(a.Ratio) + " since " + clock(a.Since, now))
	if a.Low != a.High {
		one, other := math.Abs(v.Quantity.percent(a.High)), math.Abs(v.Quantity.percent(a.Low))
		fmt.Fprintf(&b, " (%.1f to %.1f %%)", min(one, other), max(one, other))
	}
	switch a.Kind {
	case Drop, Collapse:
		fmt.Fprintf(&b, ", evidence %.1f ×", v.Evidence)
	case Drift:
		fmt.Fprintf(&b, ", little by little, evidence %.1f ×", v.Evidence)
	case Unstable:
		b.WriteString(", as before, when it went away by itself")
	case Partial:
		if len(a.Prompts) > 0 {
			b.WriteString(": " + strings.Join(a.Prompts, ", "))
		}
	}
	tone := Bad
	if a.Kind.Info() {
		tone = Note
	}
	if a.Shared {
		b.WriteString(", as the whole node")
	}
	return Remark{b.String(), tone}
}

// difference says what a change as a ratio, negative for slower, is.
func (q Quantity) difference(ratio float64) string {
	p := q.percent(ratio)
	word := func(less, more string) string {
		if ratio < 0 {
			return less
		}
		return more
	}
	switch q {
	case TTFT:
		return fmt.Sprintf("first token %.1f %% %s", math.Abs(p), word("later", "earlier"))
	case Prefill:
		return fmt.Sprintf("prefill %.1f %% %s", math.Abs(p), word("slower", "faster"))
	default:
		return fmt.Sprintf("%.1f %% %s", math.Abs(p), word("slower", "faster"))
	}
}

// percent returns a change as people count it: of a rate, or of a time, whose change is the inverse.
// It is positive for slower where ratio is negative, so that the larger the number the larger the loss.
func (q Quantity) percent(ratio float64) float64 {
	if q == TTFT {
		return 100 * (1/(1+ratio) - 1)
	}
	return -100 * ratio
}

// clock returns t as long as it is of the day before now by its time alone, else with its date.
func clock(t, now time.Time) string {
	t = t.UTC()
	if age := now.Sub(t); age >= 0 && age < 24*time.Hour {
		return t.Format("15:04 UTC")
	}
	return t.Format("2006-01-02 15:04 UTC")
}
