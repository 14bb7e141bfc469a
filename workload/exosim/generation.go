package exosim

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// generation is one answer in the making. Its tokens are due at absolute times, so that
// what a write costs never adds up.
type generation struct {
	node        *Node
	profile     *Profile
	inst        *instance       // nil in legacy exo
	client      context.Context // ends when the client goes; a generation of legacy exo outlives it
	answer      answer
	prompt      prompt
	rng         *rand.Rand
	fault       *Fault // what strikes it, nil for nothing
	share       func() float64
	interrupted chan *interruption
	out         sink
	truth       *Truth

	due        time.Time // of the next token
	lastEvent  time.Time // when something was last sent
	kvTokens   int       // guarded by the node's mutex
	cached     int
	hit        string
	promptTPS  float64
	events     int
	reasoned   int
	firstToken time.Time // generated, whether sent or not
	lastToken  time.Time
}

// sink takes what a generation brings forth. An error means that nobody listens any more.
type sink interface {
	keepAlive() error
	progress(done, total int) error
	token(g *generation, t token) error
}

// interruption ends a generation from outside.
type interruption struct {
	event  string // the client is told so in an error event
	silent bool   // the stream just ends
	hang   bool   // nothing ever comes again
}

func (a *interruption) Error() string {
	if a.silent {
		return "ended from outside"
	}
	return a.event
}

// Ways in which a generation ends early, besides a client that goes.
var (
	errCut    = errors.New("cut")
	errReset  = errors.New("reset")
	errClosed = errors.New("node closed")
)

// newGeneration prepares an answer of at most limit tokens. The caller sets out, and share
// when the model is not alone.
func (n *Node) newGeneration(client context.Context, p *Profile, r chatRequest, limit int, exact bool) *generation {
	pr := newPrompt(r.Messages)
	natural := n.opts.AnswerTokens
	if natural == 0 {
		natural = pr.naturalLength()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.generations++
	return &generation{
		node: n, profile: p, client: client, prompt: pr, hit: hitNone,
		answer:      newAnswer(p, natural, limit, exact),
		rng:         rand.New(rand.NewPCG(n.opts.Seed, n.generations)),
		interrupted: make(chan *interruption, 1),
		share:       func() float64 { return 1 },
		truth:       &Truth{Received: time.Now(), PromptTokens: pr.tokens},
	}
}

// end makes the generation end with a; the first reason wins.
func (g *generation) end(a *interruption) {
	select {
	case g.interrupted <- a:
	default:
	}
}

// wait waits until t, or for ever when t is zero, and sends keep-alives meanwhile. changed
// may be nil; the wait also ends, without an error, when it is closed.
func (g *generation) wait(ctx context.Context, t time.Time, changed <-chan struct{}) error {
	if g.lastEvent.IsZero() {
		g.lastEvent = time.Now()
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		beat := g.lastEvent.Add(g.node.scaled(keepAliveEvery))
		next := t
		if t.IsZero() || beat.Before(t) {
			next = beat
		}
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-changed:
			return nil
		case a := <-g.interrupted:
			if !a.hang {
				return a
			}
			t, changed = time.Time{}, nil
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-g.node.ctx.Done():
			return errClosed
		}
		if next.Equal(t) {
			return nil
		}
		if err := g.out.keepAlive(); err != nil {
			return err
		}
		g.lastEvent = time.Now()
	}
}

// prefill reads the prompt's tokens that are not cached and sends progress.
func (g *generation) prefill(ctx context.Context) error {
	total := g.prompt.tokens - 1 // the last one is the first decode step's
	start := g.due
	for done := g.cached; done < total; {
		step := min(prefillStep, total-done)
		d := float64(step) / g.profile.PrefillTPS * g.slow()
		g.due = g.due.Add(g.node.scaled(seconds(d)))
		if err := g.wait(ctx, g.due, nil); err != nil {
			return err
		}
		done += step
		if err := g.out.progress(done, total); err != nil {
			return err
		}
		g.lastEvent = time.Now()
	}
	if took := g.due.Sub(start).Seconds(); took > 0 && g.hit != hitExact {
		g.promptTPS = float64(total-g.cached) / took
	}
	return nil
}

