package render

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"exo-bench-exporter/workload"
)

// story is a history that would take too long to measure. Its turns are those of a measured cycle over and over, with noise
// and with what happens to them here; that they are judged, exported, scraped and alerted about is the program's own doing.
type story struct {
	long    time.Duration // from its first cycle to the moment of looking
	late    time.Duration // from when a cycle could begin to when it does
	each    time.Duration // from the end of a turn to that of the next
	watched time.Duration // for how long before the moment of looking Prometheus has been there
	pace    pace
	// speed is the share of its normal speed at which a model puts a prompt; 1 when nil.
	speed func(m moment) float64
	// fails reports whether a model fails, and away whether exo does not answer; never when nil.
	fails func(m moment) bool
	away  func(before time.Duration) bool
}

// moment is a request, or without a prompt a turn, of a story.
type moment struct {
	model, prompt string
	before        time.Duration // the moment of looking
	ago           int           // cycles; 0 is the last one
}

// The models that something happens to in changed, and what.
const (
	partly    = "llama-3.1-8b" // the long inputs of it
	gaining   = "llama-3.2-1b"
	sometimes = "mistral-7b"
	recurring = "qwen-1.5-7b"
)

// changed is a node of which each model has changed in a way of its own.
var changed = story{
	long: 4 * day, each: 2 * time.Minute, watched: 7 * time.Hour, pace: pace{scrape: 2 * time.Minute, rules: 2 * time.Minute},
	speed: func(m moment) float64 {
		switch {
		case m.model == partly && strings.HasSuffix(m.prompt, "-long-input") && m.ago < 12:
			return 0.75
		case m.model == gaining && m.ago < 10:
			return 1.2
		case m.model == sometimes && m.ago < 30 && m.ago%3 == 1:
			return 0.7
		case m.model == recurring && (m.ago < 8 || m.ago >= 130 && m.ago < 146):
			return 0.9
		}
		return 1
	},
}

// halved is the model that has lost most of its speed where all have lost some.
const halved = "deepseek-r1"

// allSlow is a node that has become slower as a whole, one model much more than the others.
var allSlow = story{
	long: 3 * day, each: 2 * time.Minute, watched: 7 * time.Hour, pace: pace{scrape: 2 * time.Minute, rules: 2 * time.Minute},
	speed: func(m moment) float64 {
		switch {
		case m.model == halved && m.ago < 4:
			return 0.4
		case m.ago < 8:
			return 0.88
		}
		return 1
	},
}

const (
	day = 24 * time.Hour
	// monthLong is the period that month is looked at over, and longAgo what it is compared with.
	monthLong = 30 * day
	longAgo   = "7d"
	drifting  = "llama-3.1-8b" // loses a little every day
)

// month is a node in the course of a month: one model fails for some hours each night, one was slower for two days, one
// drifts, and exo is restarted each week.
var month = story{
	// All turns of a cycle end between two scrapes of which the first is not long ago for the second.
	long: monthLong, late: 26 * time.Minute, each: 45 * time.Second, watched: monthLong,
	pace: pace{scrape: 30 * time.Minute, rules: 30 * time.Minute, before: 4 * time.Minute},
	speed: func(m moment) float64 {
		switch {
		case m.model == slower && m.before > 14*day && m.before < 16*day:
			return 0.88
		case m.model == drifting && m.before < 12*day:
			return 1 - 0.008*(12-m.before.Hours()/24)
		}
		return 1
	},
	fails: func(m moment) bool { return m.model == failing && m.before%day < 4*time.Hour && m.before > day },
	away: func(before time.Duration) bool {
		return before%(7*day) > 3*day && before%(7*day) < 3*day+2*time.Hour
	},
}

const (
	// scatter is how a turn differs from the one that it is made of, and requestScatter how its requests do from each other:
	// standard deviations of the logarithm.
	scatter, requestScatter = 0.006, 0.003
	// way is the share of its own rate that a server sees of the client's to be missing.
	way = 0.004
)

// told returns a turn of the story, made of a measured one.
func (s story) told(measured workload.Turn, cycle int, start time.Time, m moment, r *rand.Rand) workload.Turn {
	t := measured
	t.Cycle, t.Start, m.model = cycle, start, measured.Model
	t.Results = make([]workload.Result, len(measured.Results))
	turn := math.Exp(scatter * r.NormFloat64())
	failure, failed := s.failure(m)
	if failed {
		t.Outcome, t.Reason = workload.TurnFailed, failure.Err
		t.Asked, t.Quality = nil, nil
	}
	if failure.Outcome == workload.OutcomeConnectError {
		t.ExoModel, t.Load, t.Memory, t.Host, t.Conditions = "", workload.Load{}, workload.Memory{}, workload.Host{}, workload.Conditions{}
	}
	at := start.Add(t.Load.Duration)
	for i, one := range measured.Results {
		m.prompt = one.Prompt
		speed := turn * math.Exp(requestScatter*r.NormFloat64())
		if s.speed != nil {
			speed *= s.speed(m)
		}
		one = paced(one, speed)
		if failed {
			one = workload.Result{
				Model: one.Model, ExoModel: t.ExoModel, Prompt: one.Prompt, Kind: one.Kind, Outcome: failure.Outcome, Err: failure.Err,
				Epoch: one.Epoch,
			}
		}
		one.Start = at
		at = at.Add(one.E2E)
		t.Results[i] = one
	}
	return t
}

// refused is what an exporter says of a node that is away.
const refused = "connection refused"

// failure returns what becomes of every request of a turn that fails: exo is away, or has an error for the model.
func (s story) failure(m moment) (r workload.Result, failed bool) {
	switch {
	case s.away != nil && s.away(m.before):
		return workload.Result{Outcome: workload.OutcomeConnectError, Err: refused}, true
	case s.fails != nil && s.fails(m):
		return workload.Result{Outcome: workload.OutcomeHTTPError, Err: "HTTP 500"}, true
	}
	return workload.Result{}, false
}

// paced returns a result as it would be at so many times its speed.
func paced(r workload.Result, speed float64) workload.Result {
	at := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speed) }
	r.TTFT, r.TTFO, r.Decode, r.E2E = at(r.TTFT), at(r.TTFO), at(r.Decode), at(r.E2E)
	gaps := make([]time.Duration, len(r.Gaps))
	for i, gap := range r.Gaps {
		gaps[i] = at(gap)
	}
	r.Gaps = gaps
	if r.Server != nil {
		server := *r.Server
		server.PromptTPS *= speed
		server.GenerationTPS *= speed * (1 + way)
		r.Server = &server
	}
	return r
}
