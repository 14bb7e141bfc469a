package judgesim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

// Start is when the first cycle of every world begins: a Monday.
var Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Effect is the share of a model's normal speed that it has in a cycle.
type Effect func(model, cycle int, at time.Time) float64

// World is a node that measures five models.
type World struct {
	Interval time.Duration
	Seed     uint64
	Noise    Noise
	Prompts  int // 1 when zero: requests of a turn share all noise, which is the hard case
	// Habit makes an effect that is there all the time; random ones take their chance from r.
	Habit func(w World, r *rand.Rand) Effect
	// Gone reports whether a model has no turn in a cycle.
	Gone func(r *rand.Rand, cycle int, at time.Time) bool
	// Waits measures times to first token in place of decode rates.
	Waits bool
	// Strictness is the judge's.
	Strictness float64
}

// Models is the number of models of a node.
const Models = 5

// Cycles returns how many cycles are in d.
func (w World) Cycles(d time.Duration) int { return int(d / w.Interval) }

// Quantity returns what is measured.
func (w World) Quantity() judge.Quantity {
	if w.Waits {
		return judge.TTFT
	}
	return judge.Decode
}

// Run is a world at a moment: what has been measured so far, and what the judge makes of it.
type Run struct {
	World
	Judge     *judge.Judge
	Cycle     int // that comes next
	rng       *rand.Rand
	models    [Models]carry
	blocks    [Models]block
	measured  [Models]int // turns so far
	common    carry
	habit     Effect
	open      map[key]*Episode
	closed    []Episode
	alarmed   [Models + 1]bool // the node first
	incidents []Incident
	counted   [Models + 1]time.Time
	kept      []byte // what Judge knows, when somebody asked since the last turn
}

// Begin returns a run of w in which nothing has been measured.
func (w World) Begin() *Run {
	w.Prompts = max(1, w.Prompts)
	if w.Noise.Lasts > 0 {
		w.Noise.Rho = math.Exp(-float64(w.Interval) / float64(w.Noise.Lasts))
	}
	r := &Run{World: w, Judge: judge.New(judge.Options{Strictness: w.Strictness}), open: map[key]*Episode{}}
	r.rng = rand.New(rand.NewPCG(w.Seed, 1))
	if w.Habit != nil {
		r.habit = w.Habit(w, rand.New(rand.NewPCG(w.Seed, 2)))
	}
	return r
}

// Branch returns a run that has the same past and another future.
func (r *Run) Branch(seed uint64) *Run {
	if r.kept == nil {
		var err error
		if r.kept, err = r.Judge.MarshalJSON(); err != nil {
			panic(err)
		}
	}
	b := *r
	var err error
	if b.Judge, err = judge.Restore(r.kept, judge.Options{Strictness: r.Strictness}); err != nil {
		panic(err)
	}
	b.kept = nil
	b.rng = rand.New(rand.NewPCG(r.Seed, seed))
	b.open, b.closed, b.incidents = map[key]*Episode{}, nil, nil
	return &b
}

// Go measures the next cycles. extra, and for a single prompt some, come on top of the habit; nil for none.
func (r *Run) Go(cycles int, extra Effect, some func(model, prompt, cycle int) float64) {
	r.kept = nil
	for range cycles {
		r.common.next(r.Noise, r.rng)
		for _, m := range workload.Order(Models, r.Cycle) {
			r.turn(m, extra, some)
		}
		r.Cycle++
	}
}

// turn measures a model, somewhere in the cycle.
func (r *Run) turn(m int, extra Effect, some func(model, prompt, cycle int) float64) {
	at := Start.Add(time.Duration(r.Cycle) * r.Interval)
	for i, o := range workload.Order(Models, r.Cycle) {
		if o == m {
			at = at.Add(r.Interval * time.Duration(i) / Models * 9 / 10)
		}
	}
	n := r.Noise
	own := r.models[m].next(n, r.rng)
	noise := n.SD * (math.Sqrt(1-n.Common)*own + math.Sqrt(n.Common)*r.common.state)
	if n.Recorded != nil {
		noise = r.blocks[m].next(n.Recorded, r.rng)
	}
	speed := math.Exp(noise)
	if r.rng.Float64() < n.Outliers {
		speed *= 1 - n.OutlierLoss
	}
	for _, e := range []Effect{r.habit, extra} {
		if e != nil {
			speed *= e(m, r.Cycle, at)
		}
	}
	if r.Gone != nil && r.Gone(r.rng, r.Cycle, at) {
		return
	}
	r.measured[m]++
	t := judge.Turn{Model: names[m], Epoch: "e", Cycle: r.Cycle, Time: at}
	for p := range r.Prompts {
		v := speed
		if n.PromptSD > 0 {
			v *= math.Exp(n.PromptSD * r.rng.NormFloat64())
		}
		if r.rng.Float64() < n.PromptOutliers {
			v *= 1 - n.OutlierLoss
		}
		if some != nil {
			v *= some(m, p, r.Cycle)
		}
		t.Samples = append(t.Samples, r.sample(m, p, v))
	}
	r.Judge.Add(t)
	r.look(m)
}

var names = [Models]string{"llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1", "llama-3.1-8b"}

// Speeds of the models on an Apple M4 Pro, in tokens per second.
var (
	decodeRates  = [Models]float64{245, 55, 51, 52, 48}
	prefillRates = [Models]float64{2600, 450, 440, 440, 410}
)

// shapes are those of the standard suite: tokens in and out.
var shapes = [...][2]float64{
	{60, 64}, {60, 64}, {60, 256}, {60, 256}, {60, 256}, {1500, 64}, {1500, 64}, {1500, 64}, {512, 128}, {512, 128},
}

// prompts are the ids of as many prompts as a turn may have, with the names of their shapes.
var prompts = func() (all [16]struct{ id, shape string }) {
	for p := range all {
		s := shapes[p%len(shapes)]
		all[p].id, all[p].shape = fmt.Sprintf("prompt-%02d", p), fmt.Sprintf("%.0f-%.0f", s[0], s[1])
	}
	return all
}()

// sample returns what a request of prompt p shows at a speed, 1 being normal. Its first token waits for
// up to 0.1 s until exo plans.
func (r *Run) sample(m, p int, speed float64) judge.Sample {
	shape := shapes[p%len(shapes)]
	s := judge.Sample{Prompt: prompts[p].id, Shape: prompts[p].shape}
	if r.Waits {
		s.TTFT = shape[0]/(prefillRates[m]*speed) + 0.1*r.rng.Float64()
		return s
	}
	s.DecodeRate = decodeRates[m] * speed * (1 - 0.02*float64(p))
	return s
}
