package exosim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// state returns the cluster's state.
func (n *Node) state() clusterState {
	mem, sys := n.machine()
	_, unknown := n.active(UnknownTags, "")
	_, moved := n.active(MovedFields, "")
	s := clusterState{
		Instances: map[string]any{}, Runners: map[string]any{},
		Downloads: map[string]any{n.id: n.wireDownloads()},
		Tasks:     n.wireTasks(),
		LastSeen:  map[string]any{n.id: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")},
		Topology:  map[string]any{"nodes": []string{n.id}, "connections": map[string]any{}},
		NodeIdentities: map[string]any{n.id: map[string]string{
			"modelId": "Simulated Mac mini", "chipId": "Apple M4 Pro", "friendlyName": "exo-sim",
			"osVersion": "26.2", "osBuildVersion": "25C56",
		}},
		NodeDisk:    map[string]any{n.id: map[string]memory{"total": {1_000_000_000_000}, "available": {600_000_000_000}}},
		NodeNetwork: map[string]any{}, NodeThunderbolt: map[string]any{}, NodeBridge: map[string]any{},
		NodeRdmaCtl: map[string]any{}, BridgeCycles: []any{},
	}
	memByNode, sysByNode := map[string]any{n.id: mem}, map[string]any{n.id: sys}
	if moved {
		s.LastValues = map[string]any{"nodeMemory": memByNode, "nodeSystem": sysByNode}
	} else {
		s.NodeMemory, s.NodeSystem = memByNode, sysByNode
	}
	if n.opts.Variant != V1071 {
		s.NodeBackends = map[string]any{n.id: []string{"MlxCpu", "MlxMetal"}}
		s.InstanceLinks, s.PrefillServerPorts = map[string]any{}, map[string]any{}
		s.CustomModelCards = n.customCards()
	}
	for _, i := range n.snapshot() {
		if i.listed {
			s.Instances[i.id] = n.wirePlacement(i.placement)
		}
		if i.status.tag != "" {
			s.Runners[i.runnerID] = wireRunner(n.opts.Variant, i.status)
		}
	}
	n.mu.Lock()
	s.LastEventAppliedIdx = n.taskSeq + 412
	n.mu.Unlock()
	if unknown {
		s.Instances["unknown-instance"] = map[string]any{"FutureInstance": map[string]any{"instanceId": "unknown-instance", "novel": []int{1}}}
		s.Runners["unknown-runner"] = map[string]any{"RunnerContemplating": map[string]any{"since": 7}}
		s.Tasks["unknown-task"] = map[string]any{"AudioTranscription": map[string]any{"taskId": "unknown-task", "taskStatus": "Paused"}}
	}
	return s
}

// instanceView is what the state shows of an instance.
type instanceView struct {
	placement
	listed bool
	status runnerStatus
}

func (n *Node) snapshot() []instanceView {
	n.mu.Lock()
	defer n.mu.Unlock()
	views := make([]instanceView, 0, len(n.instances))
	for _, i := range n.instances {
		views = append(views, instanceView{
			placement{id: i.id, runnerID: i.runnerID, profile: i.profile}, i.listed, i.status,
		})
	}
	return views
}

func (n *Node) wireDownloads() []any {
	all := []any{}
	for _, p := range n.profiles {
		if n.known(p.ExoID) == nil {
			continue
		}
		n.mu.Lock()
		d := *n.downloaded[p.ExoID]
		n.mu.Unlock()
		all = append(all, n.wireDownload(p, d))
	}
	return all
}

func (n *Node) customCards() map[string]any {
	cards := map[string]any{}
	for _, p := range n.profiles {
		if !p.Catalogue && n.known(p.ExoID) != nil {
			cards[p.ExoID] = n.card(p)
		}
	}
	return cards
}

type machineMemory struct {
	RAMTotal      memory `json:"ramTotal"`
	RAMAvailable  memory `json:"ramAvailable"`
	SwapTotal     memory `json:"swapTotal"`
	SwapAvailable memory `json:"swapAvailable"`
}

type machineSystem struct {
	GPUUsage  float64 `json:"gpuUsage"`
	Temp      float64 `json:"temp"`
	SysPower  float64 `json:"sysPower"`
	PCPUUsage float64 `json:"pcpuUsage"`
	ECPUUsage float64 `json:"ecpuUsage"`
}

// machine returns the node's memory and load.
func (n *Node) machine() (machineMemory, machineSystem) {
	mem := machineMemory{
		RAMTotal: memory{n.opts.MemoryTotal}, RAMAvailable: memory{n.memoryAvailable()},
		SwapTotal: memory{2 << 30}, SwapAvailable: memory{2 << 30},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, i := range n.instances {
		if i.status.tag == runnerRunning {
			return mem, machineSystem{0.91, 61.2, busyWatts, 0.22, 0.35}
		}
	}
	return mem, machineSystem{0.02, 41.5, idleWatts, 0.03, 0.08}
}

func (n *Node) handleState(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, n.state())
}

// handleStatePath answers GET /state/{path}, which walks keys of objects and indexes of lists.
func (n *Node) handleStatePath(w http.ResponseWriter, r *http.Request) {
	if _, off := n.active(StatePathsMissing, ""); off {
		detail(w, http.StatusNotFound, "Not Found")
		return
	}
	at := json.RawMessage(encode(n.state()))
	for part := range strings.SplitSeq(strings.Trim(r.PathValue("path"), "/"), "/") {
		next, ok := child(at, part)
		if !ok {
			refuse(w, http.StatusNotFound, "State path not found: "+r.PathValue("path"))
			return
		}
		at = next
	}
	writeBody(w, http.StatusOK, "application/json", at)
}

// child returns the member of the object, or the element of the list, that key names.
func child(doc json.RawMessage, key string) (json.RawMessage, bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(doc, &object) == nil {
		v, ok := object[key]
		return v, ok
	}
	var list []json.RawMessage
	i, err := strconv.Atoi(key)
	if err != nil || json.Unmarshal(doc, &list) != nil || i < 0 || i >= len(list) {
		return nil, false
	}
	return list[i], true
}
