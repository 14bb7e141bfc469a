package exo0

import (
	"net/http"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// Routes returns the routes of legacy exo. POST /quit and DELETE /models/{name} only
// count (Calls): the node goes on and keeps its files.
func (n *Node) Routes() *http.ServeMux {
	m := http.NewServeMux()
	reply := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { wire.WritePython(w, http.StatusOK, v) }
	}
	m.HandleFunc("GET /healthcheck", reply(map[string]string{"status": "ok"}))
	for _, prefix := range []string{"", "/v1"} {
		m.HandleFunc("GET "+prefix+"/models", n.models)
		m.HandleFunc("GET "+prefix+"/topology", n.topology)
		m.HandleFunc("POST "+prefix+"/chat/completions", n.chat)
		m.HandleFunc("POST "+prefix+"/chat/token/encode", n.encode)
	}
	m.HandleFunc("GET /initial_models", n.initialModels)
	m.HandleFunc("GET /v1/download/progress", reply(map[string]any{}))
	m.HandleFunc("GET /modelpool", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteBody(w, http.StatusOK, "text/event-stream", []byte("data: [DONE]\n\n"))
	})
	m.HandleFunc("POST /quit", reply(map[string]string{"detail": "Quit signal received"}))
	m.HandleFunc("DELETE /models/{name}", reply(map[string]string{"status": "success", "message": "Simulated"}))
	m.HandleFunc("/", notFound)
	return m
}

// notFound answers for what is no route: legacy exo serves files there.
func notFound(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET,HEAD")
		wire.WriteBody(w, http.StatusMethodNotAllowed, "text/plain; charset=utf-8", []byte("405: Method Not Allowed"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.WriteHeader(http.StatusNotFound)
	_ = http.NewResponseController(w).Flush() // without a length, and without a body
}

func (n *Node) models(w http.ResponseWriter, _ *http.Request) {
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
	wire.WritePython(w, http.StatusOK, struct {
		Object string  `json:"object"`
		Data   []entry `json:"data"`
	}{"list", list})
}

func (n *Node) initialModels(w http.ResponseWriter, _ *http.Request) {
	type entry struct {
		Name               any  `json:"name"`
		Downloaded         any  `json:"downloaded"`
		DownloadPercentage any  `json:"download_percentage"`
		TotalSize          any  `json:"total_size"`
		TotalDownloaded    any  `json:"total_downloaded"`
		Loading            bool `json:"loading"`
	}
	all := map[string]entry{}
	for _, p := range n.registered() {
		if n.supports(p) {
			e := entry{Loading: true}
			if p.BaseModel != "" {
				e.Name = p.BaseModel
			}
			all[p.LegacyID] = e
		}
	}
	wire.WritePython(w, http.StatusOK, all)
}

func (n *Node) topology(w http.ResponseWriter, _ *http.Request) {
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
	var active any
	if n.engine.running() > 0 {
		active = n.id
	}
	wire.WritePython(w, http.StatusOK, struct {
		Nodes        map[string]node `json:"nodes"`
		PeerGraph    map[string]any  `json:"peer_graph"`
		ActiveNodeID any             `json:"active_node_id"`
	}{
		map[string]node{n.id: {"Simulated Mac mini", "Apple M4 Pro", n.MemoryTotal >> 20, flops{9.2, 18.4, 36.8}}},
		map[string]any{},
		active,
	})
}

func (n *Node) encode(w http.ResponseWriter, r *http.Request) {
	var req wire.ChatRequest
	if _, err := wire.DecodeBody(w, r, &req); err != nil {
		crash(w)
		return
	}
	p := pace.NewPrompt(req.Messages)
	tokens := make([]int, p.Tokens)
	for i := range tokens {
		tokens[i] = i
	}
	wire.WritePython(w, http.StatusOK, struct {
		Length        int    `json:"length"`
		NumTokens     int    `json:"num_tokens"`
		EncodedTokens []int  `json:"encoded_tokens"`
		EncodedPrompt string `json:"encoded_prompt"`
	}{len(p.Text), p.Tokens, tokens, p.Text})
}
