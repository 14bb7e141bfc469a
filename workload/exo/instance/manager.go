package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// Options configure a Manager. Zero durations mean the default that is named.
type Options struct {
	API *httpapi.Client
	// State reads the node's state; one that everybody shares reads it less often. Made when nil.
	State *state.Reader
	// StateDir holds the records of what was created. Without a usable one nothing is placed.
	StateDir string
	// MinNodes is the least number of nodes to place a model on; 1 when zero.
	MinNodes int
	// Sharding is "Pipeline" (when empty) or "Tensor"; a placement on one node has none.
	Sharding string
	// AddModels allows a model that exo does not know to be added to its catalogue.
	AddModels bool

	// Reload says when a model may be loaded; ReloadIdle when empty.
	Reload Reload
	// KeepLoaded lets instances of ours stay after their turn as long as there is memory.
	KeepLoaded bool

	// LoadTimeout bounds the time from asking for an instance to its being ready, download
	// excluded, and from deleting one to the end of its processes; 10 m.
	LoadTimeout     time.Duration
	DownloadTimeout time.Duration // download of the weights; 1 h
	BusyTimeout     time.Duration // waiting for other people's work to end; 5 m

	// Runners names the processes of exo's runners on this machine, false where they cannot be
	// seen. May be nil.
	Runners func() (names []string, ok bool)

	Logger *slog.Logger
	// Progress is told about a load and a release while they go on, from the goroutine that
	// called Acquire or Release; it must not block. May be nil.
	Progress func(Progress)
}

// Downloading is the stage in which weights are fetched.
const Downloading = "downloading"

// Progress is a moment of an instance's life.
type Progress struct {
	Model string
	// Stage is one of "waiting", "placing", Downloading, "loading", "warming up", "ready", "releasing".
	Stage string
	// Done of Total: bytes while downloading, layers while loading, else 0.
	Done, Total uint64
	// BytesPerSecond is exo's own figure while downloading, else 0.
	BytesPerSecond float64
	Elapsed        time.Duration // since the instance was asked for
}

// commandBound is what exo may take for what it does within a second when it has time: list
// an instance that it was asked for, or know its own node after a start. It is a tenth of
// LoadTimeout, but half a minute at least.
func (m *Manager) commandBound() time.Duration { return max(m.opts.LoadTimeout/10, 30*time.Second) }

// deadBound is for how long a runner may be absent or failed before it counts as dead: exo
// starts one that failed again within ten seconds, and one that boots shows nowhere in exo's
// state, for half a minute on a busy machine.
func (m *Manager) deadBound() time.Duration { return min(m.opts.BusyTimeout/2, m.opts.LoadTimeout) }

// Bounds that nobody needs to configure: they tell a passing moment from a state, or follow
// what exo itself does. Whatever waits for exo to do something is bounded by the Options.
const (
	pollInterval    = 250 * time.Millisecond
	downloadLook    = 5 * time.Second // others' downloads take long
	downloadPoll    = time.Second     // a download's progress is read less often than the rest
	retryInterval   = 500 * time.Millisecond
	outageBound     = 20 * time.Second        // calls that fail for no longer than this are a master election
	vanishBound     = 3 * time.Second         // absence shorter than this is not the end of an instance
	downloadRefusal = 10 * time.Second        // a failed download that exo does not take up again is final
	downloadStall   = 2 * time.Minute         // a download without a new byte is stuck
	deleteAgain     = 5 * time.Second         // a DELETE without effect was lost in a master election
	graceAfterStop  = 1500 * time.Millisecond // what a canceled caller still grants for cleaning up
	harmBound       = 2 * time.Second         // what a look before the DELETE may take

	harmBoundLeaving = 300 * time.Millisecond // of graceAfterStop
	lateBound        = 2 * time.Minute        // an instance that was asked for may still appear for so long
	sweepBound       = 5 * time.Second        // how long Sweep waits for orphans that have not appeared yet
)

// Manager creates and removes instances on one exo node. It is safe for concurrent use.
type Manager struct {
	opts  Options
	log   *slog.Logger
	node  *node
	store *store

	pulse pulse

	reaping sync.Mutex

	mu        sync.Mutex
	commands  []string             // ids of our own latest requests
	deadSince map[string]time.Time // since when instances lack a runner that lives, by id
	catalogue catalogue
	sweepSaid string // what the last Sweep before a turn came to
	kept      []kept // in the order in which they were used
	cluster   cluster
	downloads map[string]advance // downloads that no instance needs, as they were seen last, by node and model
}

// NewManager returns a Manager. A state directory that cannot be used is no error: it is
// logged, tried again before each placement, and nothing is placed until then.
func NewManager(o Options) (*Manager, error) {
	switch {
	case o.API == nil:
		return nil, errors.New("instance: no API client")
	case o.StateDir == "":
		return nil, errors.New("instance: no state directory")
	case o.Sharding != "" && o.Sharding != "Pipeline" && o.Sharding != "Tensor":
		return nil, fmt.Errorf("instance: sharding %q is neither Pipeline nor Tensor", o.Sharding)
	case o.Reload != "" && o.Reload != ReloadNever && o.Reload != ReloadIdle && o.Reload != ReloadAlways:
		return nil, fmt.Errorf("instance: reload %q is none of never, idle, always", o.Reload)
	case o.MinNodes < 0:
		return nil, fmt.Errorf("instance: minimum of %d nodes", o.MinNodes)
	}
	if o.Sharding == "" {
		o.Sharding = "Pipeline"
	}
	o.MinNodes = max(o.MinNodes, 1)
	setDefault(&o.LoadTimeout, 10*time.Minute)
	setDefault(&o.DownloadTimeout, time.Hour)
	setDefault(&o.BusyTimeout, 5*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.State == nil {
		o.State = state.NewReader(o.API, o.Logger)
	}
	m := &Manager{
		opts:  o,
		log:   o.Logger,
		node:  &node{api: o.API, state: o.State, log: o.Logger},
		store: newStore(o.StateDir, o.API.BaseURL().String()),
	}
	if err := m.store.open(); err != nil {
		m.log.Error("The state directory cannot be used: no model will be placed on exo, models that are loaded already are measured",
			"dir", o.StateDir, "err", err)
	}
	return m, nil
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// Close gives back what is kept, within two seconds, and gives up the claim on the Manager's own
// records. What they name still is swept by the next start.
func (m *Manager) Close() error {
	m.giveAllBack()
	return m.store.close()
}

func (m *Manager) progress(p Progress) {
	if m.opts.Progress != nil {
		m.opts.Progress(p)
	}
}

// sleep waits for d or the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// linger returns a context that outlives ctx by graceAfterStop, so that what was created
// is also removed when the caller has to stop.
func linger(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(graceAfterStop, cancel) })
	return out, func() { stop(); cancel() }
}
