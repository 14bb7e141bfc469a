package judge

import "time"

// Quantity is what is judged. Quantities are label values and therefore a contract.
type Quantity string

// The quantities.
const (
	Decode  Quantity = "decode"
	Prefill Quantity = "prefill"
	TTFT    Quantity = "ttft"
)

// Quantities lists every quantity.
func Quantities() []Quantity { return []Quantity{Decode, Prefill, TTFT} }

// Kind is a kind of finding. Kinds are label values and therefore a contract.
type Kind string

// The kinds, worst first.
const (
	Collapse     Kind = "collapse"     // two fifths of the speed or more are gone
	Drop         Kind = "drop"         // slower all at once
	Drift        Kind = "drift"        // slower little by little
	Partial      Kind = "partial"      // some prompts are slower
	Intermittent Kind = "intermittent" // some cycles are slower, again and again
	Unstable     Kind = "unstable"     // slower as it was before, which went away by itself; for information
	Gain         Kind = "gain"         // faster; for information
)

// Kinds lists every kind, worst first.
func Kinds() []Kind {
	return []Kind{Collapse, Drop, Drift, Partial, Intermittent, Unstable, Gain}
}

// Info reports whether k is for information only.
func (k Kind) Info() bool { return k == Unstable || k == Gain }

// LeastCycles and LeastTime are the history without which nothing is called an alarm.
const (
	LeastCycles = 24
	LeastTime   = 24 * time.Hour
)

// Change is an estimated change as a ratio, -0.1 for a tenth slower: of a rate, or of the inverse
// of a time. Low and High bound it with 95 % confidence, as far as its noise is known.
type Change struct {
	Ratio, Low, High float64
}

// Alarm is a finding that holds now.
type Alarm struct {
	Kind  Kind
	Since time.Time // first cycle of which it holds, as estimated
	Change
	// Prompts are those that it concerns; nil for all.
	Prompts []string
	// Shared says that the whole node changed and that this is no more than that. Never of a collapse.
	Shared bool
}

// Verdict is what can be said of one quantity of a model, or of the node.
type Verdict struct {
	Model    string // empty for the node
	Quantity Quantity
	// Change is against the baseline, zero where nothing was found.
	Change Change
	// Latest is how far the newest cycle is from the baseline, as a ratio, whether or not that means anything.
	Latest float64
	// Evidence is the strongest evidence for a loss in the last cycles; 1 is the threshold.
	Evidence float64
	// Alarms hold now, worst first.
	Alarms []Alarm
	// Baseline is what is normal: the geometric mean over prompts, in tokens per second or seconds;
	// 1 for the node.
	Baseline float64
	// Noise is the learnt standard deviation of a cycle, as a ratio; CarryOver its correlation from
	// one cycle to the next.
	Noise, CarryOver float64
	// Apart is how much faster the faster of two speeds is, as a ratio, between which the model goes to and fro; 0 where
	// it has one.
	Apart float64
	// Cycles are those of its history, which began at First and of which the newest began at Last.
	Cycles      int
	First, Last time.Time
	Learning    bool // too little history for any alarm, see LeastCycles and LeastTime
}

// Worst returns the worst alarm; false when there is none.
func (v Verdict) Worst() (Alarm, bool) {
	if len(v.Alarms) == 0 {
		return Alarm{}, false
	}
	return v.Alarms[0], true
}

// Find returns the alarm of that kind; false when there is none.
func (v Verdict) Find(k Kind) (Alarm, bool) {
	for _, a := range v.Alarms {
		if a.Kind == k {
			return a, true
		}
	}
	return Alarm{}, false
}
