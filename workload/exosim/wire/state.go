package wire

// RingInstance is exo 1.x's only kind of instance on a single node.
type RingInstance struct {
	InstanceID       string               `json:"instanceId"`
	ShardAssignments ShardAssignments     `json:"shardAssignments"`
	HostsByNode      map[string][]Address `json:"hostsByNode"`
	EphemeralPort    int                  `json:"ephemeralPort"`
}

// ShardAssignments say which runner on which node has which part of the model.
type ShardAssignments struct {
	ModelID       string                 `json:"modelId"`
	RunnerToShard map[string]TaggedShard `json:"runnerToShard"`
	NodeToRunner  map[string]string      `json:"nodeToRunner"`
}

// TaggedShard is a pipeline shard under its tag.
type TaggedShard struct {
	Pipeline *PipelineShard `json:"PipelineShardMetadata,omitempty"`
}

// PipelineShard is a part of a model.
type PipelineShard struct {
	ModelCard          ModelCard `json:"modelCard"`
	DeviceRank         int       `json:"deviceRank"`
	WorldSize          int       `json:"worldSize"`
	ImmediateException bool      `json:"immediateException"`
	ShouldTimeout      *float64  `json:"shouldTimeout"`
	StartLayer         int       `json:"startLayer"`
	EndLayer           int       `json:"endLayer"`
	NLayers            int       `json:"nLayers"`
}

// Address is where a node listens for the ring.
type Address struct {
	IP   string `json:"ip"`
	Port int    `json:"port"`
}

// TaggedInstance is an instance under its tag.
type TaggedInstance struct {
	Ring *RingInstance `json:"MlxRingInstance,omitempty"`
}

// Runner is a runner's state as exo tells it; the empty tag means that it has none.
type Runner struct {
	Tag           string
	Layers, Total int    // RunnerLoading
	Message       string // RunnerFailed
}

// Tags of runner statuses.
const (
	RunnerIdle         = "RunnerIdle"
	RunnerLoading      = "RunnerLoading"
	RunnerLoaded       = "RunnerLoaded"
	RunnerWarmingUp    = "RunnerWarmingUp"
	RunnerReady        = "RunnerReady"
	RunnerRunning      = "RunnerRunning"
	RunnerShuttingDown = "RunnerShuttingDown"
	RunnerFailed       = "RunnerFailed"
)

// Document returns the status under its tag.
func (s Runner) Document(v Variant) map[string]any {
	body := map[string]any{}
	switch s.Tag {
	case RunnerLoading:
		body["layersLoaded"], body["totalLayers"] = s.Layers, s.Total
	case RunnerReady:
		if v != V1071 {
			body["prefillServerPort"] = nil
		}
	case RunnerFailed:
		body["errorMessage"] = s.Message
		if v != V1071 {
			body["diagnostics"] = []any{}
		}
	}
	return map[string]any{s.Tag: body}
}

// State is GET /state.
type State struct {
	Instances           map[string]any `json:"instances"`
	Runners             map[string]any `json:"runners"`
	Downloads           map[string]any `json:"downloads"`
	Tasks               map[string]any `json:"tasks"`
	LastSeen            map[string]any `json:"lastSeen"`
	Topology            any            `json:"topology"`
	LastEventAppliedIdx int            `json:"lastEventAppliedIdx"`
	NodeIdentities      map[string]any `json:"nodeIdentities"`
	NodeMemory          any            `json:"nodeMemory,omitempty"`
	NodeDisk            any            `json:"nodeDisk"`
	NodeSystem          any            `json:"nodeSystem,omitempty"`
	NodeNetwork         any            `json:"nodeNetwork"`
	NodeThunderbolt     any            `json:"nodeThunderbolt"`
	NodeBridge          any            `json:"nodeThunderboltBridge"`
	NodeRdmaCtl         any            `json:"nodeRdmaCtl"`
	NodeBackends        any            `json:"nodeBackends,omitempty"` // HEAD only
	BridgeCycles        []any          `json:"thunderboltBridgeCycles"`
	InstanceLinks       any            `json:"instanceLinks,omitempty"`      // HEAD only
	PrefillServerPorts  any            `json:"prefillServerPorts,omitempty"` // HEAD only
	CustomModelCards    any            `json:"customModelCards,omitempty"`   // HEAD only
	LastValues          any            `json:"lastValues,omitempty"`         // struck by MovedFields
}

// MachineMemory is a node's memory.
type MachineMemory struct {
	RAMTotal      Memory `json:"ramTotal"`
	RAMAvailable  Memory `json:"ramAvailable"`
	SwapTotal     Memory `json:"swapTotal"`
	SwapAvailable Memory `json:"swapAvailable"`
}

// MachineSystem is a node's load.
type MachineSystem struct {
	GPUUsage  float64 `json:"gpuUsage"`
	Temp      float64 `json:"temp"`
	SysPower  float64 `json:"sysPower"`
	PCPUUsage float64 `json:"pcpuUsage"`
	ECPUUsage float64 `json:"ecpuUsage"`
}
