package history

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"exo-bench-exporter/workload"
)

// taken is a snapshot of one model that answers two prompts a turn, after so many good turns and one that failed.
func taken(turns float64) snapshot {
	s := snapshot{at: time.Unix(int64(900*turns), 0), values: map[series]float64{}, infos: map[string][]model.Metric{
		"model_info":    {{"model": "m", "exo_model": "mlx-community/m"}},
		"workload_info": {{"version": "v", "sha256": "5"}},
		"epoch_info": {
			{"epoch": "old", "engine": "x"},
			{"epoch": "new", "sha256": "5", "dialect": "exo1", "endpoint": "bench", "engine": "exo"},
		},
		"model_good_cycles_total": {{"model": "m", "epoch": "old"}, {"model": "m", "epoch": "new"}},
		"node_info":               {{"node": "alice", "machine": "Mac mini", "chip": "Apple M4", "os": "26.1"}},
		"build_info":              {{"version": "1.2.3"}},
	}}
	set := func(v float64, s2 series) { s.values[s2] = v }
	set(turns, series{name: "cycles_total", outcome: "ok"})
	set(turns, series{name: "turns_total", model: "m", outcome: "ok"})
	set(7, series{name: "model_good_cycles_total", model: "m", state: "old"})
	set(turns, series{name: "model_good_cycles_total", model: "m", state: "new"})
	set(16<<30, series{name: "node_memory_bytes", node: "alice", state: "total"})
	set(5<<30, series{name: "model_resident_memory_bytes", model: "m"})
	set(6<<30, series{name: "model_footprint_bytes", model: "m"})
	set(0.25, series{name: "model_energy_per_token_joules", model: "m"})
	set(4e9, series{name: "model_weights_bytes", model: "m"})
	set(0.8, series{name: "model_memory_bandwidth_utilization_ratio", model: "m"})
	set(turns, series{name: "contended_requests_total", model: "m"})
	for _, p := range []string{"chat-short", "own"} {
		of := func(name string, v float64) { set(v*turns, series{name: name, model: "m", prompt: p}) }
		of("time_to_first_token_seconds_count", 1)
		of("time_to_first_token_seconds_sum", 0.5)
		of("request_duration_seconds_count", 1)
		of("request_duration_seconds_sum", 2.5)
		of("output_tokens_total", 101)
		of("decode_tokens_total", 100)
		of("decode_seconds_total", 2)
		of("prefill_tokens_total", 50)
		of("inter_token_latency_seconds_count", 100)
		set(2*turns, series{name: "requests_total", model: "m", prompt: p, outcome: "ok"})
		set(turns, series{name: "requests_total", model: "m", prompt: p, outcome: "truncated"})
		set(49.5, series{name: "server_output_tokens_per_second", model: "m", prompt: p})
	}
	return s
}

// What counters have grown by is what a turn was, request by request, by its own method.
func TestTurnsBetween(t *testing.T) {
	for name, c := range map[string]struct {
		before, now float64
		cycles      int
	}{
		"one":                     {3, 4, 1},
		"the exporter began anew": {9, 1, 1},
		"several":                 {3, 6, 3},
	} {
		t.Run(name, func(t *testing.T) {
			all, cycles := turnsBetween(taken(c.before), taken(c.now), 5)
			if len(all) != 1 || cycles != c.cycles {
				t.Fatalf("%d turns of %d cycles", len(all), cycles)
			}
			r := all[0]
			turn := r.Turn
			machines := []workload.Machine{{Kind: "Mac mini", Chip: "Apple M4", OS: "26.1", MemoryBytes: 16 << 30}}
			if r.Version != "1.2.3" || r.Simulated || r.Suite.SHA256 != "5" || turn.Outcome != workload.TurnOK ||
				turn.ExoModel != "mlx-community/m" || !slices.Equal(turn.Host.Machines, machines) ||
				turn.Memory.Median != 5<<30 || turn.Memory.Footprint != 6<<30 {
				t.Errorf("%+v", r)
			}
			rate, _ := turn.DecodeRate()
			ttft, _ := turn.MedianTTFT()
			perToken, _ := turn.EnergyPerToken()
			used, _ := turn.BandwidthUtilization()
			if rate != 50 || ttft != 500*time.Millisecond || math.Abs(perToken-0.25) > 1e-9 || math.Abs(used-0.8) > 1e-9 {
				t.Errorf("rate %v, first token %v, %v J, %v of the bandwidth", rate, ttft, perToken, used)
			}
			if e := turn.Epoch(); e.Engine != "exo" || e.Endpoint != workload.EndpointBench {
				t.Errorf("method %+v", e)
			}
			n := map[string]int{}
			for _, result := range turn.Results {
				switch {
				case result.Clean():
					n["clean "+result.Kind]++
				case result.OK():
					n["disturbed"]++
				default:
					n[string(result.Outcome)]++
				}
				if prefill, ok := result.PrefillRate(); result.Clean() && (!ok || prefill != 100 || result.E2E != 2500*time.Millisecond ||
					result.OutputTokens != 101) {
					t.Errorf("%+v", result)
				}
			}
			if n["clean chat"] != c.cycles || n["clean own"] != c.cycles || n["disturbed"] != 2*c.cycles || n["truncated"] != 2*c.cycles {
				t.Errorf("requests: %v", n)
			}
		})
	}
	if all, cycles := turnsBetween(taken(3), taken(3), 5); len(all) != 0 || cycles != 0 {
		t.Errorf("nothing happened, yet there are %d turns", len(all))
	}
}
