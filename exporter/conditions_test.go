package exporter

import (
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// strained is a machine that tells everything, though no system does.
func strained() (MachineState, bool) {
	return MachineState{
		Name:          "studio",
		Waiting:       map[workload.Resource]time.Duration{"cpu": 90 * time.Second, "memory": 1500 * time.Millisecond, "io": 0},
		Stalled:       map[workload.Resource]time.Duration{"memory": 500 * time.Millisecond, "io": 0},
		CoreThrottles: ptr(uint64(12)), PackageThrottles: ptr(uint64(3)), FrequencyLimit: ptr(0.75),
		ThermalPressure: ptr(1), MemoryPressure: ptr(2),
	}, true
}

// hot are conditions of which everything is told.
func hot() workload.Conditions {
	return workload.Conditions{
		Seconds: 30, CoreThrottles: ptr(uint64(4)), PackageThrottles: ptr(uint64(0)), FrequencyLimit: ptr(0.5),
		ThermalPressure: ptr(2), MemoryPressure: ptr(4),
		Pressure: map[workload.Resource]workload.Pressure{
			"cpu": {Waiting: 0.5}, "memory": {Waiting: 0.25, Stalled: ptr(0.125)}, "io": {Stalled: ptr(0.0)},
		},
	}
}

// warm is what a machine showed that shows everything.
func warm() *workload.Sensors {
	return &workload.Sensors{Readings: 3, Celsius: ptr(61.5), GPU: ptr(0.75), Watts: ptr(38.5)}
}

func TestConditionsOfATurn(t *testing.T) {
	const model = "llama-3.2-1b"
	m, reg := newTestMetrics(t, testOptions())
	turn := turnOf(model, workload.TurnOK, okResult(model, "short"))
	turn.Conditions, turn.Results[0].Sensors = hot(), warm()
	full := map[string]string{
		`model_pressure_waiting_ratio{model="llama-3.2-1b",resource="cpu"}`:    "0.5",
		`model_pressure_waiting_ratio{model="llama-3.2-1b",resource="memory"}`: "0.25",
		`model_pressure_waiting_ratio{model="llama-3.2-1b",resource="io"}`:     "0",
		`model_pressure_stalled_ratio{model="llama-3.2-1b",resource="cpu"}`:    "",
		`model_pressure_stalled_ratio{model="llama-3.2-1b",resource="memory"}`: "0.125",
		`model_cpu_frequency_limit_min_ratio{model="llama-3.2-1b"}`:            "0.5",
		`model_cpu_core_throttles{model="llama-3.2-1b"}`:                       "4",
		`model_cpu_package_throttles{model="llama-3.2-1b"}`:                    "0",
		`model_thermal_pressure_peak{model="llama-3.2-1b"}`:                    "2",
		`model_memory_pressure_peak{model="llama-3.2-1b"}`:                     "4",
		`model_temperature_peak_celsius{model="llama-3.2-1b"}`:                 "61.5",
		`model_gpu_utilization_ratio{model="llama-3.2-1b"}`:                    "0.75",
		`model_power_watts{model="llama-3.2-1b"}`:                              "38.5",
	}
	absent := map[string]string{}
	for name := range full {
		absent[name] = ""
	}
	expect(t, reg, absent)
	NewObserver(m).TurnDone(turn)
	expect(t, reg, full)

	// A turn that failed was slow for a reason, too.
	turn.Outcome = workload.TurnFailed
	NewObserver(m).TurnDone(turn)
	expect(t, reg, full)

	// Of one in which nothing was measured nothing is known, and what is not told is not what it was before.
	turn.Conditions, turn.Results[0].Sensors = workload.Conditions{}, nil
	NewObserver(m).TurnDone(turn)
	expect(t, reg, absent)
	turn.Conditions = workload.Conditions{Seconds: 1, ThermalPressure: ptr(0)}
	NewObserver(m).TurnDone(turn)
	absent[`model_thermal_pressure_peak{model="llama-3.2-1b"}`] = "0"
	expect(t, reg, absent)

	// A restart shows them again.
	turn.Conditions, turn.Results[0].Sensors = hot(), warm()
	again, reg := newTestMetrics(t, testOptions())
	again.Resume([]workload.Turn{turn})
	expect(t, reg, full)
}

func TestConditionsOfTheMachine(t *testing.T) {
	here := true
	opts := testOptions()
	opts.Machine = func() (MachineState, bool) {
		m, _ := strained()
		return m, here
	}
	_, reg := newTestMetrics(t, opts)
	want := map[string]string{
		`node_pressure_waiting_seconds_total{node="studio",resource="cpu"}`:    "90",
		`node_pressure_waiting_seconds_total{node="studio",resource="memory"}`: "1.5",
		`node_pressure_stalled_seconds_total{node="studio",resource="cpu"}`:    "",
		`node_pressure_stalled_seconds_total{node="studio",resource="memory"}`: "0.5",
		`node_cpu_core_throttles_total{node="studio"}`:                         "12",
		`node_cpu_package_throttles_total{node="studio"}`:                      "3",
		`node_cpu_frequency_limit_ratio{node="studio"}`:                        "0.75",
		`node_thermal_pressure{node="studio"}`:                                 "1",
		`node_memory_pressure{node="studio"}`:                                  "2",
	}
	expect(t, reg, want)
	here = false
	for name := range want {
		want[name] = ""
	}
	expect(t, reg, want)
}
