package exporter

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

func TestStatus(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	m.SetStatus(workload.Status{Err: errors.New("connection refused")})
	expect(t, reg, map[string]string{
		"exo_up":                               "0",
		"exo_rtt_seconds":                      "",
		`exo_info{dialect="",endpoint=""}`:     "",
		`exo_info{dialect="exo1",endpoint=""}`: "",
	})
	m.SetStatus(workload.Status{
		Up: true, Dialect: workload.DialectExo1, RTT: 3 * time.Millisecond,
		Nodes: []workload.NodeStatus{
			{Name: "a", MemoryTotal: ptr(uint64(16)), PowerWatts: ptr(0.0)},
			{Name: "b"},
			{Name: "a", MemoryTotal: ptr(uint64(32))}, // two machines of one name are no reason to fail the scrape
		},
	})
	expect(t, reg, map[string]string{
		"exo_up":                                        "1",
		"exo_rtt_seconds":                               "0.003",
		`exo_info{dialect="exo1",endpoint=""}`:          "1",
		`node_memory_bytes{node="a",state="total"}`:     "16",
		`node_memory_bytes{node="a",state="available"}`: "",
		`node_power_watts{node="a"}`:                    "0",
		`node_power_watts{node="b"}`:                    "",
		`node_gpu_utilization_ratio{node="a"}`:          "",
	})
	NewObserver(m).RequestDone(okResult("mistral-7b", "short"))
	m.SetStatus(
		workload.Status{
			Dialect: workload.DialectExo1, Err: errors.New("connection refused"), Nodes: []workload.NodeStatus{{Name: "a", PowerWatts: ptr(1.0)}},
		},
	)
	expect(t, reg, map[string]string{
		"exo_up":                                 "0",
		"exo_rtt_seconds":                        "",
		`exo_info{dialect="exo1",endpoint=""}`:   "",
		`exo_info{dialect="exo1",endpoint="v1"}`: "1",
		`node_power_watts{node="a"}`:             "1",
	})
}

func TestSimulated(t *testing.T) {
	for _, configured := range []bool{false, true} {
		for _, answered := range []bool{false, true} {
			opts := testOptions()
			opts.Simulated = configured
			m, reg := newTestMetrics(t, opts)
			status := workload.Status{Up: true, Simulated: answered}
			m.SetStatus(status)
			m.Apply(opts)
			want := configured || answered
			expect(t, reg, map[string]string{"simulated": strconv.Itoa(int(boolValue(want)))})
			store := NewStore(opts)
			store.SetStatus(status)
			store.Apply(opts)
			if store.State().Simulated != want {
				t.Errorf("configured %v, answered %v: the store says otherwise", configured, answered)
			}
		}
	}
}

func TestMemoryIsAbsentWhenNotSeen(t *testing.T) {
	seen := true
	opts := testOptions()
	opts.Memory = func() (ExoMemory, bool) {
		return ExoMemory{Roles: map[string]RoleMemory{"node": {Bytes: 100, Processes: 2}}}, seen
	}
	_, reg := newTestMetrics(t, opts)
	expect(t, reg, map[string]string{
		`exo_resident_memory_bytes{role="node"}`: "100",
		`exo_processes{role="node"}`:             "2",
	})
	seen = false
	expect(t, reg, map[string]string{
		`exo_resident_memory_bytes{role="node"}`: "",
		`exo_processes{role="node"}`:             "",
	})
}
