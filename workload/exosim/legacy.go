package exosim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// legacyRoutes returns the routes of legacy exo. POST /quit and DELETE /models/{name} only
// count (Calls): the node goes on and keeps its files.
func (n *Node) legacyRoutes() *http.ServeMux {
	m := http.NewServeMux()
	reply := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writePython(w, http.StatusOK, v) }
	}
	m.HandleFunc("GET /healthcheck", reply(map[string]string{"status": "ok"}))
	for _, prefix := range []string{"", "/v1"} {
		m.HandleFunc("GET "+prefix+"/models", n.legacyModels)
		m.HandleFunc("GET "+prefix+"/topology", n.legacyTopology)
		m.HandleFunc("POST "+prefix+"/chat/completions", n.legacyChat)
		m.HandleFunc("POST "+prefix+"/chat/token/encode", n.legacyEncode)
	}
	m.HandleFunc("GET /initial_models", n.legacyInitialModels)
	m.HandleFunc("GET /v1/download/progress", reply(map[string]any{}))
	m.HandleFunc("GET /modelpool", func(w http.ResponseWriter, _ *http.Request) {
		writeBody(w, http.StatusOK, "text/event-stream", []byte("data: [DONE]\n\n"))
	})
	m.HandleFunc("POST /quit", reply(map[string]string{"detail": "Quit signal received"}))
	m.HandleFunc("DELETE /models/{name}", reply(map[string]string{"status": "success", "message": "Simulated"}))
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusNotFound
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			status = http.StatusMethodNotAllowed
		}
		writeBody(w, status, "text/plain; charset=utf-8", fmt.Appendf(nil, "%d: %s", status, http.StatusText(status)))
	})
	return m
}

// registered returns the models of legacy exo's registry.
func (n *Node) registered() []*Profile {
	var all []*Profile
	for _, p := range n.profiles {
		if p.LegacyID != "" {
			all = append(all, p)
		}
	}
	return all
}

// supports reports whether the node's engine has weights for the model.
func (n *Node) supports(p *Profile) bool { return n.opts.Engine == MLX || p.Family == "llama" }

func (n *Node) legacyModels(w http.ResponseWriter, _ *http.Request) {
	type entry struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		OwnedBy string `json:"owned_by"`
		Ready   bool   `json:"ready"`
	}
	list := []entry{}
	for _, p := range n.registered() {
		list = append(list, entry{p.LegacyID, "model", "exo", true})
	}
	writePython(w, http.StatusOK, struct {
		Object string  `json:"object"`
		Data   []entry `json:"data"`
	}{"list", list})
}

func (n *Node) legacyInitialModels(w http.ResponseWriter, _ *http.Request) {
	type entry struct {
		Name               string `json:"name"`
		Downloaded         any    `json:"downloaded"`
		DownloadPercentage any    `json:"download_percentage"`
		TotalSize          any    `json:"total_size"`
		TotalDownloaded    any    `json:"total_downloaded"`
		Loading            bool   `json:"loading"`
	}
	all := map[string]entry{}
	for _, p := range n.registered() {
		if n.supports(p) {
			all[p.LegacyID] = entry{Name: p.BaseModel, Loading: true}
		}
	}
	writePython(w, http.StatusOK, all)
}

func (n *Node) legacyTopology(w http.ResponseWriter, _ *http.Request) {
	type flops struct {
		FP32 float64 `json:"fp32"`
		FP16 float64 `json:"fp16"`
		INT8 float64 `json:"int8"`
	}
	type node struct {
		Model  string `json:"model"`
		Chip   string `json:"chip"`
		Memory uint64 `json:"memory"`
		Flops  flops  `json:"flops"`
	}
	n.mu.Lock()
	var active any
	if len(n.legacy.active) > 0 {
		active = n.id
	}
	n.mu.Unlock()
	writePython(w, http.StatusOK, struct {
		Nodes        map[string]node `json:"nodes"`
		PeerGraph    map[string]any  `json:"peer_graph"`
		ActiveNodeID any             `json:"active_node_id"`
	}{
		map[string]node{n.id: {"Simulated Mac mini", "Apple M4 Pro", n.opts.MemoryTotal >> 20, flops{9.2, 18.4, 36.8}}},
		map[string]any{},
		active,
	})
}

func (n *Node) legacyEncode(w http.ResponseWriter, r *http.Request) {
	var req chatRequest
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req) != nil {
		legacyCrash(w)
		return
	}
	p := newPrompt(req.Messages)
	tokens := make([]int, p.tokens)
	for i := range tokens {
		tokens[i] = i
	}
	writePython(w, http.StatusOK, struct {
		Length        int    `json:"length"`
		NumTokens     int    `json:"num_tokens"`
		EncodedTokens []int  `json:"encoded_tokens"`
		EncodedPrompt string `json:"encoded_prompt"`
	}{len(p.text), p.tokens, tokens, p.text})
}
