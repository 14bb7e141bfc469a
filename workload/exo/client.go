// Package exo measures models on an inference node over HTTP. What APIs a node may speak is a
// list of dialects, one file each: exo 1.x (exo1), legacy exo 0.0.x (exo0), Ollama's own API
// (ollama), and any server with OpenAI's chat completions (openai).
//
//	Client.Open → session (id known, model placed) → Measure → exchange → record → workload.Result
//	Monitor     → workload.Status
//
// Package sse decodes the streams, a dialect makes answer.Events of them, package httpapi makes
// all other calls, package instance drives the life of exo 1.x instances.
package exo

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/arrival"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/exo/power"
	"exo-bench-exporter/workload/exo/state"
	"exo-bench-exporter/workload/stall"
)

// Options configure a Client. Zero values mean the defaults that are named.
type Options struct {
	BaseURL   string            // of the node, for example http://localhost:52415
	APIKey    string            // sent as bearer token when not empty
	Roots     *x509.CertPool    // authorities to trust for the node; the system's when nil
	Transport http.RoundTripper // httpapi.NewTransport with Roots when nil
	Dialect   workload.Dialect  // workload.DialectAuto when empty
	Endpoint  EndpointChoice    // EndpointAuto when empty
	Timeouts  Timeouts          // DefaultTimeouts
	// LoadTimeout bounds the loading of a model: on exo 1.x from asking for an instance to its
	// being ready; elsewhere it is granted to the warm-up request on top of its timeouts, for
	// there the first request loads the model. 10 minutes.
	LoadTimeout time.Duration
	// DownloadTimeout bounds what a turn waits for exo 1.x to download a model's weights.
	// 1 hour.
	DownloadTimeout time.Duration
	// BusyTimeout bounds the waiting for other people's work on exo 1.x to end; 5 minutes.
	BusyTimeout time.Duration
	// StateDir is where created instances are recorded; needed for exo 1.x.
	StateDir string
	// AddModels allows models to be added to exo 1.x's catalogue.
	AddModels bool
	// Reload and KeepLoaded say when models are loaded and for how long, see instance.Options.
	Reload     instance.Reload
	KeepLoaded bool
	// MemoryBandwidth is the peak rate in bytes per second at which a machine of the node reads its memory; 0: what is known of its chip.
	MemoryBandwidth float64
	// MinNodes and Sharding constrain placements on exo 1.x, see instance.Options.
	MinNodes int
	Sharding string
	// Runners names the processes of exo's runners on this machine, see instance.Options; may be nil.
	Runners func() (names []string, ok bool)
	// Progress is told how a load goes on, see instance.Options; may be nil.
	Progress func(instance.Progress)
	// FingerprintKey returns that of the fingerprints of answers; nil where none are to be made.
	FingerprintKey func() []byte
	// Watcher watches this process while an answer comes; nil where its time is not the real one.
	Watcher *stall.Watcher
	// Prompts are texts that the node is sent; what it repeats of them is shown to nobody, as of the key.
	Prompts []string
	// PowerEvery is how often exo reads the power of its machines; 1 second, which only a simulator in fast motion
	// falls below.
	PowerEvery time.Duration
	Logger     *slog.Logger // discarded when nil
}

// Client measures models on one node. It implements workload.Target and is safe for
// concurrent use.
type Client struct {
	opts      Options
	log       *slog.Logger // hides what is private
	private   *private
	transport http.RoundTripper
	api       *httpapi.Client
	stream    http.RoundTripper // one connection a request
	nonces    *nonces
	fixed     dialect      // configured; nil where it is to be found out
	inflight  atomic.Int32 // requests under measurement
	loads     loads

	mu        sync.Mutex
	dialect   dialect // configured or found; nil while unknown
	probe     string  // path of the question that found it
	nodeID    string  // of exo 1.x, random per start
	endpoint  workload.Endpoint
	askAgain  time.Time // from when on a better route, which was refused, is asked for again; zero for never
	loaded    string    // id that legacy exo answered for last
	unlisted  map[string]bool
	said      map[string]bool                   // warnings that were given
	figures   map[question]workload.ServerStats // the node's own, of the last answers
	form      form                              // of a body that the node takes
	formKnown bool
	engine    *engine // what the node runs; nil while that was not asked
	instances *instance.Manager
	state     *state.Reader // of exo 1.x
	power     *power.Meter  // likewise
}

