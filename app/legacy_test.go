package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// Some of legacy exo's routes end it (/quit), delete files (DELETE /models/…) or block it
// (/modelpool), and nobody has to be somebody to call them. None is ever called, whether a
// cycle comes to its end or not.
func TestLegacyExoIsOnlyAsked(t *testing.T) {
	allowed := []string{
		"GET /node_id", "GET /healthcheck", "GET /topology", "GET /initial_models", "GET /v1/models", "POST /v1/chat/completions",
	}
	for name, after := range map[string]time.Duration{
		"to its end":          0,
		"canceled at load":    time.Second,
		"canceled in streams": 3 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				node := exosim.New(exosim.Options{Dialect: exosim.Exo0, MaxGenerateTokens: 40})
				t.Cleanup(func() { _ = node.Close() })
				s := startStack(t, setting{node: node, suite: shortSuite(2, 30), vars: []string{
					"MODELS", victim + "," + next + ",mistral-7b,qwen-1.5-7b=qwen-2.5-7b",
				}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := workload.TurnPartial // no mistral-7b there
				if after > 0 {
					want = workload.TurnCanceled
					time.AfterFunc(after, cancel)
				}
				if c := s.runner.Cycle(ctx); c.Outcome != want {
					t.Errorf("cycle %s, want %s: %+v", c.Outcome, want, c.Turns)
				}
				s.close(t)
				calls := slices.Sorted(maps.Keys(node.Calls()))
				if !slices.Contains(calls, "POST /v1/chat/completions") {
					t.Errorf("nothing was measured: %v", calls)
				}
				for _, call := range calls {
					if strings.HasPrefix(call, "DELETE ") || strings.Contains(call, "/quit") || strings.Contains(call, "/modelpool") {
						t.Errorf("%s must never be called", call)
					} else if !slices.Contains(allowed, call) {
						t.Errorf("%s was called, which nothing needs", call)
					}
				}
			})
		})
	}
}
