package judge

import (
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"exo-bench-exporter/workload"
)

// Sample is what one clean request showed. A figure that is not finite or not positive is unknown.
type Sample struct {
	Prompt        string  // id of the prompt
	Shape         string  // prompts of one shape are judged together too; empty for none
	DecodeRate    float64 // tokens per second
	PrefillRate   float64 // tokens per second, the server's own where it gives one
	TTFT          float64 // seconds, as the client saw it
	ServerPrefill float64 // seconds that the server itself says it took for the prompt
}

// Turn is what one turn of a model showed.
type Turn struct {
	Model   string
	Epoch   string // method and model that were measured: figures of different ones are never compared
	Cycle   int    // turns of one cycle make up one value of the node
	Time    time.Time
	Samples []Sample // of clean requests only; none is no evidence
}

// Of returns what the clean results of t show. Prompts that ask for about as many tokens, in and
// out, have one shape.
func Of(t workload.Turn) Turn {
	turn := Turn{Model: t.Model, Epoch: epoch(t), Cycle: t.Cycle, Time: t.Start}
	for _, r := range t.CleanResults() {
		s := Sample{Prompt: r.Prompt, Shape: shape(r)}
		if rate, ok := r.DecodeRate(); ok && !r.RateDisagrees() {
			s.DecodeRate = rate
		}
		s.PrefillRate, _ = r.PrefillRate()
		if r.Timed {
			s.TTFT = r.TTFT.Seconds()
		}
		if rate, ok := r.ServerPrefillRate(); ok && r.PrefillTokens() > 0 {
			s.PrefillRate = rate
			s.ServerPrefill = float64(r.PrefillTokens()) / rate
		}
		turn.Samples = append(turn.Samples, s)
	}
	return turn
}

// epoch names the method of t and the model that the node was asked for, which may be another one
// under the same name.
func epoch(t workload.Turn) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.ExoModel))
	return fmt.Sprintf("%s-%08x", t.Epoch().ID(), h.Sum32())
}

// shape names the magnitude of what goes in and of what was asked for, each within a factor of four.
func shape(r workload.Result) string {
	magnitude := func(tokens int) int { return int(math.Log2(float64(max(1, tokens))) / 2) }
	return fmt.Sprintf("%d-%d", magnitude(r.PromptTokens), magnitude(r.AskedTokens))
}

// tick is the longest that exo lets a request wait until it plans again, and some slack.
const tick = 0.15

// value returns the logarithm of the speed of quantity q that s shows.
func (s Sample) value(q Quantity) (float64, bool) {
	v := 0.0
	switch q {
	case Decode:
		v = s.DecodeRate
	case Prefill:
		v = s.PrefillRate
	case TTFT:
		v = 1 / s.seconds()
	}
	if !(v > smallest && v < 1/smallest) { // also false for NaN
		return 0, false
	}
	return math.Log(v), true
}

// smallest bounds what is taken for a figure.
const smallest = 1e-9

// seconds returns the time to the first token without the wait for exo's next planning, as far as
// the server's own figure tells it apart: that wait is noise of up to a tenth of a second.
func (s Sample) seconds() float64 {
	if !(s.ServerPrefill > 0) {
		return s.TTFT
	}
	if s.TTFT > 0 {
		return max(s.ServerPrefill, s.TTFT-tick)
	}
	return s.ServerPrefill
}
