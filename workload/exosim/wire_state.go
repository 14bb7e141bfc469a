package exosim

import "strings"

// ringInstance is exo 1.x's only kind of instance on a single node.
type ringInstance struct {
	InstanceID       string               `json:"instanceId"`
	ShardAssignments shardAssignments     `json:"shardAssignments"`
	HostsByNode      map[string][]address `json:"hostsByNode"`
	EphemeralPort    int                  `json:"ephemeralPort"`
}

type shardAssignments struct {
	ModelID       string               `json:"modelId"`
	RunnerToShard map[string]taggedOne `json:"runnerToShard"`
	NodeToRunner  map[string]string    `json:"nodeToRunner"`
}

// taggedOne is a pipeline shard under its tag.
type taggedOne struct {
	Pipeline *pipelineShard `json:"PipelineShardMetadata,omitempty"`
}

type pipelineShard struct {
	ModelCard          modelCard `json:"modelCard"`
	DeviceRank         int       `json:"deviceRank"`
	WorldSize          int       `json:"worldSize"`
	ImmediateException bool      `json:"immediateException"`
	ShouldTimeout      *float64  `json:"shouldTimeout"`
	StartLayer         int       `json:"startLayer"`
	EndLayer           int       `json:"endLayer"`
	NLayers            int       `json:"nLayers"`
}

type address struct {
	IP   string `json:"ip"`
	Port int    `json:"port"`
}

// taggedInstance is an instance under its tag.
type taggedInstance struct {
	Ring *ringInstance `json:"MlxRingInstance,omitempty"`
}

// ephemeralPort is where the ring of every instance listens.
const ephemeralPort = 50123

func (n *Node) wireShard(p *Profile) taggedOne {
	return taggedOne{&pipelineShard{
		ModelCard: n.card(p), WorldSize: 1, EndLayer: p.Layers, NLayers: p.Layers,
	}}
}

// wirePlacement returns the instance that a placement makes.
func (n *Node) wirePlacement(p placement) taggedInstance {
	return taggedInstance{&ringInstance{
		InstanceID: p.id,
		ShardAssignments: shardAssignments{
			ModelID:       p.profile.ExoID,
			RunnerToShard: map[string]taggedOne{p.runnerID: n.wireShard(p.profile)},
			NodeToRunner:  map[string]string{n.id: p.runnerID},
		},
		HostsByNode:   map[string][]address{n.id: {{"0.0.0.0", ephemeralPort}}},
		EphemeralPort: ephemeralPort,
	}}
}

func (n *Node) wireInstance(i *instance) taggedInstance {
	return n.wirePlacement(placement{id: i.id, runnerID: i.runnerID, profile: i.profile})
}

// wireRunner returns a runner's status under its tag.
func wireRunner(v Variant, s runnerStatus) map[string]any {
	body := map[string]any{}
	switch s.tag {
	case runnerLoading:
		body["layersLoaded"], body["totalLayers"] = s.layers, s.total
	case runnerReady:
		if v != V1071 {
			body["prefillServerPort"] = nil
		}
	case runnerFailed:
		body["errorMessage"] = s.message
		if v != V1071 {
			body["diagnostics"] = []any{map[string]any{"RunnerMetalGpuTimeout": map[string]any{
				"message": "Simulated: the GPU did not answer in time", "evidence": []string{},
			}}}
		}
	}
	return map[string]any{s.tag: body}
}

// clusterState is GET /state.
type clusterState struct {
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

// wireDownload returns a model's download under its tag.
func (n *Node) wireDownload(p *Profile, d download) map[string]any {
	body := map[string]any{"nodeId": n.id, "shardMetadata": n.wireShard(p), "modelDirectory": ""}
	total := memory{p.WeightsBytes}
	switch {
	case d.failed != "":
		body["errorMessage"] = d.failed
		return map[string]any{"DownloadFailed": body}
	case d.done:
		body["modelDirectory"] = "/Users/sim/.exo/models/" + strings.ReplaceAll(p.ExoID, "/", "--")
		body["total"], body["readOnly"] = total, false
		return map[string]any{"DownloadCompleted": body}
	case d.ongoing:
		body["downloadProgress"] = map[string]any{
			"total": total, "downloaded": memory{d.bytes}, "downloadedThisSession": memory{d.bytes},
			"completedFiles": 0, "totalFiles": 6, "speed": d.rate,
			"etaMs": d.remaining(p.WeightsBytes).Milliseconds(), "files": map[string]any{},
		}
		return map[string]any{"DownloadOngoing": body}
	}
	body["downloaded"], body["total"] = memory{d.bytes}, total
	return map[string]any{"DownloadPending": body}
}
