package pace

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload/exosim/truth"
)

const (
	// KeepAliveEvery is how much silence on a stream exo fills with a comment, at speed 1.
	KeepAliveEvery = 10 * time.Second
	// prefillStep is how many prompt tokens are read between two reports of progress.
	prefillStep = 2048
)

// Sink takes what a generation brings forth. An error means that nobody listens any more.
type Sink interface {
	KeepAlive() error
	Progress(done, total int) error
	Token(g *Generation, t Token) error
}

// Interruption ends a generation from outside.
type Interruption struct {
	Event  string // the client is told so in an error event
	Silent bool   // the stream just ends
	Hang   bool   // nothing ever comes again
}

func (a *Interruption) Error() string {
	if a.Silent {
		return "ended from outside"
	}
	return a.Event
}

// Ways in which a generation ends early, besides a client that goes.
var (
	ErrCut    = errors.New("cut")
	ErrReset  = errors.New("reset")
	ErrClosed = errors.New("node closed")
)

// Plan is what a generation is made from.
type Plan struct {
	Clock   Clock
	Closed  <-chan struct{} // closed when the node is
	Client  context.Context // ends when the client goes; a generation may outlive it
	Profile *Profile
	Prompt  Prompt
	Answer  Answer
	Jitter  float64 // standard deviation of the logarithm of a gap; none when not positive
	Seed    [2]uint64
	Record  *truth.Record
	// Slow returns by which factor everything takes longer at the moment.
	Slow func() float64
	// Strike is asked before every token and may end the generation or hold it up.
	Strike func(g *Generation) error
	Out    Sink
}

// Generation is one answer in the making. Its tokens are due at absolute times, so that
// what a write costs never adds up. It belongs to one goroutine, but for End and KVTokens.
type Generation struct {
	Plan

	Due        time.Time // of the next token
	Cached     int       // prompt tokens that need not be read
	Exact      bool      // all of the prompt was cached, PromptTPS with it
	PromptTPS  float64   // tokens per second at which the prompt was read
	Events     int       // tokens that the sink has taken
	Reasoned   int       // tokens of reasoning among them
	FirstToken time.Time // generated, whether sent or not
	LastToken  time.Time

	rng         *rand.Rand
	lastEvent   time.Time // when something was last sent
	tokens      int       // generated
	waiting     int       // of those, how many wait to come with the next
	text        string    // theirs
	kv          atomic.Int64
	interrupted chan *Interruption
}

// NewGeneration prepares an answer.
func NewGeneration(p Plan) *Generation {
	return &Generation{
		Plan: p, rng: rand.New(rand.NewPCG(p.Seed[0], p.Seed[1])), interrupted: make(chan *Interruption, 1),
	}
}

// End makes the generation end with a; the first reason wins.
func (g *Generation) End(a *Interruption) {
	select {
	case g.interrupted <- a:
	default:
	}
}

// KVTokens returns how many tokens the generation has in its KV cache.
func (g *Generation) KVTokens() int { return int(g.kv.Load()) }

// Began reports whether the prompt has been handed to the model.
func (g *Generation) Began() bool { return g.kv.Load() > 0 }

// Begin hands the prompt to the model.
func (g *Generation) Begin() { g.kv.Store(int64(g.Prompt.Tokens)) }

// Sent notes that something was sent just now, so that no keep-alive is needed for a while.
func (g *Generation) Sent() { g.lastEvent = time.Now() }

// Wait waits until t, or for ever when t is zero, and sends keep-alives meanwhile. changed
// may be nil; the wait also ends, without an error, when it is closed.
func (g *Generation) Wait(ctx context.Context, t time.Time, changed <-chan struct{}) error {
	if g.lastEvent.IsZero() {
		g.Sent()
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := g.lastEvent.Add(g.Clock.Scaled(KeepAliveEvery))
		if !t.IsZero() && !next.Before(t) {
			next = t
		}
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-changed:
			return nil
		case a := <-g.interrupted:
			if !a.Hang {
				return a
			}
			t, changed = time.Time{}, nil
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-g.Closed:
			return ErrClosed
		}
		if next.Equal(t) {
			return nil
		}
		if err := g.Out.KeepAlive(); err != nil {
			return err
		}
		g.Sent()
	}
}

