package history

import (
	"maps"
	"math"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// step is what happened between two snapshots.
type step struct {
	before, now snapshot
	number      int
}

// turnsBetween returns the turn that each model had, and how many cycles have ended; where it is more than one, a turn is all of
// them, its figures their means.
func turnsBetween(before, now snapshot, number int) (all []record.Record, cycles int) {
	s := step{before, now, number}
	source := record.Source{
		Version: now.info("build_info", "version"), Target: "prometheus", Simulated: now.values[series{name: "simulated"}] == 1,
		Suite: record.Suite{Version: now.info("workload_info", "version"), SHA256: now.info("workload_info", "sha256")},
	}
	for _, info := range now.infos["model_info"] {
		if t, ok := s.turn(string(info["model"]), string(info["exo_model"])); ok {
			all = append(all, record.Record{Schema: record.Schema, ID: record.TurnID(t), Cycle: number, Source: source, Turn: &t})
		}
	}
	for key := range now.values {
		if key.name == "cycles_total" {
			cycles += int(math.Round(s.grown(key)))
		}
	}
	return all, cycles
}

// grown returns by how much a counter has grown; one that is smaller has begun anew.
func (s step) grown(key series) float64 {
	now, before := s.now.values[key], s.before.values[key]
	if now < before {
		return now
	}
	return now - before
}

// count adds to sums by how much a counter has grown, by model.
func (s step) count(family string, sums map[string]float64) {
	for key := range s.now.values {
		if key.name == family {
			sums[key.model] += s.grown(key)
		}
	}
}

// times is grown as a number of times.
func (s step) times(key series) int { return int(math.Round(s.grown(key))) }

// turn returns what a model's turn was; false where it had none.
func (s step) turn(name, exoModel string) (workload.Turn, bool) {
	t := workload.Turn{Cycle: s.number, Model: name, ExoModel: exoModel, Start: s.now.at}
	outcomes := workload.TurnOutcomes()
	for _, o := range slices.Backward(outcomes) { // the best of several: it has the figures
		if s.times(series{name: "turns_total", model: name, outcome: string(o)}) > 0 {
			t.Outcome = o
		}
	}
	if t.Outcome == "" {
		return t, false
	}
	gauge := func(family string) float64 { return s.now.values[series{name: family, model: name}] }
	t.Load = workload.Load{Loaded: gauge("model_load_seconds") > 0, Duration: seconds(gauge("model_load_seconds"))}
	t.Host = workload.Host{
		IdleWatts: gauge("model_idle_power_watts"), WeightsBytes: uint64(gauge("model_weights_bytes")), Machines: s.machines(),
	}
	if m := gauge("model_resident_memory_bytes"); m > 0 {
		t.Memory = workload.Memory{
			Samples: 1, Median: uint64(m), Peak: uint64(gauge("model_resident_memory_peak_bytes")),
			Proportional: uint64(gauge("model_proportional_memory_bytes")),
			Footprint:    uint64(gauge("model_footprint_bytes")), FootprintPeak: uint64(gauge("model_footprint_peak_bytes")),
			FootprintKind: workload.FootprintKind(s.now.info("memory_source_info", "footprint")), GPU: uint64(gauge("model_gpu_memory_bytes")),
		}
		if left, ok := s.now.values[series{name: "model_unreleased_memory_bytes", model: name}]; ok { // only the difference is known
			t.Memory.HasBefore, t.Memory.HasAfter, t.Memory.After = true, true, uint64(max(0, left))
		}
	}
	t.Results = s.results(name, exoModel, gauge("model_energy_per_token_joules"), uint64(gauge("model_reported_peak_memory_bytes")))
	rate, _ := t.DecodeRate()
	if used := gauge("model_memory_bandwidth_utilization_ratio"); used > 0 {
		t.Host.MemoryBandwidth = rate * float64(t.Host.WeightsBytes) / used
	}
	return t, true
}

// results returns the requests of a model. Which of those that succeeded were disturbed is known by their number alone.
func (s step) results(name, exoModel string, perToken float64, reported uint64) (all []workload.Result) {
	prompts := map[string]bool{}
	for key := range s.now.values {
		if key.name == "requests_total" && key.model == name {
			prompts[key.prompt] = true
		}
	}
	contended := s.times(series{name: "contended_requests_total", model: name})
	epoch := s.epoch(name)
	for _, prompt := range inOrder(prompts) {
		r := workload.Result{
			Model: name, ExoModel: exoModel, Prompt: prompt.ID, Kind: prompt.Kind, AskedTokens: prompt.MaxTokens, Start: s.now.at,
			Epoch: epoch, Endpoint: epoch.Endpoint,
		}
		clean := s.clean(&r)
		r.EnergyJoules = perToken * float64(r.OutputTokens)
		if r.Server != nil {
			r.Server.PeakMemoryBytes = reported
		}
		for _, o := range workload.Outcomes() {
			for range s.times(series{name: "requests_total", model: name, prompt: prompt.ID, outcome: string(o)}) {
				one := workload.Result{Model: name, ExoModel: exoModel, Prompt: prompt.ID, Kind: prompt.Kind, Start: s.now.at, Outcome: o}
				switch {
				case o == workload.OutcomeOK && clean > 0:
					one, clean = r, clean-1
				case o == workload.OutcomeOK && contended > 0:
					one.Contended, contended = true, contended-1
				case o == workload.OutcomeOK:
					one.Starved = true
				}
				all = append(all, one)
			}
		}
	}
	return all
}

// clean fills in the figures of the undisturbed requests of r's prompt, of several their means, and returns how many there were.
func (s step) clean(r *workload.Result) int {
	of := func(family string) float64 { return s.grown(series{name: family, model: r.Model, prompt: r.Prompt}) }
	n := of("time_to_first_token_seconds_count")
	timed := n > 0
	if !timed { // answers that came as one document have no first token
		n = of("request_duration_seconds_count")
	}
	if n < 0.5 {
		return 0
	}
	r.Outcome, r.Timed, r.TokenSource = workload.OutcomeOK, timed, workload.TokensFromUsage
	r.TTFT = seconds(of("time_to_first_token_seconds_sum") / n)
	r.E2E = seconds(of("request_duration_seconds_sum") / max(1, of("request_duration_seconds_count")))
	r.OutputTokens = int(math.Round(of("output_tokens_total") / n))
	r.PromptTokens = int(math.Round(of("prefill_tokens_total") / n))
	if tokens := of("decode_tokens_total"); tokens > 0 {
		each := math.Max(1, math.Round(tokens/n))
		r.OutputTokens = max(r.OutputTokens, int(each)+1)
		r.SilentTokens = r.OutputTokens - 1 - int(each)
		r.Decode = seconds(of("decode_seconds_total") * each / tokens)
	}
	at := func(family string) float64 {
		return s.now.values[series{name: family, model: r.Model, prompt: r.Prompt}]
	}
	if rate := at("server_output_tokens_per_second"); rate > 0 {
		r.Server = &workload.ServerStats{
			GenerationTPS: rate, PromptTPS: at("server_prefill_tokens_per_second"), GenerationTokens: r.OutputTokens, PromptTokens: r.PromptTokens,
		}
	}
	return int(math.Round(n))
}

// inOrder returns what is known of prompts, those of the built-in suite in its order and before others.
func inOrder(ids map[string]bool) (all []workload.Prompt) {
	known := map[string]bool{}
	for _, p := range workload.StandardSuite().Prompts {
		if known[p.ID] = true; ids[p.ID] {
			all = append(all, workload.Prompt{ID: p.ID, Kind: p.Kind, MaxTokens: p.MaxTokens})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if !known[id] {
			all = append(all, workload.Prompt{ID: id, Kind: id})
		}
	}
	return all
}

// epoch returns the method by which a model was measured: the one of which its good cycles have grown.
func (s step) epoch(name string) workload.Epoch {
	id := ""
	for _, m := range s.now.infos["model_good_cycles_total"] {
		key := series{name: "model_good_cycles_total", model: name, state: string(m["epoch"])}
		if string(m["model"]) == name && (id == "" || s.grown(key) > 0) {
			id = string(m["epoch"])
		}
	}
	for _, m := range s.now.infos["epoch_info"] {
		if string(m["epoch"]) == id || id == "" {
			return workload.Epoch{
				SHA256: string(m["sha256"]), Dialect: workload.Dialect(m["dialect"]), Endpoint: workload.Endpoint(m["endpoint"]),
				Engine: string(m["engine"]), Version: string(m["version"]),
			}
		}
	}
	return workload.Epoch{SHA256: s.now.info("workload_info", "sha256")}
}

// machines are those that the node names; their names stay behind.
func (s step) machines() (all []workload.Machine) {
	for _, m := range s.now.infos["node_info"] {
		all = append(all, workload.Machine{
			Kind: string(m["machine"]), Chip: string(m["chip"]), OS: string(m["os"]),
			MemoryBytes: uint64(s.now.values[series{name: "node_memory_bytes", node: string(m["node"]), state: "total"}]),
		})
	}
	return all
}

func seconds(v float64) time.Duration { return time.Duration(math.Round(v * 1e9)) }
