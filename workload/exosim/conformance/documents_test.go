package conformance

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
)

// Answers of /bench that come as one document are read for their counts and exo's own figures, and
// one that was broken off is no success, whatever its status.
func TestClientReadsDocuments(t *testing.T) {
	for _, version := range versions {
		for _, name := range []string{"bench-json", "bench-json-again", "bench-json-r1", "bench-json-instance-deleted"} {
			t.Run(version+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { checkDocument(t, version, name) })
			})
		}
	}
}

func checkDocument(t *testing.T, version, name string) {
	tr, request := load(t, version, name), loadRequest(t, version, name)
	r := measureBy(t, version, exo.EndpointBench, request, tr)
	if name == "bench-json-instance-deleted" {
		want := map[string]workload.Outcome{"v1.0.71": workload.OutcomeHTTPError, "head": workload.OutcomeTruncated}[version]
		if r.Outcome != want || r.Timed || r.Server != nil {
			t.Errorf("%s (%s), timed %v, server %v; want %s", r.Outcome, r.Err, r.Timed, r.Server, want)
		}
		return
	}
	var doc struct {
		ID      string
		Choices []struct {
			Finish string `json:"finish_reason"`
		}
		Stats struct {
			PromptTPS     float64 `json:"prompt_tps"`
			GenerationTPS float64 `json:"generation_tps"`
			Prompt        int     `json:"prompt_tokens"`
			Generation    int     `json:"generation_tokens"`
			Hit           string  `json:"prefix_cache_hit"`
			Peak          struct {
				Bytes uint64 `json:"inBytes"`
			} `json:"peak_memory_usage"`
		} `json:"generation_stats"`
	}
	if err := json.Unmarshal(tr.body, &doc); err != nil || len(doc.Choices) != 1 {
		t.Fatal(err, doc)
	}
	s := doc.Stats
	if !r.OK() || r.Timed || r.Endpoint != workload.EndpointBenchJSON || r.ResponseID != doc.ID || r.FinishReason != doc.Choices[0].Finish {
		t.Errorf("%s (%s), timed %v, by %s, %s finished by %s", r.Outcome, r.Err, r.Timed, r.Endpoint, r.ResponseID, r.FinishReason)
	}
	if r.OutputTokens != s.Generation || r.PromptTokens != s.Prompt || r.TokenSource != workload.TokensFromStats {
		t.Errorf("%d tokens by %s after %d, want %+v", r.OutputTokens, r.TokenSource, r.PromptTokens, s)
	}
	want := workload.ServerStats{
		PromptTPS: s.PromptTPS, GenerationTPS: s.GenerationTPS, PromptTokens: s.Prompt, GenerationTokens: s.Generation,
		PeakMemoryBytes: s.Peak.Bytes, PrefixCacheHit: s.Hit,
	}
	if r.Server == nil || *r.Server != want {
		t.Errorf("server figures %+v, want %+v", r.Server, want)
	}
}
