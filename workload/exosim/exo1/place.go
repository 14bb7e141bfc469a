package exo1

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// Reasons for which exo refuses a placement.
const (
	noMemory = "No cycles found with sufficient memory"
	noRDMA   = "Requested RDMA (MlxJaccl) but no RDMA-connected cycles available"
)

// noRoom returns why the model cannot be placed; empty when it can.
func (n *Node) noRoom(p *pace.Profile) string {
	if f, ok := n.Faults.StrikeInstance(faults.PlacementRefused, p.ExoID); ok {
		return cmp.Or(f.Message, noMemory)
	}
	if p.WeightsBytes > n.memoryAvailable() {
		return noMemory
	}
	return ""
}

// noPlacements answers as an exo does that has no such route: it looks for an instance of
// that name.
func (n *Node) noPlacements(w http.ResponseWriter) bool {
	_, struck := n.Faults.Active(faults.NoPlacements, "")
	if struck {
		wire.Refuse(w, http.StatusNotFound, "Instance not found")
	}
	return struck
}

// preview is one entry of GET /instance/previews.
type preview struct {
	ModelID           string               `json:"model_id"`
	Sharding          string               `json:"sharding"`
	InstanceMeta      string               `json:"instance_meta"`
	Instance          *wire.TaggedInstance `json:"instance"`
	MemoryDeltaByNode map[string]uint64    `json:"memory_delta_by_node"`
	Error             *string              `json:"error"`
}

// handlePreviews answers GET /instance/previews. A single node is offered pipeline
// placements in a ring only, whatever was asked for.
func (n *Node) handlePreviews(w http.ResponseWriter, r *http.Request) {
	if n.noPlacements(w) {
		return
	}
	p, reason := n.catalogue.load(r.URL.Query().Get("model_id"))
	if p == nil {
		wire.Refuse(w, http.StatusBadRequest, "Failed to load model card: "+reason)
		return
	}
	full := n.noRoom(p)
	list := []preview{}
	for _, sharding := range []string{"Pipeline", "Tensor"} {
		for _, meta := range []string{"MlxRing", "MlxJaccl"} {
			v := preview{ModelID: p.ExoID, Sharding: sharding, InstanceMeta: meta}
			switch {
			case full != "":
				v.Error = new(full)
			case meta == "MlxJaccl":
				v.Error = new(noRDMA)
			default:
				v.Instance = new(n.wirePlacement(placement{id: world.UUID(), runnerID: world.UUID(), profile: p}))
				v.MemoryDeltaByNode = map[string]uint64{n.id: p.WeightsBytes}
			}
			list = append(list, v)
		}
	}
	wire.WriteJSON(w, http.StatusOK, map[string][]preview{"previews": list})
}

// handlePlacement answers GET /instance/placement.
func (n *Node) handlePlacement(w http.ResponseWriter, r *http.Request) {
	if n.noPlacements(w) {
		return
	}
	q := r.URL.Query()
	p, reason := n.catalogue.load(q.Get("model_id"))
	if p == nil {
		wire.Refuse(w, http.StatusBadRequest, "Failed to load model card: "+reason)
		return
	}
	reason = n.noRoom(p)
	if nodes, _ := strconv.Atoi(q.Get("min_nodes")); nodes > 1 {
		reason = noMemory
	}
	if q.Get("instance_meta") == "MlxJaccl" {
		reason = noRDMA
	}
	if reason != "" {
		wire.Refuse(w, http.StatusBadRequest, reason)
		return
	}
	wire.WriteJSON(w, http.StatusOK, n.wirePlacement(placement{id: world.UUID(), runnerID: world.UUID(), profile: p}))
}

// created is the answer to a command that creates an instance.
type created struct {
	Message   string         `json:"message"`
	CommandID string         `json:"command_id"`
	ModelCard wire.ModelCard `json:"model_card"`
}

const received = "Command received."

