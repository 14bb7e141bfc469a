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

	LoadTimeout     time.Duration // from asking for an instance to its being ready, download excluded; 10 m
	DownloadTimeout time.Duration // download of the weights; 1 h
	BusyTimeout     time.Duration // waiting for other people's work to end; 5 m

	Logger *slog.Logger
	// Progress is told about a load and a release while they go on, from the goroutine that
	// called Acquire or Release; it must not block. May be nil.
	Progress func(Progress)
}

// Progress is a moment of an instance's life.
type Progress struct {
	Model string
	// Stage is one of "waiting", "placing", "downloading", "loading", "warming up", "ready", "releasing".
	Stage string
	// Done of Total: bytes while downloading, layers while loading, else 0.
	Done, Total uint64
	// BytesPerSecond is exo's own figure while downloading, else 0.
	BytesPerSecond float64
	Elapsed        time.Duration // since the instance was asked for
}

// Bounds that nobody needs to configure.
const (
	pollInterval    = 250 * time.Millisecond
	downloadLook    = 5 * time.Second // others' downloads take long
	downloadPoll    = time.Second     // a download's progress is read less often than the rest
	retryInterval   = 500 * time.Millisecond
	outageBound     = 20 * time.Second // calls that fail for no longer than this are a master election
	topologyBound   = 30 * time.Second // exo has no node in its topology just after its start
	appearBound     = 30 * time.Second // an accepted instance is listed within a second (exo #2047: never)
	vanishBound     = 3 * time.Second  // absence shorter than this is not the end of an instance
	runnerBound     = 30 * time.Second // exo restarts a runner within 10 s (exo #2120: never)
	downloadRefusal = 10 * time.Second // a failed download that exo does not take up again is final
	idleBound       = time.Minute      // a runner that stays idle with nothing being downloaded is stuck
	downloadStall   = 2 * time.Minute  // a download without a new byte is stuck
	goneBound       = 30 * time.Second // a deleted instance and its runners are gone within seconds
	deleteAgain     = 5 * time.Second  // a DELETE without effect was lost in a master election
	graceAfterStop  = 3 * time.Second  // what a canceled caller still grants for cleaning up
	harmBound       = 2 * time.Second  // of that, what a look before the DELETE may take
	lateBound       = 2 * time.Minute  // an instance that was asked for may still appear for so long
	sweepBound      = 5 * time.Second  // how long Sweep waits for orphans that have not appeared yet
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
	commands  []string           // ids of our own latest requests
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

// Close gives up the claim on the Manager's own records. Records that are left are swept
// by the next start.
func (m *Manager) Close() error { return m.store.close() }

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
