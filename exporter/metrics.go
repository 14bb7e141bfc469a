package exporter

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// Options say what is measured, as far as metrics and status page need to know.
type Options struct {
	Target    string // URL of the node; shown on the status page only
	Models    []workload.Model
	Suite     workload.Suite
	Interval  time.Duration // from the start of a cycle to the start of the next
	Simulated bool          // the target is the built-in simulator, whatever its answers say
	Memory    MemorySource  // nil: exo's processes are not watched
	Records   bool          // single results are kept, and can be looked at
	Judge     JudgeSource   // nil: speeds are not judged
	Machine   MachineSource // nil: the exporter's machine is not watched
}

// Metrics holds every series of the exporter. Observer feeds it from the workload; SetStatus
// feeds it from what is known of the node. All methods may be called concurrently.
type Metrics struct {
	*reloads
	set   *metric.Set
	feeds modelFeeds
	cycle cycleMetrics
	node  *statusHolder

	mu      sync.Mutex // guards what follows, and every change of series
	sha256  string     // of the configured suite
	dropped *metric.Series[dropped]
	epochs  *epochs
	stamps  stamps
	series  map[string]*modelSeries // by name of the model
	// The target is the simulator by configuration, or by the word of what answered last.
	configSimulated, answerSimulated bool
}

// NewRegistry returns a registry with the metrics of the process itself: build_info, go_* and
// process_*.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	newProcessSet(reg)
	reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return reg
}

// NewMetrics registers all metrics of the workload with reg and creates the series of every
// model and prompt in opts. It panics when reg has them already.
func NewMetrics(reg prometheus.Registerer, opts Options) *Metrics {
	set := metric.NewSet(reg)
	m := &Metrics{
		reloads: newReloads(set),
		set:     set,
		feeds:   newModelFeeds(set),
		cycle:   newCycleMetrics(set),
		node:    &statusHolder{},
		dropped: newDropped(set),
		epochs:  newEpochs(set),
		stamps:  stamps{feed: metric.Register(set, stampLateness())},
		series:  make(map[string]*modelSeries),
	}
	registerStatus(set, m.node)
	if opts.Memory != nil {
		registerMemory(set, opts.Memory)
	}
	if opts.Machine != nil {
		registerMachine(set, opts.Machine)
	}
	if opts.Judge != nil {
		registerJudge(set, opts.Judge)
	}
	m.cycle.running.Record(false)
	m.Apply(opts)
	return m
}

// Apply makes the series those of a new configuration: series of models and prompts that left
// it vanish, new ones begin at zero, the rest go on. When the workload's hash changes, every
// figure of the old workload is withdrawn. opts.Memory, opts.Machine and opts.Judge are those of
// NewMetrics for good.
func (m *Metrics) Apply(opts Options) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sha := opts.Suite.SHA256()
	m.applyModels(opts, sha)
	if sha != m.sha256 {
		m.epochs.reset()
	}
	m.cycle.configured.Record(opts)
	m.sha256, m.configSimulated = sha, opts.Simulated
	m.showSimulated()
}

// SetStatus makes s what is known of the node.
func (m *Metrics) SetStatus(s workload.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, left := briefStatus(s)
	if s.TooBig {
		left = 1 // at least
	}
	m.dropped.Record(dropped{DroppedSeries, left})
	if s.Err != nil {
		m.dropped.Record(dropped{DroppedStrings, tooLong(s.Err.Error())})
	}
	m.node.set(kept)
	m.answerSimulated = s.Simulated
	m.showSimulated()
}

func (m *Metrics) showSimulated() { m.cycle.simulated.Record(m.configSimulated || m.answerSimulated) }

// Dropped counts n things of a kind, one of the Dropped constants, that were beyond a bound.
func (m *Metrics) Dropped(what string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped.Record(dropped{what, n})
}

// unixSeconds returns t in seconds since 1970, as Prometheus counts time.
func unixSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
