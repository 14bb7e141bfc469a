package exporter

import (
	"errors"
	"html/template"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// AgentOptions say what a memory agent is part of.
type AgentOptions struct {
	Driver  func() string // URL of the exporter that measures; shown on the status page only
	Memory  MemorySource  // exo's processes on this machine
	Node    NodeSource    // memory of this machine
	Machine MachineSource // its conditions
}

// Agent holds the series and the status page of an exporter that only watches the memory of one
// machine while another exporter, its driver, measures. It has none of the series that tell of
// the benchmark itself, so that no alert about that concerns it. It is a cluster.Sink; all
// methods may be called concurrently.
type Agent struct {
	*reloads
	options AgentOptions
	set     *metric.Set
	memory  *metric.Feed[workload.Memory]

	mu        sync.Mutex // guards what follows
	driverUp  *metric.Series[bool]
	simulated *metric.Series[bool]
	dropped   *metric.Series[dropped]
	series    map[string]*metric.Series[workload.Memory] // by model

	driver cluster.State // its last answer
	up     bool
	err    error        // why up is false; nil before the first attempt
	models []agentModel // in the order in which they were seen first
}

var _ cluster.Sink = (*Agent)(nil)

// agentModel is the last turn of a model.
type agentModel struct {
	Name   string
	Ended  time.Time
	Known  bool // Memory is that of a whole turn
	Memory workload.Memory
}

// maxAgentModels bounds the models that an agent has series of: a driver names them.
const maxAgentModels = 64

// NewAgent registers an agent's metrics with reg. It panics when reg has them already.
func NewAgent(reg prometheus.Registerer, o AgentOptions) *Agent {
	set := metric.NewSet(reg)
	a := &Agent{
		reloads: newReloads(set),
		options: o,
		set:     set,
		memory:  metric.Register(set, turnMemory()),
		driverUp: alone(set, "agent_driver_up", "1 or 0",
			"1 when the exporter that measures told this memory agent whose turn it is when it was last asked, 0 otherwise: then "+
				"memory is not attributed to models.",
			"at an exporter that is not a memory agent", boolValue),
		simulated: newSimulated(set),
		dropped:   newDropped(set),
		series:    make(map[string]*metric.Series[workload.Memory]),
	}
	a.driverUp.Record(false)
	registerMemory(set, o.Memory)
	registerNodes(set, o.Node)
	registerMachine(set, o.Machine)
	return a
}

// Contact implements cluster.Sink.
func (a *Agent) Contact(s cluster.State, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.up, a.err = err == nil, nil
	if err != nil {
		a.err = errors.New(brief(err.Error()))
	}
	a.driverUp.Record(a.up)
	if a.up {
		a.driver = briefDriver(s)
		a.simulated.Record(s.Simulated)
	}
}

// Seen implements cluster.Sink.
func (a *Agent) Seen(model string, m workload.Memory, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	model = metric.Label(model)
	s := a.series[model]
	if s == nil {
		if len(a.series) >= maxAgentModels {
			a.dropped.Record(dropped{DroppedSeries, 1})
			return
		}
		s = a.memory.With(model)
		a.series[model] = s
	}
	if ok {
		s.Record(m)
	} else {
		s.Withdraw()
	}
	i := slices.IndexFunc(a.models, func(m agentModel) bool { return m.Name == model })
	if i < 0 {
		i = len(a.models)
		a.models = append(a.models, agentModel{})
	}
	a.models[i] = agentModel{Name: model, Ended: time.Now(), Known: ok, Memory: m}
}

// Forget implements cluster.Sink.
func (a *Agent) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.series {
		s.Delete()
	}
	clear(a.series)
	a.models = nil
}

// agentData is what agent.html shows.
type agentData struct {
	Version, Driver string
	Now             time.Time
	Up              bool
	Err             error
	State           cluster.State
	Visible         bool
	Roles           []agentRole
	Models          []agentModel
}

type agentRole struct {
	Name string
	RoleMemory
}

func (a *Agent) view(now time.Time) (*template.Template, any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := agentData{
		Version: Version(), Driver: redactURL(a.options.Driver()), Now: now,
		Up: a.up, Err: a.err, State: a.driver, Models: slices.Clone(a.models),
	}
	here, ok := a.options.Memory()
	d.Visible = ok
	for _, name := range []string{"node", "runner"} {
		d.Roles = append(d.Roles, agentRole{name, here.Roles[name]})
	}
	return agentTemplate, d
}

// Ago returns how long before Now t was, rounded for people.
func (d agentData) Ago(t time.Time) string { return ago(d.Now, t) }
