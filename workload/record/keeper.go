package record

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
)

const (
	// maxQueued bounds the records that wait to be written: some cycles' worth.
	maxQueued = 1024
	// maxKnown bounds the records that Find and Page know: almost four days of five models every 15 minutes.
	maxKnown = 20_000
)

// Options say what a Keeper keeps and where. Path and MaxBytes are required.
type Options struct {
	Path     string // of the file that is written to; older ones are beside it
	MaxBytes int64  // of all files together, at least 8 KiB
	// Source is put on every record. It is asked for each.
	Source func() Source
	// Dropped is told of records that could not be kept; may be nil.
	Dropped func(n int)
	Logger  *slog.Logger // discarded when nil
}

// Keeper is a workload.Observer that writes a Record of every Result and Turn. It never blocks
// and never fails: a record that comes faster than the disk takes them, or that the disk refuses,
// is dropped and counted. It keeps what happens while Run runs. All methods may be called
// concurrently, those of the Observer one at a time.
type Keeper struct {
	o     Options
	queue chan Record
	cycle int          // number of the cycle that runs
	runs  atomic.Bool  // Run runs
	lost  atomic.Int64 // records dropped since the last one was kept

	mu    sync.Mutex // guards what follows; never held by what the runner calls
	log   log
	known map[string]place
	order []string // keys of known, oldest first
}

var _ workload.Observer = (*Keeper)(nil)

// NewKeeper returns a Keeper. It opens nothing before there is something to write.
func NewKeeper(o Options) *Keeper {
	if o.Dropped == nil {
		o.Dropped = func(int) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keeper{
		o: o, queue: make(chan Record, maxQueued), known: make(map[string]place),
		log: log{path: o.Path, most: max(o.MaxBytes/files, 1024)},
	}
}

// Run makes known what is kept already and writes what comes until ctx is done, then what came before that.
func (k *Keeper) Run(ctx context.Context) {
	k.runs.Store(true)
	k.recall(ctx)
	defer func() {
		k.runs.Store(false)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.log.close()
	}()
	for ctx.Err() == nil {
		select {
		case r := <-k.queue:
			k.write(r)
		case <-ctx.Done():
		}
	}
	for len(k.queue) > 0 {
		k.write(<-k.queue)
	}
}

// write appends r, or drops it. The first record that is dropped is said, and the first that is
// kept again.
func (k *Keeper) write(r Record) {
	line, err := json.Marshal(r)
	k.mu.Lock()
	defer k.mu.Unlock()
	var at place
	if err == nil {
		at, err = k.log.append(append(line, '\n'))
	}
	if err != nil {
		k.drop("the file cannot be written", err)
		return
	}
	if n := k.lost.Swap(0); n > 0 {
		k.o.Logger.Info("Records of results are kept again", "file", k.o.Path, "dropped", n)
	}
	k.remember(r.ID, at)
}

func (k *Keeper) remember(id string, at place) {
	if _, twice := k.known[id]; twice {
		return
	}
	if len(k.order) == maxKnown {
		delete(k.known, k.order[0])
		k.order = k.order[1:]
	}
	k.known[id] = at
	k.order = append(k.order, id)
}

// drop counts a record that is not kept.
func (k *Keeper) drop(why string, err error) {
	if k.lost.Add(1) == 1 {
		k.o.Logger.Warn("Records of results are dropped; measuring goes on", "file", k.o.Path, "because", why, "err", err)
	}
	k.o.Dropped(1)
}

// Find returns the line of the record with this id, as JSON; os.ErrNotExist when it is not among those that are known or
// was rotated away.
func (k *Keeper) Find(id string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.known[id]
	if !ok {
		return nil, os.ErrNotExist
	}
	return k.line(at)
}

// line returns the record at a place. Somebody may have put other files there.
func (k *Keeper) line(at place) ([]byte, error) {
	line, err := k.log.read(at)
	if err == nil && !json.Valid(line) {
		err = errOther
	}
	return line, err
}

func (k *Keeper) put(r Record) {
	if !k.runs.Load() {
		return
	}
	select {
	case k.queue <- r:
	default:
		k.drop("they come faster than the disk takes them", nil)
	}
}

// CycleStarted implements workload.Observer.
func (k *Keeper) CycleStarted(number int, _ []workload.Model, _ time.Time) { k.cycle = number }

// TurnStarted implements workload.Observer.
func (k *Keeper) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (k *Keeper) RequestDone(r workload.Result) { k.put(k.o.Source().ofResult(k.cycle, r)) }

// TurnDone implements workload.Observer.
func (k *Keeper) TurnDone(t workload.Turn) { k.put(k.o.Source().ofTurn(t)) }

// CycleDone implements workload.Observer.
func (k *Keeper) CycleDone(workload.Cycle) {}
