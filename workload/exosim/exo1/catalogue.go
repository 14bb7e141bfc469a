package exo1

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// catalogue knows which models exo has cards of, and how far their weights have come. It
// is safe for concurrent use.
type catalogue struct {
	profiles []*pace.Profile
	variant  wire.Variant
	offline  bool
	read     func(index int) bool // whether exo has read the card of that index from its disk

	mu      sync.Mutex
	custom  map[string]bool      // exo ids of custom cards
	fetched map[string]bool      // of those, what came from the internet
	weights map[string]*download // by exo id
}

func newCatalogue(w *world.World, o Options) *catalogue {
	c := &catalogue{
		profiles: w.Profiles, variant: o.Variant, offline: o.Offline,
		custom: map[string]bool{}, fetched: map[string]bool{}, weights: map[string]*download{},
		read: func(index int) bool {
			takes := float64(w.Clock.Scaled(o.CatalogueIn)) * float64(index+1) / float64(len(w.Profiles))
			return float64(time.Since(w.Clock.Start())) >= takes
		},
	}
	for _, p := range w.Profiles {
		if p.ExoID == "" {
			continue
		}
		c.custom[p.ExoID] = !p.Catalogue && !o.CatalogueOnly
		c.weights[p.ExoID] = &download{done: p.Catalogue || c.custom[p.ExoID]}
		for _, ref := range o.NotDownloaded {
			if p.Is(ref) {
				c.weights[p.ExoID].done = false
			}
		}
	}
	return c
}

// known returns the model with this exo 1.x id if exo has its card; nil otherwise.
func (c *catalogue) known(exoID string) *pace.Profile {
	c.mu.Lock()
	defer c.mu.Unlock()
	for index, p := range c.profiles {
		if p.ExoID == exoID && c.has(index) {
			return p
		}
	}
	return nil
}

// has reports whether exo has the card of the model of that index. The mutex is held.
func (c *catalogue) has(index int) bool {
	p := c.profiles[index]
	return p.ExoID != "" && (c.custom[p.ExoID] || p.Catalogue) && (c.fetched[p.ExoID] || c.read(index))
}

// all returns the models that exo has cards of.
func (c *catalogue) all() []*pace.Profile {
	c.mu.Lock()
	defer c.mu.Unlock()
	var known []*pace.Profile
	for index, p := range c.profiles {
		if c.has(index) {
			known = append(known, p)
		}
	}
	return known
}

// cards returns how many models exo has cards of.
func (c *catalogue) cards() int { return len(c.all()) }

// load returns the model, having fetched its card as exo does when it has none; an error
// text says why that failed.
func (c *catalogue) load(exoID string) (*pace.Profile, string) {
	if p := c.known(exoID); p != nil {
		return p, ""
	}
	return c.fetch(exoID)
}

// fetch gets the model's card from the internet, which makes it a custom one even where exo
// has one of its own.
func (c *catalogue) fetch(exoID string) (*pace.Profile, string) {
	if c.offline {
		return nil, "Cannot connect to host huggingface.co:443 ssl:default [Name or service not known]"
	}
	for _, p := range c.profiles {
		if p.ExoID == exoID && exoID != "" {
			c.mu.Lock()
			c.custom[exoID], c.fetched[exoID] = true, true
			c.mu.Unlock()
			return p, ""
		}
	}
	return nil, "404 Client Error: Repository Not Found for " + exoID
}

// remove deletes a custom card; false when there is none.
func (c *catalogue) remove(exoID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.custom[exoID]
	delete(c.custom, exoID)
	delete(c.fetched, exoID)
	return was
}

// card returns the model's card.
func (c *catalogue) card(p *pace.Profile) wire.ModelCard {
	c.mu.Lock()
	custom := c.custom[p.ExoID]
	c.mu.Unlock()
	card := wire.ModelCard{
		ModelID: p.ExoID, StorageSize: wire.Memory{InBytes: p.WeightsBytes}, NLayers: p.Layers, HiddenSize: p.HiddenSize,
		SupportsTensor: true, NumKeyValueHeads: p.KVHeads, Tasks: []string{"TextGeneration"},
		Family: p.Family, Quantization: "4bit", BaseModel: p.BaseModel, Capabilities: capabilities(p),
		ContextLength: p.ContextLength, TrustRemoteCode: true, IsCustom: custom,
		SamplingDefaults: wire.SamplingDefaults{Temperature: new(0.6), TopP: new(0.9)},
	}
	if c.variant != wire.V1071 {
		card.Backends = []string{"MlxMetal", "MlxCuda", "MlxCpu"}
		card.ReasoningDialect = reasoningDialect(p)
	}
	return card
}

// customCards returns the cards that are not exo's own.
func (c *catalogue) customCards() map[string]any {
	cards := map[string]any{}
	for _, p := range c.all() {
		if card := c.card(p); card.IsCustom {
			cards[p.ExoID] = card
		}
	}
	return cards
}

func capabilities(p *pace.Profile) []string {
	if p.Thinks {
		return []string{"text", "thinking"}
	}
	return []string{"text"}
}

func reasoningDialect(p *pace.Profile) string {
	if p.Thinks {
		return "post_last_user"
	}
	return "none"
}

func (c *catalogue) listed(p *pace.Profile) wire.ListedModel {
	card := c.card(p)
	return wire.ListedModel{
		ID: p.ExoID, Object: "model", Created: time.Now().Unix(), OwnedBy: "exo", HuggingFaceID: p.ExoID,
		Name: short(p.ExoID), ContextLength: p.ContextLength, Tags: []string{},
		StorageSizeMegabytes: int(p.WeightsBytes >> 20), SupportsTensor: true, Tasks: card.Tasks,
		IsCustom: card.IsCustom, Family: p.Family, Quantization: "4bit", BaseModel: p.BaseModel,
		Capabilities: card.Capabilities, ReasoningDialect: card.ReasoningDialect,
	}
}

func (n *Node) handleModels(w http.ResponseWriter, r *http.Request) {
	onlyDownloaded := r.URL.Query().Get("status") == "downloaded"
	list := []wire.ListedModel{}
	for _, p := range n.catalogue.all() {
		if !onlyDownloaded || n.catalogue.download(p).done {
			list = append(list, n.catalogue.listed(p))
		}
	}
	wire.WriteJSON(w, http.StatusOK, struct {
		Object string             `json:"object"`
		Data   []wire.ListedModel `json:"data"`
	}{"list", list})
}

func (n *Node) handleAddModel(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ModelID string `json:"model_id"`
	}
	if !wire.ReadJSON(w, r, &req) {
		return
	}
	if req.ModelID == "" {
		wire.Unprocessable(w, wire.Missing("model_id", map[string]any{}))
		return
	}
	p, reason := n.catalogue.fetch(req.ModelID)
	if p == nil {
		wire.Refuse(w, http.StatusBadRequest, "Failed to fetch model: "+reason)
		return
	}
	wire.WriteJSON(w, http.StatusOK, n.catalogue.listed(p))
}

func (n *Node) handleRemoveModel(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !n.catalogue.remove(id) {
		wire.Refuse(w, http.StatusNotFound, "Custom model card not found")
		return
	}
	wire.WriteJSON(w, http.StatusOK, map[string]string{"message": "Model card deleted", "model_id": id})
}

// short returns the part of a model id behind its organisation.
func short(id string) string { return id[strings.LastIndex(id, "/")+1:] }
