package exosim

import (
	"net/http"
	"strings"
	"time"
)

// modelCard is exo 1.x's description of a model, as it stands inside other documents.
type modelCard struct {
	ModelID          string           `json:"modelId"`
	StorageSize      memory           `json:"storageSize"`
	NLayers          int              `json:"nLayers"`
	HiddenSize       int              `json:"hiddenSize"`
	SupportsTensor   bool             `json:"supportsTensor"`
	NumKeyValueHeads int              `json:"numKeyValueHeads"`
	Tasks            []string         `json:"tasks"`
	Components       any              `json:"components"`
	Family           string           `json:"family"`
	Quantization     string           `json:"quantization"`
	BaseModel        string           `json:"baseModel"`
	Capabilities     []string         `json:"capabilities"`
	Backends         []string         `json:"backends,omitempty"`         // HEAD only
	ReasoningDialect string           `json:"reasoningDialect,omitempty"` // HEAD only
	ContextLength    int              `json:"contextLength"`
	UsesCfg          bool             `json:"usesCfg"`
	TrustRemoteCode  bool             `json:"trustRemoteCode"`
	IsCustom         bool             `json:"isCustom"`
	Vision           any              `json:"vision"`
	SamplingDefaults samplingDefaults `json:"samplingDefaults"`
}

type samplingDefaults struct {
	Temperature       *float64 `json:"temperature"`
	TopP              *float64 `json:"topP"`
	TopK              *int     `json:"topK"`
	MinP              *float64 `json:"minP"`
	RepetitionPenalty *float64 `json:"repetitionPenalty"`
	PresencePenalty   *float64 `json:"presencePenalty"`
	FrequencyPenalty  *float64 `json:"frequencyPenalty"`
	Thinking          any      `json:"thinking"`
	NonThinking       any      `json:"nonThinking"`
}

// card returns the model's card.
func (n *Node) card(p *Profile) modelCard {
	n.mu.Lock()
	custom := n.custom[p.ExoID]
	n.mu.Unlock()
	c := modelCard{
		ModelID: p.ExoID, StorageSize: memory{p.WeightsBytes}, NLayers: p.Layers, HiddenSize: p.HiddenSize,
		SupportsTensor: true, NumKeyValueHeads: p.KVHeads, Tasks: []string{"TextGeneration"},
		Family: p.Family, Quantization: "4bit", BaseModel: p.BaseModel, Capabilities: p.capabilities(),
		ContextLength: p.ContextLength, TrustRemoteCode: true, IsCustom: custom,
		SamplingDefaults: samplingDefaults{Temperature: new(0.6), TopP: new(0.9)},
	}
	if n.opts.Variant != V1071 {
		c.Backends = []string{"MlxMetal", "MlxCuda", "MlxCpu"}
		c.ReasoningDialect = p.reasoningDialect()
	}
	return c
}

func (p *Profile) capabilities() []string {
	if p.Thinks {
		return []string{"text", "thinking"}
	}
	return []string{"text"}
}

func (p *Profile) reasoningDialect() string {
	if p.Thinks {
		return "post_last_user"
	}
	return "none"
}

// listedModel is an entry of exo 1.x's /models.
type listedModel struct {
	ID                   string   `json:"id"`
	Object               string   `json:"object"`
	Created              int64    `json:"created"`
	OwnedBy              string   `json:"owned_by"`
	HuggingFaceID        string   `json:"hugging_face_id"`
	Name                 string   `json:"name"`
	Description          string   `json:"description"`
	ContextLength        int      `json:"context_length"`
	Tags                 []string `json:"tags"`
	StorageSizeMegabytes int      `json:"storage_size_megabytes"`
	SupportsTensor       bool     `json:"supports_tensor"`
	Tasks                []string `json:"tasks"`
	IsCustom             bool     `json:"is_custom"`
	Family               string   `json:"family"`
	Quantization         string   `json:"quantization"`
	BaseModel            string   `json:"base_model"`
	Capabilities         []string `json:"capabilities"`
	ReasoningDialect     string   `json:"reasoning_dialect,omitempty"` // HEAD only
}

func (n *Node) listed(p *Profile) listedModel {
	c := n.card(p)
	return listedModel{
		ID: p.ExoID, Object: "model", Created: time.Now().Unix(), OwnedBy: "exo", HuggingFaceID: p.ExoID,
		Name: short(p.ExoID), ContextLength: p.ContextLength, Tags: []string{},
		StorageSizeMegabytes: int(p.WeightsBytes >> 20), SupportsTensor: true, Tasks: c.Tasks,
		IsCustom: c.IsCustom, Family: p.Family, Quantization: "4bit", BaseModel: p.BaseModel,
		Capabilities: c.Capabilities, ReasoningDialect: c.ReasoningDialect,
	}
}

// known returns the model with this exo 1.x id if exo has its card; nil otherwise.
func (n *Node) known(exoID string) *Profile {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.profiles {
		if p.ExoID == exoID && exoID != "" && (p.Catalogue || n.custom[exoID]) {
			return p
		}
	}
	return nil
}

// loadCard returns the model, having fetched its card as exo does when it has none; an
// error text says why that failed.
func (n *Node) loadCard(exoID string) (*Profile, string) {
	if p := n.known(exoID); p != nil {
		return p, ""
	}
	if n.opts.Offline {
		return nil, "Cannot reach huggingface.co: exo runs offline"
	}
	for _, p := range n.profiles {
		if p.ExoID == exoID && exoID != "" {
			n.mu.Lock()
			n.custom[exoID] = true
			n.mu.Unlock()
			return p, ""
		}
	}
	return nil, "404 Client Error: Repository Not Found for " + exoID
}

func (n *Node) handleModels(w http.ResponseWriter, r *http.Request) {
	onlyDownloaded := r.URL.Query().Get("status") == "downloaded"
	list := []listedModel{}
	for _, p := range n.profiles {
		if n.known(p.ExoID) == nil {
			continue
		}
		n.mu.Lock()
		done := n.downloaded[p.ExoID].done
		n.mu.Unlock()
		if done || !onlyDownloaded {
			list = append(list, n.listed(p))
		}
	}
	writeJSON(w, http.StatusOK, struct {
		Object string        `json:"object"`
		Data   []listedModel `json:"data"`
	}{"list", list})
}

func (n *Node) handleAddModel(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ModelID string `json:"model_id"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	if req.ModelID == "" {
		unprocessable(w, missing("model_id", map[string]any{}))
		return
	}
	p, reason := n.loadCard(req.ModelID)
	if p == nil {
		refuse(w, http.StatusBadRequest, "Failed to fetch model: "+reason)
		return
	}
	writeJSON(w, http.StatusOK, n.listed(p))
}

func (n *Node) handleRemoveModel(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	n.mu.Lock()
	was := n.custom[id]
	delete(n.custom, id)
	n.mu.Unlock()
	if !was {
		refuse(w, http.StatusNotFound, "Custom model card not found")
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Model card deleted", "model_id": id})
}

// short returns the part of a model id behind its organisation.
func short(id string) string { return id[strings.LastIndex(id, "/")+1:] }
