package exo

import (
	"context"
	"errors"
	"net/http/httptrace"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// How often a node is asked how it is. Each look at a part of exo's state costs exo a dump of
// its whole state, so machines are looked at while a request is measured only when the last
// look is long ago.
const (
	pollUp        = 15 * time.Second
	pollDown      = 5 * time.Second
	remindDown    = 10 * time.Minute
	nodesAtLeast  = time.Minute
	monitorBudget = 10 * time.Second // of one poll
)

// Monitor watches whether a node is up. It is the one place that says so in the log.
type Monitor struct {
	client   *Client
	onStatus func(workload.Status)
	wake     chan struct{}

	known    bool // last is that of a poll
	last     workload.Status
	since    time.Time // when the node was found as it is: up, down, or not to be asked
	reminded time.Time
	blind    string // why machines cannot be read; empty when they can
}

// NewMonitor returns a Monitor that hands what it finds to onStatus, from Run's goroutine.
func (c *Client) NewMonitor(onStatus func(workload.Status)) *Monitor {
	return &Monitor{client: c, onStatus: onStatus, wake: make(chan struct{}, 1)}
}

// Wake receives when the node has come back, or has come up for the first time after having
// been found down.
func (m *Monitor) Wake() <-chan struct{} { return m.wake }

// Run polls the node at once and then every 15 seconds, or every 5 while it is down, until
// ctx is done.
func (m *Monitor) Run(ctx context.Context) {
	for {
		s := m.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		m.note(s)
		wait := pollUp
		if !s.Up {
			wait = pollDown
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// note publishes s, and logs and wakes when the node has gone or come.
func (m *Monitor) note(s workload.Status) {
	now := time.Now()
	before, known := m.last, m.known
	m.last, m.known = s, true
	switch {
	case !known || before.Up != s.Up || before.Unknown != s.Unknown:
		m.turned(s, known, now.Sub(m.since).Round(time.Second))
		m.since, m.reminded = now, now
	case !s.Up && now.Sub(m.reminded) >= remindDown:
		m.reminded = now
		what := "exo is still down"
		if s.Unknown {
			what = "The exporter still cannot ask exo"
		}
		m.client.log.Warn(what, "url", m.url(), "for", now.Sub(m.since).Round(time.Second), "err", s.Err)
	}
	m.onStatus(s)
}

// turned logs, and wakes or lets sleep, when the node has gone or come, or when nobody can tell any
// more. For so long it was otherwise, which is known unless this is the first that is known of it.
func (m *Monitor) turned(s workload.Status, known bool, before time.Duration) {
	log := m.client.log
	if !s.Up {
		select {
		case <-m.wake: // nobody waited for it, and it is not true any more
		default:
		}
	}
	switch {
	case s.Unknown:
		log.Warn("The exporter itself cannot ask exo; it tries again every "+pollDown.String(), "url", m.url(), "err", s.Err)
	case !s.Up:
		m.client.forget()
		log.Warn("exo is down; it is asked again every "+pollDown.String(), "url", m.url(), "err", s.Err)
	case known:
		log.Info("exo is up again", "url", m.url(), "dialect", s.Dialect, "after", before)
		select {
		case m.wake <- struct{}{}:
		default:
		}
	default:
		log.Info("exo is up", "url", m.url(), "dialect", s.Dialect)
	}
}

func (m *Monitor) url() string { return m.client.api.BaseURL().String() }

// poll asks the node once.
func (m *Monitor) poll(ctx context.Context) workload.Status {
	ctx, cancel := context.WithTimeout(ctx, monitorBudget)
	defer cancel()
	d, rtt, err := m.client.ping(ctx)
	hidden := m.client.private
	s := workload.Status{
		Up: err == nil, Unknown: httpapi.Own(err), Err: hidden.hideError(err), Simulated: m.client.Simulated(), Dialect: d, RTT: rtt,
	}
	if !s.Up {
		s.Dialect = m.client.Dialect()
		return s
	}
	if m.client.hasState() {
		s.Nodes, s.TooBig = m.machines(ctx)
		for i := range s.Nodes {
			for _, words := range []*string{&s.Nodes[i].Name, &s.Nodes[i].Machine, &s.Nodes[i].Chip, &s.Nodes[i].OS} {
				*words = hidden.hide(*words)
			}
		}
	}
	return s
}

// machines reads what the node says of its machines; tooBig is true when that is beyond every
// bound.
func (m *Monitor) machines(ctx context.Context) (nodes []workload.NodeStatus, tooBig bool) {
	var maxAge time.Duration
	if m.client.inflight.Load() > 0 {
		maxAge = nodesAtLeast
	}
	nodes, err := m.client.nodes(ctx, maxAge)
	before := m.blind
	m.blind = ""
	if err != nil {
		m.blind = err.Error()
	}
	if m.blind != "" && m.blind != before {
		m.client.log.Warn("What exo says of its machines cannot be read; nothing is said of them", "err", err)
	}
	return nodes, errors.Is(err, state.ErrTooBig)
}

// ping finds the node's dialect, if that is not configured, and takes the round trip of one
// trivial GET, connecting apart.
func (c *Client) ping(ctx context.Context) (workload.Dialect, time.Duration, error) {
	start := time.Now()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { start = time.Now() }})
	if c.fixed != nil {
		err := c.alive(ctx)
		return c.opts.Dialect, time.Since(start), err
	}
	d, err := c.Detect(ctx)
	return d, time.Since(start), err
}
