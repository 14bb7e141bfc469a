package instance

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
)

// node reads exo's state: by sub-paths, or whole where exo has no sub-paths (before v1.0.70).
type node struct {
	api   *httpapi.Client
	log   *slog.Logger
	whole atomic.Bool
	said  sync.Map // what was logged once
}

// state is what is looked at of exo's state. A part that was not asked for, or that this exo
// does not have, is nil.
type state struct {
	Instances  any       `json:"instances"`
	Runners    any       `json:"runners"`
	Downloads  any       `json:"downloads"`
	NodeMemory any       `json:"nodeMemory"`
	Tasks      *taskList `json:"tasks"`
}

func (s *state) part(key string) any {
	switch key {
	case "instances":
		return &s.Instances
	case "runners":
		return &s.Runners
	case "downloads":
		return &s.Downloads
	case "nodeMemory":
		return &s.NodeMemory
	case "tasks":
		return &s.Tasks
	}
	panic("instance: no part of the state is called " + key)
}

// UnmarshalJSON takes the wanted parts, under either spelling, and skips all others.
func (s *state) UnmarshalJSON(b []byte) error {
	type wire state // drops the method
	var doc struct {
		wire
		Snake any `json:"node_memory"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return err
	}
	*s = state(doc.wire)
	if s.NodeMemory == nil {
		s.NodeMemory = doc.Snake
	}
	return nil
}

// look reads parts of the state. Calls that fail are repeated for as long as a master
// election may take.
func (n *node) look(ctx context.Context, parts ...string) (state, error) {
	return n.read(ctx, n.get, parts)
}

// glance is look without repetition.
func (n *node) glance(ctx context.Context, parts ...string) (state, error) {
	return n.read(ctx, n.once, parts)
}

func (n *node) once(ctx context.Context, path string, out any) error {
	return n.api.Call(ctx, http.MethodGet, path, nil, out)
}

func (n *node) read(ctx context.Context, get func(context.Context, string, any) error, parts []string) (state, error) {
	var s state
	for _, p := range parts {
		if n.whole.Load() {
			s = state{}
			return s, get(ctx, "/state", &s)
		}
		err := get(ctx, "/state/"+p, s.part(p))
		switch {
		case err == nil:
		case !httpapi.IsStatus(err, http.StatusNotFound):
			return s, err
		case p == "instances":
			n.whole.Store(true)
			n.log.Info("This exo has no paths below /state (before v1.0.70): reading its state whole")
			return n.read(ctx, get, parts)
		default:
			n.sayOnce(p, "This exo's state has no part of that name: going on without it", "part", p)
		}
	}
	return s, nil
}

// sayOnce logs a message the first time that key comes up.
func (n *node) sayOnce(key, msg string, args ...any) {
	if _, dup := n.said.LoadOrStore(key, true); !dup {
		n.log.Info(msg, args...)
	}
}

// downloads reads the downloads of one node; nil where exo lists none.
func (n *node) downloads(ctx context.Context, nodeID string) (any, error) {
	if n.whole.Load() {
		s, err := n.look(ctx, "downloads")
		return child(s.Downloads, nodeID), err
	}
	var v any
	err := n.get(ctx, "/state/downloads/"+url.PathEscape(nodeID), &v)
	if httpapi.IsStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return v, err
}

// get reads a path, repeating calls that fail in passing for up to outageBound.
func (n *node) get(ctx context.Context, path string, out any) error {
	return retry(ctx, n.log, func() error { return n.once(ctx, path, out) })
}

// retry calls f until it succeeds, fails for good, or has failed in passing for outageBound.
func retry(ctx context.Context, log *slog.Logger, f func() error) error {
	start := time.Now()
	for {
		err := f()
		if err == nil || !passing(err) || ctx.Err() != nil {
			return err
		}
		if since := time.Since(start); since >= outageBound {
			return fmt.Errorf("no success for %s: %w", since.Round(time.Second), err)
		}
		log.Debug("A call to exo failed and is repeated", "err", err)
		if sleep(ctx, retryInterval) != nil {
			return err
		}
	}
}