// handleCreate answers POST /instance.
func (n *Node) handleCreate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Instance json.RawMessage `json:"instance"`
	}
	if !wire.ReadJSON(w, r, &body) {
		return
	}
	if body.Instance == nil {
		wire.Unprocessable(w, wire.Missing("instance", map[string]any{}))
		return
	}
	var in wire.TaggedInstance
	strict := json.NewDecoder(bytes.NewReader(wire.RenameKeys(body.Instance, wire.ToCamel)))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&in); err != nil {
		wire.Unprocessable(w, wire.Invalid{Type: "extra_forbidden", Loc: []any{"body", "instance"}, Msg: err.Error()})
		return
	}
	if in.Ring == nil || in.Ring.InstanceID == "" || len(in.Ring.ShardAssignments.RunnerToShard) != 1 {
		wire.Unprocessable(w, wire.Invalid{Type: "missing", Loc: []any{"body", "instance", "MlxRingInstance"}, Msg: "Field required"})
		return
	}
	p, _ := n.catalogue.load(in.Ring.ShardAssignments.ModelID)
	if p == nil {
		wire.Text500(w)
		return
	}
	if n.master.await(r.Context()) != nil {
		return
	}
	available := n.memoryAvailable()
	if n.noRoom(p) != "" {
		wire.Refuse(w, http.StatusBadRequest, fmt.Sprintf(
			"Insufficient memory to create instance. Required: %.1f GB, Available: %.1f GB",
			float64(p.WeightsBytes)/(1<<30), float64(available)/(1<<30),
		))
		return
	}
	pl := placement{id: in.Ring.InstanceID, profile: p}
	for runner, shard := range in.Ring.ShardAssignments.RunnerToShard {
		pl.runnerID = runner
		pl.raises = shard.Pipeline != nil && shard.Pipeline.ImmediateException
	}
	n.accept(w, pl)
}

// handlePlace answers POST /place_instance, which never says that there is no room.
func (n *Node) handlePlace(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ModelID      string `json:"model_id"`
		Sharding     string `json:"sharding"`
		InstanceMeta string `json:"instance_meta"`
		MinNodes     int    `json:"min_nodes"`
	}
	if !wire.ReadJSON(w, r, &req) {
		return
	}
	if req.ModelID == "" {
		wire.Unprocessable(w, wire.Missing("model_id", map[string]any{}))
		return
	}
	p, _ := n.catalogue.load(req.ModelID)
	if p == nil {
		wire.Text500(w)
		return
	}
	if n.master.await(r.Context()) != nil {
		return
	}
	if n.noRoom(p) != "" || req.InstanceMeta == "MlxJaccl" || req.MinNodes > 1 {
		wire.WriteJSON(w, http.StatusOK, created{received, world.UUID(), n.catalogue.card(p)})
		return
	}
	n.accept(w, placement{id: world.UUID(), runnerID: world.UUID(), profile: p})
}

// accept answers a command that creates an instance and lets it happen.
func (n *Node) accept(w http.ResponseWriter, p placement) {
	if _, lost := n.Faults.StrikeInstance(faults.InstanceVanishes, p.profile.ExoID); !lost {
		n.place(p)
	}
	wire.WriteJSON(w, http.StatusOK, created{received, world.UUID(), n.catalogue.card(p.profile)})
}

// find returns the instance with this id that exo shows; nil for none.
func (n *Node) find(id string) *instance {
	i := n.cluster.find(id)
	if i == nil || n.hidden(i.placement) {
		return nil
	}
	return i
}

// hidden reports whether exo does not show an instance that there is.
func (n *Node) hidden(p placement) bool {
	_, hidden := n.Faults.Active(faults.InstancesHidden, p.profile.ExoID)
	return hidden
}

func (n *Node) handleGetInstance(w http.ResponseWriter, r *http.Request) {
	i := n.find(r.PathValue("id"))
	if i == nil {
		wire.Refuse(w, http.StatusNotFound, "Instance not found")
		return
	}
	wire.WriteJSON(w, http.StatusOK, n.wireInstance(i))
}

func (n *Node) handleDeleteInstance(w http.ResponseWriter, r *http.Request) {
	i := n.find(r.PathValue("id"))
	if i == nil {
		wire.Refuse(w, http.StatusNotFound, "Instance not found")
		return
	}
	if n.master.await(r.Context()) != nil {
		return
	}
	if _, ignored := n.Faults.StrikeInstance(faults.DeleteIgnored, i.profile.ExoID); !ignored {
		n.remove(i, EndedByAPI)
	}
	wire.WriteJSON(w, http.StatusOK, struct {
		Message    string `json:"message"`
		CommandID  string `json:"command_id"`
		InstanceID string `json:"instance_id"`
	}{received, world.UUID(), i.id})
}
