package exporter

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/workload"
)

func newTestAgent(t *testing.T) (*Agent, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	a := NewAgent(reg, AgentOptions{
		Machine: func() (MachineState, bool) {
			return MachineState{Name: "mac-2", ThermalPressure: ptr(1), MemoryPressure: ptr(2)}, true
		},
		Driver: func() string { return "http://mac-1:9955" },
		Memory: func() (ExoMemory, bool) {
			return ExoMemory{
				Roles: map[string]RoleMemory{"node": {Bytes: 200e6, Processes: 2}, "runner": {Bytes: 5e9, Proportional: 49e8, Processes: 1}},
				By:    "procfs", Footprint: workload.FootprintPSS,
			}, true
		},
		Node: func() []workload.NodeStatus {
			return []workload.NodeStatus{{Name: "mac-2", MemoryTotal: ptr(uint64(64e9)), MemoryAvailable: ptr(uint64(40e9))}}
		},
	})
	return a, reg
}

// reloadedAt is the moment at which an agent began, or read its configuration last.
const reloadedAt = "exobench_config_last_reload_success_timestamp_seconds"

var wholeMemory = workload.Memory{
	Samples: 20, Median: 900e6, Peak: 1000e6, Before: 100e6, HasBefore: true, After: 130e6, HasAfter: true, Proportional: 800e6,
	Footprint: 950e6, FootprintPeak: 1010e6, GPU: 700e6,
}

// An agent has these series and no others: an alert about the benchmark that finds none of its
// series cannot fire because of an agent.
func TestSeriesOfAnAgent(t *testing.T) {
	a, reg := newTestAgent(t)
	now := map[string]string{
		"exobench_config_last_reload_successful":                            "1",
		"exobench_agent_driver_up":                                          "0",
		`exobench_dropped_total{what="records"}`:                            "0",
		`exobench_dropped_total{what="series"}`:                             "0",
		`exobench_dropped_total{what="strings"}`:                            "0",
		`exobench_exo_resident_memory_bytes{role="node"}`:                   "2e+08",
		`exobench_exo_resident_memory_bytes{role="runner"}`:                 "5e+09",
		`exobench_exo_proportional_memory_bytes{role="runner"}`:             "4.9e+09",
		`exobench_memory_source_info{footprint="pss_swap",source="procfs"}`: "1",
		`exobench_exo_processes{role="node"}`:                               "2",
		`exobench_exo_processes{role="runner"}`:                             "1",
		`exobench_node_memory_bytes{node="mac-2",state="total"}`:            "6.4e+10",
		`exobench_node_memory_bytes{node="mac-2",state="available"}`:        "4e+10",
		`exobench_node_thermal_pressure{node="mac-2"}`:                      "1",
		`exobench_node_memory_pressure{node="mac-2"}`:                       "2",
	}
	check := func(what string) {
		t.Helper()
		got := series(t, reg)
		if got[reloadedAt] == "" {
			t.Errorf("%s: nothing says when the configuration was read", what)
		}
		if delete(got, reloadedAt); !maps.Equal(got, now) {
			t.Errorf("%s: got\n%v\nwant\n%v", what, got, now)
		}
	}
	check("at the start")

	a.Contact(cluster.State{Simulated: true}, nil)
	a.Seen("llama-3.2-1b", wholeMemory, true)
	now["exobench_agent_driver_up"], now["exobench_simulated"] = "1", "1"
	maps.Copy(now, map[string]string{
		`exobench_model_footprint_bytes{model="llama-3.2-1b"}`:             "9.5e+08",
		`exobench_model_footprint_peak_bytes{model="llama-3.2-1b"}`:        "1.01e+09",
		`exobench_model_gpu_memory_bytes{model="llama-3.2-1b"}`:            "7e+08",
		`exobench_model_resident_memory_bytes{model="llama-3.2-1b"}`:       "9e+08",
		`exobench_model_resident_memory_peak_bytes{model="llama-3.2-1b"}`:  "1e+09",
		`exobench_model_resident_memory_delta_bytes{model="llama-3.2-1b"}`: "9e+08",
		`exobench_model_unreleased_memory_bytes{model="llama-3.2-1b"}`:     "3e+07",
		`exobench_model_proportional_memory_bytes{model="llama-3.2-1b"}`:   "8e+08",
	})
	check("after a turn")
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}

	a.Contact(cluster.State{}, errors.New("connection refused"))
	now["exobench_agent_driver_up"] = "0"
	check("without contact")

	a.Contact(cluster.State{}, nil)
	a.Seen("mistral-7b", wholeMemory, true)
	a.Seen("mistral-7b", workload.Memory{}, false)
	now["exobench_agent_driver_up"], now["exobench_simulated"] = "1", "0"
	check("after a turn that does not count")

	a.Forget()
	maps.DeleteFunc(now, func(name, _ string) bool { return strings.HasPrefix(name, "exobench_model_") })
	check("when nothing holds any more")
}

// The names and labels of an agent's figures are those of the exporter that measures, so that
// they add up.
func TestAgentAndDriverAgreeOnSeries(t *testing.T) {
	a, reg := newTestAgent(t)
	a.Contact(cluster.State{}, nil)
	a.Seen("llama-3.2-1b", wholeMemory, true)
	opts := testOptions()
	opts.Memory, opts.Machine = a.options.Memory, a.options.Machine
	m, driver := newTestMetrics(t, opts)
	m.SetStatus(workload.Status{Up: true, Nodes: a.options.Node()})
	turn := turnOf("llama-3.2-1b", workload.TurnOK, okResult("llama-3.2-1b", "short"))
	turn.Memory = wholeMemory
	NewObserver(m).TurnDone(turn)
	got, measured := series(t, reg), series(t, driver)
	delete(got, reloadedAt)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if name != "exobench_agent_driver_up" && measured[name] != got[name] {
			t.Errorf("%s is %s for the agent and %q for the driver", name, got[name], measured[name])
		}
	}
}

func TestPageOfAnAgent(t *testing.T) {
	a, _ := newTestAgent(t)
	expectPage(
		t, showPage(t, a),
		[]string{"memory agent", "http://mac-1:9955", "not asked yet", "No turn has been watched yet", "191 MiB in 2 processes"},
		[]string{"SIMULATED"},
	)

	a.Contact(cluster.State{Simulated: true, Turn: &cluster.Turn{Model: "<b>mistral-7b", Phase: workload.PhaseMeasure}}, nil)
	a.Seen("llama-3.2-1b", wholeMemory, true)
	a.Seen("qwen-1.5-7b", workload.Memory{}, false)
	expectPage(t, showPage(t, a), []string{
		"<strong>SIMULATED</strong>", `<span class="good">up</span>`, "&lt;b&gt;mistral-7b</strong> is measured",
		"858 MiB", "954 MiB", "763 MiB", "was not watched as a whole",
	}, []string{"<b>mistral"})

	a.Seen("llama-3.2-1b", workload.Memory{Samples: 20, Median: 100 << 20, Peak: 200 << 20}, true)
	expectPage(t, showPage(t, a), []string{"100 MiB", "200 MiB"}, []string{"858 MiB"}) // a model's last turn alone
	a.Seen("llama-3.2-1b", wholeMemory, true)

	a.Contact(cluster.State{}, errors.New("<i>refused"))
	expectPage(t, showPage(t, a), []string{"&lt;i&gt;refused", "nobody says whose turn it is", "858 MiB"}, []string{"is measured"})

	f := NewFront(NewRegistry(), a, quiet)
	if w := get(f, cluster.Path); w.Code != 404 {
		t.Errorf("an agent answers as a driver: %d", w.Code)
	}
}
