package exosim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/wire"
)

// controlRoutes returns the simulator's own routes, all under /_sim/.
func (n *Node) controlRoutes() *http.ServeMux {
	m := http.NewServeMux()
	routes := []struct {
		pattern, help string
		handler       http.HandlerFunc
	}{
		{"GET /_sim/faults", "faults in force", n.simFaults},
		{"POST /_sim/faults", `inject one, e.g. {"kind":"slow","model":"llama-3.1-8b","percent":10}`, n.simInject},
		{"DELETE /_sim/faults", "clear all", n.simClear},
		{"DELETE /_sim/faults/{id}", "clear one", n.simClear},
		{"GET /_sim/truth", "what was really done: ?id=… for one answer, else ?last=N of them", n.simTruth},
		{"GET /_sim/instances", "instances that are there and that have gone", n.simInstances},
		{"DELETE /_sim/instances/{id}/runner", "take the runner from a listed instance", n.simKillRunner},
		{"POST /_sim/strangers/instances", `place one as another user: {"model":"…"}`, n.simPlace},
		{"DELETE /_sim/strangers/instances/{id}", "delete one as another user", n.simDelete},
		{"POST /_sim/strangers/downloads", `download one as another user: {"model":"…"}`, n.simDownload},
		{"POST /_sim/strangers/tasks", `generate as another user: {"model":"…","tokens":200}`, n.simGenerate},
		{"GET /_sim/processes", "simulated process tree", func(w http.ResponseWriter, _ *http.Request) {
			wire.WriteJSON(w, http.StatusOK, n.Processes())
		}},
		{"GET /_sim/calls", "how often each of exo's routes was called", func(w http.ResponseWriter, _ *http.Request) {
			wire.WriteJSON(w, http.StatusOK, n.Calls())
		}},
	}
	var help strings.Builder
	help.WriteString("This is a simulator of exo. Its own routes:\n\n")
	for _, r := range routes {
		m.HandleFunc(r.pattern, r.handler)
		fmt.Fprintf(&help, "%-42s %s\n", r.pattern, r.help)
	}
	help.WriteString("\n" + faults.Help())
	m.HandleFunc("GET /_sim/{$}", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte(help.String()))
	})
	return m
}

func (n *Node) simFaults(w http.ResponseWriter, _ *http.Request) {
	wire.WriteJSON(w, http.StatusOK, n.Faults())
}

// readControl decodes a control request strictly; when it is wrong it has been answered.
func readControl(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		wire.Detail(w, http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

func (n *Node) simInject(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if !readControl(w, r, &f) {
		return
	}
	id, err := n.Inject(f)
	if err != nil {
		wire.Detail(w, http.StatusBadRequest, err.Error())
		return
	}
	wire.WriteJSON(w, http.StatusCreated, map[string]string{"id": id})
}

func (n *Node) simClear(w http.ResponseWriter, r *http.Request) {
	wire.WriteJSON(w, http.StatusOK, map[string]int{"cleared": n.Clear(r.PathValue("id"))})
}

// truthDocument is a Truth with what follows from it.
type truthDocument struct {
	ID           string      `json:"id"`
	Model        string      `json:"model"`
	Route        string      `json:"route"`
	Received     time.Time   `json:"received"`
	FirstToken   time.Time   `json:"first_token,omitzero"`
	LastToken    time.Time   `json:"last_token,omitzero"`
	Done         time.Time   `json:"done,omitzero"`
	TTFTSeconds  float64     `json:"ttft_seconds"`
	DecodeRate   float64     `json:"decode_tokens_per_second"`
	PromptTokens int         `json:"prompt_tokens"`
	CachedTokens int         `json:"cached_tokens"`
	Tokens       int         `json:"tokens"`
	TokenEvents  int         `json:"token_events"`
	Streamed     bool        `json:"streamed"`
	Finish       string      `json:"finish_reason,omitempty"`
	End          string      `json:"end,omitempty"`
	WriteTimes   []time.Time `json:"writes,omitempty"` // for one answer only
}

func newTruthDocument(t Truth) truthDocument {
	return truthDocument{
		ID: t.ID, Model: t.Model, Route: t.Route, Received: t.Received, FirstToken: t.FirstToken,
		LastToken: t.LastToken, Done: t.Done, TTFTSeconds: t.TTFT().Seconds(), DecodeRate: t.DecodeRate(),
		PromptTokens: t.PromptTokens, CachedTokens: t.CachedTokens, Tokens: t.Tokens,
		TokenEvents: len(t.Writes), Streamed: t.Streamed, Finish: t.Finish, End: t.End,
	}
}

func (n *Node) simTruth(w http.ResponseWriter, r *http.Request) {
	if id := r.URL.Query().Get("id"); id != "" {
		t, ok := n.Truth(id)
		if !ok {
			wire.Detail(w, http.StatusNotFound, "no answer with this id is remembered")
			return
		}
		doc := newTruthDocument(t)
		doc.WriteTimes = t.Writes
		wire.WriteJSON(w, http.StatusOK, doc)
		return
	}
	last, _ := strconv.Atoi(r.URL.Query().Get("last"))
	docs := []truthDocument{}
	for _, t := range n.Truths(last) {
		docs = append(docs, newTruthDocument(t))
	}
	wire.WriteJSON(w, http.StatusOK, docs)
}

func (n *Node) simInstances(w http.ResponseWriter, _ *http.Request) {
	wire.WriteJSON(w, http.StatusOK, map[string][]InstanceInfo{
		"present": slices.Concat([]InstanceInfo{}, n.Instances()), "deleted": slices.Concat([]InstanceInfo{}, n.Deleted()),
	})
}

func (n *Node) simKillRunner(w http.ResponseWriter, r *http.Request) {
	answerFound(w, n.KillRunner(r.PathValue("id")))
}

func (n *Node) simDelete(w http.ResponseWriter, r *http.Request) {
	answerFound(w, n.DeleteStranger(r.PathValue("id")))
}

func answerFound(w http.ResponseWriter, found bool) {
	if !found {
		wire.Detail(w, http.StatusNotFound, "there is no such instance")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *Node) simPlace(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string `json:"model"`
	}
	if readControl(w, r, &req) {
		answerID(w)(n.PlaceStranger(req.Model))
	}
}

func (n *Node) simDownload(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string `json:"model"`
	}
	if !readControl(w, r, &req) {
		return
	}
	if err := n.StartDownload(req.Model); err != nil {
		wire.Detail(w, http.StatusBadRequest, err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *Node) simGenerate(w http.ResponseWriter, r *http.Request) {
	req := struct {
		Model  string `json:"model"`
		Tokens int    `json:"tokens"`
	}{Tokens: 200}
	if readControl(w, r, &req) {
		answerID(w)(n.StartStranger(req.Model, req.Tokens))
	}
}

func answerID(w http.ResponseWriter) func(id string, err error) {
	return func(id string, err error) {
		if err != nil {
			wire.Detail(w, http.StatusBadRequest, err.Error())
			return
		}
		wire.WriteJSON(w, http.StatusCreated, map[string]string{"id": id})
	}
}
