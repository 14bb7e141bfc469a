package exo1

import (
	"net/http"

	"exo-bench-exporter/workload/exosim/wire"
)

// dashboard stands for exo's own.
const dashboard = "<!doctype html><title>exo-sim</title><p>This is a simulator of exo.</p>\n"

// Routes returns the routes of exo 1.x.
func (n *Node) Routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /node_id", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, n.id)
	})
	m.HandleFunc("GET /models", n.handleModels)
	m.HandleFunc("GET /v1/models", n.handleModels)
	m.HandleFunc("POST /models/add", n.handleAddModel)
	m.HandleFunc("DELETE /models/custom/{id...}", n.handleRemoveModel)
	m.HandleFunc("POST /instance", n.handleCreate)
	m.HandleFunc("POST /place_instance", n.handlePlace)
	m.HandleFunc("GET /instance/placement", n.handlePlacement)
	m.HandleFunc("GET /instance/previews", n.handlePreviews)
	m.HandleFunc("GET /instance/{id}", n.handleGetInstance)
	m.HandleFunc("DELETE /instance/{id}", n.handleDeleteInstance)
	m.HandleFunc("POST /v1/chat/completions", n.chat(false))
	m.HandleFunc("POST /bench/chat/completions", n.chat(true))
	m.HandleFunc("POST /v1/cancel/{id}", n.cancelText)
	m.HandleFunc("GET /state", n.handleState)
	m.HandleFunc("GET /state/{path...}", n.handleStatePath)
	if n.opts.Variant != wire.V1071 {
		m.HandleFunc("GET /instance/await", n.handleAwait)
		m.HandleFunc("POST /ollama/v1/chat/completions", n.chat(false))
	}
	// exo mounts its dashboard, static files, on everything else.
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/" && r.Method == http.MethodGet:
			wire.WriteBody(w, http.StatusOK, "text/html; charset=utf-8", []byte(dashboard))
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			wire.Detail(w, http.StatusNotFound, "Not Found")
		default:
			wire.Detail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		}
	})
	return m
}