// Stall keeps the generation from going on for d, or for ever when d is zero.
func (g *Generation) Stall(d time.Duration) error {
	if d == 0 {
		return g.Wait(g.Client, time.Time{}, nil)
	}
	g.Due = g.Clock.After(d)
	return g.Wait(g.Client, g.Due, nil)
}

// Prefill reads the prompt's tokens that are not cached. Like exo it reports progress at
// the beginning, after every 2048 tokens, before the last one and at the end.
func (g *Generation) Prefill(ctx context.Context) error {
	total := g.Prompt.Tokens - 1 - g.Cached // the prompt's last one is the first decode step's
	if total <= 0 {
		return nil
	}
	start := g.Due
	for done := 0; ; {
		if err := g.progress(done, total); err != nil {
			return err
		}
		if done == total {
			break
		}
		step := max(1, min(prefillStep, total-1-done))
		g.Due = g.Due.Add(g.Clock.Scaled(Seconds(float64(step) / g.Profile.PrefillTPS * g.Slow())))
		if err := g.Wait(ctx, g.Due, nil); err != nil {
			return err
		}
		done += step
	}
	if took := g.Due.Sub(start).Seconds(); took > 0 && !g.Exact {
		g.PromptTPS = float64(total) / took
	}
	return nil
}

func (g *Generation) progress(done, total int) error {
	if err := g.Out.Progress(done, total); err != nil {
		return err
	}
	g.Sent()
	return nil
}

// Decode brings forth the answer's tokens.
func (g *Generation) Decode(ctx context.Context) error {
	for i := range g.Answer.Length {
		if err := g.Strike(g); err != nil {
			return err
		}
		g.Due = g.Due.Add(g.gap())
		if err := g.Wait(ctx, g.Due, nil); err != nil {
			return err
		}
		if err := g.bring(g.Answer.at(i)); err != nil {
			return err
		}
	}
	return nil
}

// bring hands one token to the sink.
func (g *Generation) bring(t Token) error {
	g.LastToken = time.Now()
	if g.tokens == 0 {
		g.FirstToken = g.LastToken
	}
	g.tokens++
	g.kv.Add(1)
	g.Record.Generated()
	if t.Reasoning {
		g.Reasoned++
	}
	if t.swallowed {
		return nil
	}
	if g.waiting++; g.waiting < g.Answer.PerEvent && t.Finish == "" {
		g.text += t.Text
		return nil
	}
	t.Text, g.text, g.waiting = g.text+t.Text, "", 0
	if err := g.Out.Token(g, t); err != nil {
		return err
	}
	g.Events++
	g.Sent()
	return nil
}

// gap returns how long the next token takes.
func (g *Generation) gap() time.Duration {
	d := g.Slow() / g.Profile.DecodeTPS
	if g.Jitter > 0 {
		d *= math.Exp(g.Jitter * g.rng.NormFloat64())
	}
	return g.Clock.Scaled(Seconds(d))
}

// DecodeTPS returns exo's own decode rate: (n-1)/(last-first token), 0 for one token.
func (g *Generation) DecodeTPS() float64 {
	d := g.LastToken.Sub(g.FirstToken)
	if g.tokens < 2 || d <= 0 {
		return 0
	}
	return float64(g.tokens-1) / d.Seconds()
}

// Bytes returns what weights and KV cache of the whole answer take.
func (g *Generation) Bytes() uint64 {
	return g.Profile.WeightsBytes + uint64(g.Prompt.Tokens+g.Answer.Length)*g.Profile.KVBytesPerToken
}