// decode brings forth the answer's tokens.
func (g *generation) decode(ctx context.Context) error {
	for i := range g.answer.length {
		if err := g.strike(); err != nil {
			return err
		}
		g.due = g.due.Add(g.gap())
		if err := g.wait(ctx, g.due, nil); err != nil {
			return err
		}
		t := g.answer.at(i)
		g.lastToken = time.Now()
		if i == 0 {
			g.firstToken = g.lastToken
		}
		g.node.mu.Lock()
		g.kvTokens++
		g.truth.Tokens++
		g.node.mu.Unlock()
		if t.reasoning {
			g.reasoned++
		}
		if t.swallowed {
			continue
		}
		if err := g.out.token(g, t); err != nil {
			return err
		}
		g.events++
		g.lastEvent = time.Now()
	}
	return nil
}

// gap returns how long the next token takes.
func (g *generation) gap() time.Duration {
	d := g.slow() / g.profile.DecodeTPS
	if g.node.opts.Jitter > 0 {
		d *= math.Exp(g.node.opts.Jitter * g.rng.NormFloat64())
	}
	return g.node.scaled(seconds(d))
}

// slow returns by which factor faults and the others' work hold the model up.
func (g *generation) slow() float64 {
	return g.node.slowdown(g.ref()) * g.share()
}

// ref returns an id that names the model.
func (g *generation) ref() string {
	if g.profile.ExoID != "" {
		return g.profile.ExoID
	}
	return g.profile.LegacyID
}

// strike lets the request's fault happen when its time has come.
func (g *generation) strike() error {
	f := g.fault
	if f == nil || g.events < f.After {
		return nil
	}
	g.fault = nil
	switch f.Kind {
	case ErrorEvent:
		message := f.Message
		setDefault(&message, "Simulated failure of the engine")
		return &interruption{event: message}
	case Stall:
		until := time.Time{}
		if f.Seconds > 0 {
			until = time.Now().Add(g.node.scaled(seconds(f.Seconds)))
			g.due = until
		}
		return g.wait(g.client, until, nil)
	case Cut:
		return errCut
	case Reset:
		return errReset
	}
	if g.inst == nil {
		return nil
	}
	switch f.Kind {
	case RunnerKilled:
		g.node.killRunner(g.inst, "signal=9 (Killed)")
	case DeadInstance:
		g.node.killRunner(g.inst, "")
	case InstanceDeleted:
		g.node.remove(g.inst, EndedByFault)
	case Election:
		g.node.elect(f.Seconds)
	default:
		return nil
	}
	return g.wait(g.client, time.Time{}, nil)
}

// serverTPS returns exo's own decode rate: (n-1)/(last-first token), 0 for one token.
func (g *generation) serverTPS() float64 {
	d := g.lastToken.Sub(g.firstToken)
	if g.truth.Tokens < 2 || d <= 0 {
		return 0
	}
	return float64(g.truth.Tokens-1) / d.Seconds()
}

// usage returns the answer's token counts.
func (g *generation) usage() *usage {
	return &usage{
		PromptTokens: g.prompt.tokens, CompletionTokens: g.answer.length,
		TotalTokens:             g.prompt.tokens + g.answer.length,
		PromptTokensDetails:     promptDetails{CachedTokens: g.cached},
		CompletionTokensDetails: completionDetails{ReasoningTokens: g.reasoned},
	}
}

// peakMemory returns peak_memory_usage as exo reports it: gigabytes of 10⁹ taken for 2³⁰,
// hence 7.37 % too high.
func (g *generation) peakMemory() uint64 {
	held := float64(g.profile.WeightsBytes + uint64(g.prompt.tokens+g.answer.length)*g.profile.KVBytesPerToken)
	return uint64(held / 1e9 * (1 << 30))
}
