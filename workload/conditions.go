package workload

// Resource is what the tasks of a machine compete for.
type Resource string

// The resources of which Linux tells the pressure. They are label values and therefore a contract.
const (
	ResourceCPU    Resource = "cpu"
	ResourceMemory Resource = "memory"
	ResourceIO     Resource = "io"
)

// Resources lists every resource.
func Resources() []Resource { return []Resource{ResourceCPU, ResourceMemory, ResourceIO} }

// Conditions are how it was on the exporter's machine while a turn's requests were measured, as its system tells. They
// explain figures, and are no figure of a model. What the system does not tell is nil.
type Conditions struct {
	// Seconds is how long the machine was watched; 0 means that it was not, because exo is on another one or no request
	// was measured.
	Seconds float64 `json:"seconds"`
	// Pressure is that of Linux' pressure stall information (PSI).
	Pressure map[Resource]Pressure `json:"pressure,omitempty"`
	// CoreThrottles and PackageThrottles count how often cores, and processors as a whole, were slowed down for heat.
	CoreThrottles    *uint64 `json:"core_throttles,omitempty"`
	PackageThrottles *uint64 `json:"package_throttles,omitempty"`
	// FrequencyLimit is the lowest that any CPU was allowed to run at, as a share of its own maximum.
	FrequencyLimit *float64 `json:"frequency_limit_ratio,omitempty"`
	// ThermalPressure is the highest that macOS told: 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping.
	ThermalPressure *int `json:"thermal_pressure,omitempty"`
	// MemoryPressure is the highest that macOS told: 1 normal, 2 warning, 4 critical.
	MemoryPressure *int `json:"memory_pressure,omitempty"`
}

// Pressure is what a shortage of one resource cost.
type Pressure struct {
	// Waiting is the share of the time in which one task at least waited for the resource.
	Waiting float64 `json:"waiting_ratio"`
	// Stalled is the share of the time in which all tasks that had something to do waited. Of the CPU it is nil: there
	// is always one that runs.
	Stalled *float64 `json:"stalled_ratio,omitempty"`
}

// Surroundings watches the machine while a turn's requests are measured.
type Surroundings interface {
	// Watch begins to watch, and returns what ends that and tells what was seen.
	Watch() (end func() Conditions)
}

// noSurroundings tells nothing.
type noSurroundings struct{}

func (noSurroundings) Watch() func() Conditions { return func() Conditions { return Conditions{} } }
