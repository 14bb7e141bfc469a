// Package ollamasim is an Ollama server whose every pause is known: the routes that the exporter
// asks, as Ollama answers them.
package ollamasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options say how the server behaves. Pauses of zero are none.
type Options struct {
	Models   []string      // that are installed
	Load     time.Duration // of a model that is not loaded yet
	Prefill  time.Duration // of a prompt, up to the first token
	Token    time.Duration // between two tokens
	Prompt   int           // tokens of every prompt
	Thoughts int           // of an answer's tokens, how many are thoughts
	Fail     string        // when not empty, the error in the place of the third token
}

// Server is an http.Handler. One model is loaded at a time.
type Server struct {
	opts Options
	mux  *http.ServeMux

	mu     sync.Mutex
	loaded string
	asked  []Chat
}

// Chat is the body of a request to /api/chat.
type Chat struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Stream  bool `json:"stream"`
	Options struct {
		NumPredict  int      `json:"num_predict"`
		Temperature *float64 `json:"temperature"`
		Seed        *int     `json:"seed"`
	} `json:"options"`
}

// New returns a server with nothing loaded.
func New(o Options) *Server {
	s := &Server{opts: o, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Ollama is running")) })
	s.mux.HandleFunc("GET /api/version", func(w http.ResponseWriter, _ *http.Request) { write(w, map[string]any{"version": "0.13.1"}) })
	s.mux.HandleFunc("GET /api/tags", func(w http.ResponseWriter, _ *http.Request) { s.list(w, o.Models) })
	s.mux.HandleFunc("GET /api/ps", func(w http.ResponseWriter, _ *http.Request) { s.list(w, s.inMemory()) })
	s.mux.HandleFunc("GET /v1/models", s.openAIModels)
	s.mux.HandleFunc("POST /api/chat", s.chat)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Asked returns the chats that came in.
func (s *Server) Asked() []Chat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *Server) inMemory() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded == "" {
		return nil
	}
	return []string{s.loaded}
}

func (s *Server) list(w http.ResponseWriter, names []string) {
	models := []map[string]any{}
	for _, n := range names {
		models = append(models, map[string]any{"name": n, "model": n, "size": 1 << 30, "digest": "0"})
	}
	write(w, map[string]any{"models": models})
}

func (s *Server) openAIModels(w http.ResponseWriter, _ *http.Request) {
	models := []map[string]any{}
	for _, n := range s.opts.Models {
		models = append(models, map[string]any{"id": n, "object": "model", "created": 1, "owned_by": "library"})
	}
	write(w, map[string]any{"object": "list", "data": models})
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	var c Chat
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, c)
	s.mu.Unlock()
	if !slices.Contains(s.opts.Models, c.Model) {
		fail(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", c.Model))
		return
	}
	start := time.Now()
	load := s.load(c.Model)
	time.Sleep(s.opts.Prefill)
	w.Header().Set("Content-Type", "application/x-ndjson")
	for i := range c.Options.NumPredict {
		if i > 0 {
			time.Sleep(s.opts.Token)
		}
		if s.opts.Fail != "" && i == 2 {
			write(w, map[string]any{"error": s.opts.Fail})
			return
		}
		field, other := "thinking", "content"
		if i >= s.opts.Thoughts {
			field, other = other, field
		}
		message := map[string]any{"role": "assistant", field: fmt.Sprintf("w%d ", i)}
		if other == "content" {
			message[other] = ""
		}
		write(w, map[string]any{"model": c.Model, "created_at": start, "message": message, "done": false})
	}
	write(w, map[string]any{
		"model": c.Model, "created_at": start, "message": map[string]any{
			"role":    "assistant",
			"content": "",
		}, "done": true, "done_reason": "length",
		"total_duration": time.Since(start), "load_duration": load, "prompt_eval_count": s.opts.Prompt, "prompt_eval_duration": s.opts.Prefill,
		"eval_count": c.Options.NumPredict, "eval_duration": time.Duration(c.Options.NumPredict) * s.opts.Token,
	})
}

// load has model in the place of the one before, and returns what that took.
func (s *Server) load(model string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded == model {
		return 0
	}
	time.Sleep(s.opts.Load)
	s.loaded = model
	return s.opts.Load
}

func fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	write(w, map[string]any{"error": text})
}

// write sends one line.
func write(w http.ResponseWriter, v any) {
	_ = json.NewEncoder(w).Encode(v) // a client that has gone is none of a server's concern
	_ = http.NewResponseController(w).Flush()
}