// New returns a Client, or an error when o is not usable. It calls nobody.
func New(o Options) (*Client, error) {
	if o.Transport == nil {
		o.Transport = httpapi.NewTransport(o.Roots)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Timeouts = o.Timeouts.withDefaults()
	setDefault(&o.LoadTimeout, 10*time.Minute)
	setDefault(&o.DownloadTimeout, time.Hour)
	setDefault(&o.BusyTimeout, 5*time.Minute)
	hidden := newPrivate(o.APIKey, o.Prompts...)
	log := slog.New(hidingHandler{o.Logger.Handler(), hidden})
	c := &Client{
		opts: o, log: log, private: hidden, transport: o.Transport, nonces: newNonces(), unlisted: map[string]bool{}, said: map[string]bool{},
		figures: map[question]workload.ServerStats{},
	}
	c.loads = loads{most: o.LoadTimeout, waited: map[string]time.Duration{}}
	if o.Dialect != "" && o.Dialect != workload.DialectAuto {
		c.fixed = dialectNamed(o.Dialect)
		if c.fixed == nil {
			return nil, fmt.Errorf("dialect %q is not one of %v", o.Dialect, workload.Dialects())
		}
		c.dialect = c.fixed
	}
	switch o.Endpoint {
	case "":
		c.opts.Endpoint = EndpointAuto
	case EndpointAuto, EndpointV1, EndpointBench:
	default:
		return nil, fmt.Errorf("endpoint %q is not one of auto, v1, bench", o.Endpoint)
	}
	var err error
	c.api, err = httpapi.New(httpapi.Options{BaseURL: o.BaseURL, APIKey: o.APIKey, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	c.state = state.NewReader(c.api, c.log)
	c.power = power.NewMeter(c.state, o.PowerEvery, c.log)
	c.stream = o.Transport
	if t, ok := o.Transport.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true // also keeps it from taking a connection that is idle
		if t.DialContext != nil {
			t.DialContext = arrival.Dial(t.DialContext)
		}
		c.stream = t
	}
	return c, nil
}

// Instances returns the manager of exo 1.x instances, which is made when it is first needed.
func (c *Client) Instances() (*instance.Manager, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instances != nil {
		return c.instances, nil
	}
	m, err := instance.NewManager(instance.Options{
		API: c.api, State: c.state, StateDir: c.opts.StateDir, AddModels: c.opts.AddModels,
		Reload: c.opts.Reload, KeepLoaded: c.opts.KeepLoaded, MinNodes: c.opts.MinNodes, Sharding: c.opts.Sharding,
		LoadTimeout: c.opts.LoadTimeout, DownloadTimeout: c.opts.DownloadTimeout, BusyTimeout: c.opts.BusyTimeout,
		Runners: c.opts.Runners, Logger: c.log, Progress: c.opts.Progress,
	})
	if err != nil {
		return nil, err
	}
	c.instances = m
	return m, nil
}

// Close closes idle connections and lets go of the state directory.
func (c *Client) Close() error {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instances == nil {
		return nil
	}
	return c.instances.Close()
}

// Open implements workload.Target. A server that is loading a model, or not ready for anything yet, is
// waited for.
func (c *Client) Open(ctx context.Context, m workload.Model) (workload.Session, error) {
	s, err := c.open(ctx, m)
	if err != nil {
		return nil, c.private.hideError(own(err))
	}
	return s, nil
}

// own marks err where it is one of the exporter's own want.
func own(err error) error {
	if httpapi.Own(err) {
		return &workload.OwnError{Err: err}
	}
	return err
}

func (c *Client) open(ctx context.Context, m workload.Model) (*session, error) {
	d, err := c.detect(ctx)
	for unready(err) && c.loads.wait("", waitUsually) && pause(ctx, waitUsually) == nil {
		d, err = c.detect(ctx)
	}
	if err != nil {
		return nil, err
	}
	c.loads.came("")
	c.askEngine(ctx, d)
	s, err := d.open(ctx, c, m)
	if err != nil {
		return nil, err
	}
	s.answers = m.Answers
	s.patience = patience{busy: c.opts.BusyTimeout, load: func(d time.Duration) bool { return c.loads.wait(s.id, d) }}
	return s, nil
}

// current returns the dialect that is configured or was found; nil while it is not known.
func (c *Client) current() dialect {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialect
}

// Dialect returns the name of the dialect that is configured or was found; empty while it is
// not known.
func (c *Client) Dialect() workload.Dialect {
	d := c.current()
	if d == nil {
		return ""
	}
	return d.traits().name
}

// hasState reports whether the node tells about the machines of its cluster.
func (c *Client) hasState() bool {
	d := c.current()
	return d != nil && d.traits().machines
}
