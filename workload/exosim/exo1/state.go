package exo1

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/wire"
)

// state returns the cluster's state.
func (n *Node) state() wire.State {
	mem, sys := n.machine()
	_, unknown := n.Faults.Active(faults.UnknownTags, "")
	_, moved := n.Faults.Active(faults.MovedFields, "")
	tasks := n.tasks.document()
	s := wire.State{
		Instances: map[string]any{}, Runners: map[string]any{},
		Downloads: map[string]any{n.id: n.wireDownloads()},
		Tasks:     tasks, LastEventAppliedIdx: n.events.index(),
		LastSeen: map[string]any{n.id: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")},
		Topology: map[string]any{"nodes": []string{n.id}, "connections": map[string]any{}},
		NodeIdentities: map[string]any{n.id: map[string]string{
			"modelId": "Simulated Mac mini", "chipId": "Apple M4 Pro", "friendlyName": "exo-sim",
			"osVersion": "26.2", "osBuildVersion": "25C56",
		}},
		NodeDisk:    map[string]any{n.id: map[string]wire.Memory{"total": {InBytes: 1_000_000_000_000}, "available": {InBytes: 600_000_000_000}}},
		NodeNetwork: map[string]any{}, NodeThunderbolt: map[string]any{}, NodeBridge: map[string]any{},
		NodeRdmaCtl: map[string]any{}, BridgeCycles: []any{},
	}
	memByNode, sysByNode := map[string]any{n.id: mem}, map[string]any{n.id: sys}
	if moved {
		s.LastValues = map[string]any{"nodeMemory": memByNode, "nodeSystem": sysByNode}
	} else {
		s.NodeMemory, s.NodeSystem = memByNode, sysByNode
	}
	if n.opts.Variant != wire.V1071 {
		s.NodeBackends = map[string]any{n.id: []string{"MlxCpu", "MlxMetal"}}
		s.InstanceLinks, s.PrefillServerPorts = map[string]any{}, map[string]any{}
		s.CustomModelCards = n.catalogue.customCards()
	}
	instances, gone := n.cluster.snapshot()
	for _, r := range gone {
		s.Runners[r.runnerID] = r.status.Document(n.opts.Variant)
	}
	for _, i := range instances {
		if i.listed && !n.hidden(i.placement) {
			s.Instances[i.id] = n.wirePlacement(i.placement)
		}
		if i.status.Tag != "" {
			s.Runners[i.runnerID] = i.status.Document(n.opts.Variant)
		}
	}
	if unknown {
		s.Instances["unknown-instance"] = map[string]any{"FutureInstance": map[string]any{"instanceId": "unknown-instance", "novel": []int{1}}}
		s.Runners["unknown-runner"] = map[string]any{"RunnerContemplating": map[string]any{"since": 7}}
		s.Tasks["unknown-task"] = map[string]any{"AudioTranscription": map[string]any{"taskId": "unknown-task", "taskStatus": "Paused"}}
	}
	return s
}

func (n *Node) wireDownloads() []any {
	all := []any{}
	for _, p := range n.catalogue.all() {
		all = append(all, n.wireDownload(p))
	}
	return all
}

// machine returns the node's memory and load.
func (n *Node) machine() (wire.MachineMemory, wire.MachineSystem) {
	const swap = 2 << 30
	mem := wire.MachineMemory{
		RAMTotal: wire.Memory{InBytes: n.MemoryTotal}, RAMAvailable: wire.Memory{InBytes: n.memoryAvailable()},
		SwapTotal: wire.Memory{InBytes: swap}, SwapAvailable: wire.Memory{InBytes: swap},
	}
	busy, watts := n.cluster.load()
	if busy > 0 {
		return mem, wire.MachineSystem{GPUUsage: 0.91, Temp: 61.2, SysPower: watts, PCPUUsage: 0.22, ECPUUsage: 0.35}
	}
	return mem, wire.MachineSystem{GPUUsage: 0.02, Temp: 41.5, SysPower: watts, PCPUUsage: 0.03, ECPUUsage: 0.08}
}

// document returns v, the state or a part of it, as it goes over the wire.
func (n *Node) document(v any) json.RawMessage {
	doc := wire.Encode(v)
	if _, snake := n.Faults.Active(faults.SnakeKeys, ""); snake {
		doc = wire.RenameKeys(doc, wire.ToSnake)
	}
	return doc
}

func (n *Node) handleState(w http.ResponseWriter, _ *http.Request) {
	wire.WriteBody(w, http.StatusOK, "application/json", n.document(n.state()))
}

// handleStatePath answers GET /state/{path}, which walks keys of objects and indexes of lists.
func (n *Node) handleStatePath(w http.ResponseWriter, r *http.Request) {
	if _, off := n.Faults.Active(faults.StatePathsMissing, ""); off {
		wire.Detail(w, http.StatusNotFound, "Not Found")
		return
	}
	path := strings.Trim(r.PathValue("path"), "/")
	at, ok := n.part(strings.Split(path, "/"))
	if !ok {
		wire.Refuse(w, http.StatusNotFound, "unable to find path '"+strings.ReplaceAll(path, "/", ".")+"' in state json")
		return
	}
	wire.WriteBody(w, http.StatusOK, "application/json", at)
}

// part returns what is at the end of a path into the state, of which it makes no more than that
// a document.
func (n *Node) part(path []string) (at json.RawMessage, ok bool) {
	key := path[0]
	if _, snake := n.Faults.Active(faults.SnakeKeys, ""); snake {
		if key != wire.ToSnake(key) {
			return nil, false
		}
		key = wire.ToCamel(key)
	}
	top, ok := wire.Member(n.state(), key)
	if !ok {
		return nil, false
	}
	at = n.document(top)
	for _, key := range path[1:] {
		if at, ok = child(at, key); !ok {
			return nil, false
		}
	}
	return at, true
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
