package judging

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/regular"
	"exo-bench-exporter/workload/statefile"
)

// maxQueued bounds the turns that wait to be judged: hours of them.
const maxQueued = 256

// File is the name of the file in the state directory.
const File = "judge.json"

// Options say what a Clerk is told and where it keeps what it knows. Path and What are required.
type Options struct {
	Path    string // of the file
	Records string // file of the records of results, see package record; empty where none are kept
	// What is asked at each turn, and by Verdicts.
	What   func() What
	Logger *slog.Logger // discarded when nil
}

// Clerk is a workload.Observer that has every turn judged. It never blocks: turns that come faster than
// they are judged are left out, which is no evidence of anything. All methods may be called concurrently.
type Clerk struct {
	o       Options
	queue   chan event
	ours    bool   // the file is, and no other exporter's
	release func() // gives its lock up

	mu       sync.Mutex // guards what follows; never held while anything is read or written
	sheet    *sheet     // nil before anything is known
	verdicts []judge.Verdict
	changed  bool // something that is not written yet
	full     bool // turns were left out, which has been said
}

// event is a turn, or without a model the end of a cycle.
type event struct {
	turn judge.Turn
	what What
}

var _ workload.Observer = (*Clerk)(nil)

// NewClerk returns a Clerk that knows nothing.
func NewClerk(o Options) *Clerk {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Clerk{o: o, queue: make(chan event, maxQueued), release: func() {}}
}

// Load reads what was known, for a Clerk that Run keeps, so that there are Verdicts before that has begun. A file that cannot
// be used is set aside, and the log says so; one that another exporter keeps is read and left alone.
func (c *Clerk) Load() {
	if c.release, c.ours = statefile.Lock(c.o.Path); !c.ours {
		c.o.Logger.Warn("Another exporter keeps what it knows of speeds here; what this one learns is gone with it",
			"file", c.o.Path)
		c.look()
		return
	}
	err := statefile.Load(c.o.Path, maxFile, c.use)
	if err != nil {
		c.o.Logger.Warn("What was known of the models' speed cannot be read; it is made again of the records as far as there are any", "err", err)
	}
}

// look reads what is known without keeping anything.
func (c *Clerk) look() {
	if content, err := regular.Read(c.o.Path, maxFile); err == nil {
		_ = c.use(content) // whoever keeps the file says what is wrong with it
	}
}

// use takes content for what is known, if it is of the node that is measured.
func (c *Clerk) use(content []byte) error {
	s, err := decode(content)
	if err != nil || s.node.Target != c.o.What().Target {
		return err
	}
	c.put(s)
	return nil
}

// put makes s what is known.
func (c *Clerk) put(s *sheet) {
	verdicts := s.judge.Verdicts()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sheet, c.verdicts = s, verdicts
}

// Run judges what comes until ctx is done, then what came before that, and gives the file up. That it cannot be written is
// said once; where it is not this Clerk's, nothing is.
func (c *Clerk) Run(ctx context.Context) {
	defer c.release()
	w := writer{clerk: c, off: !c.ours}
	c.begin(ctx)
	for ctx.Err() == nil {
		select {
		case e := <-c.queue:
			c.take(ctx, e)
			if e.turn.Model == "" {
				w.write()
			}
		case <-ctx.Done():
		}
	}
	c.drain(ctx)
	w.write()
}

// Settle judges what came so far, from what is kept but without keeping anything: for a program that ends
// now, beside which another one may run.
func (c *Clerk) Settle(ctx context.Context) {
	c.look()
	c.drain(ctx)
}

func (c *Clerk) drain(ctx context.Context) {
	for len(c.queue) > 0 {
		c.take(ctx, <-c.queue)
	}
}

// take judges a turn.
func (c *Clerk) take(ctx context.Context, e event) {
	if e.turn.Model == "" {
		return
	}
	c.recover(ctx, e.what.Node)
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.verdicts
	c.sheet.add(e.turn, e.what.SHA256)
	c.verdicts, c.changed = c.sheet.judge.Verdicts(), true
	c.say(before)
}

// Verdicts returns what can be said now of what is measured now, of the node first. The caller does not
// change it.
func (c *Clerk) Verdicts() []judge.Verdict {
	now := c.o.What()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sheet == nil {
		return nil
	}
	return c.sheet.shown(c.verdicts, now)
}

// CycleStarted implements workload.Observer.
func (c *Clerk) CycleStarted(int, []workload.Model, time.Time) {}

// TurnStarted implements workload.Observer.
func (c *Clerk) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (c *Clerk) RequestDone(workload.Result) {}

// TurnDone implements workload.Observer.
func (c *Clerk) TurnDone(t workload.Turn) {
	if turn := judge.Of(t); turn.Model != "" && len(turn.Samples) > 0 {
		c.send(event{turn, c.o.What()})
	}
}

// CycleDone implements workload.Observer.
func (c *Clerk) CycleDone(workload.Cycle) { c.send(event{}) }

func (c *Clerk) send(e event) {
	select {
	case c.queue <- e:
		return
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.full {
		c.full = true
		c.o.Logger.Warn("Turns come faster than they are judged; some are left out")
	}
}

// writer writes what a Clerk knows.
type writer struct {
	clerk   *Clerk
	off     bool
	said    bool
	content bytes.Buffer // what was written last; its room is used again
}

func (w *writer) write() {
	c := w.clerk
	w.content.Reset()
	err := c.unwritten(&w.content)
	if w.content.Len() == 0 && err == nil || w.off {
		return
	}
	if err == nil {
		err = statefile.Write(c.o.Path, w.content.Bytes())
	}
	if err != nil && !w.said {
		c.o.Logger.Warn("What is known of the models' speed cannot be saved; after a restart it is made again of the records",
			"file", c.o.Path, "err", err)
	}
	w.said = err != nil
}

// unwritten adds to b what is not written yet.
func (c *Clerk) unwritten(b *bytes.Buffer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sheet == nil || !c.changed {
		return nil
	}
	c.changed = false
	return c.sheet.encode(b)
}
