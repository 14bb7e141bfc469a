package exporter

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

// described returns the names of everything under the exporter's own name that reg can collect.
func described(reg *prometheus.Registry) []string {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		reg.Describe(descs)
	}()
	var names []string
	name := regexp.MustCompile(`fqName: "(` + metric.Namespace + `_[^"]*)"`)
	for d := range descs {
		if m := name.FindStringSubmatch(d.String()); m != nil {
			names = append(names, m[1])
		}
	}
	return names
}

// What is registered is documented, because docs/metrics.md is made of Families.
func TestNothingUndocumentedIsRegistered(t *testing.T) {
	var documented []string
	for _, f := range Families() {
		documented = append(documented, f.FullName())
	}
	opts := testOptions()
	opts.Memory = func() (ExoMemory, bool) { return ExoMemory{}, false }
	opts.Machine = func() (MachineState, bool) { return MachineState{}, false }
	opts.Judge = func() []judge.Verdict { return nil }
	driver := NewRegistry()
	store := NewStore(opts)
	NewMetrics(driver, opts)
	NewFront(driver, store, quiet)
	agent := NewRegistry()
	shown := NewAgent(agent, AgentOptions{Memory: opts.Memory, Machine: opts.Machine, Node: func() []workload.NodeStatus { return nil }})
	NewFront(agent, shown, quiet)
	names := append(described(driver), described(agent)...)
	for _, name := range names {
		if !slices.Contains(documented, name) {
			t.Errorf("%s is registered but not declared: register it with a metric.Set that Families knows", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(names, name) {
			t.Errorf("%s is declared but never registered", name)
		}
	}
}

// A declaration says everything that a reader has to know.
func TestDeclarationsAreWhole(t *testing.T) {
	base := map[string]string{
		"_seconds": "second", "_bytes": "bytes", "_joules": "joules",
		"_watts": "watts", "_celsius": "Celsius", "_ratio": "ratio",
	}
	for _, f := range Families() {
		if f.Unit == "" || f.Help == "" || !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s: unit %q, help %q", f.Name, f.Unit, f.Help)
		}
		if f.Absent != "" && !regexp.MustCompile(`^(when|where|while|until|before|at) `).MatchString(f.Absent) {
			t.Errorf("%s: absent %q does not say when or where", f.Name, f.Absent)
		}
		if (f.Kind == metric.KindCounter) != strings.HasSuffix(f.Name, "_total") {
			t.Errorf("%s is a %s", f.Name, f.Kind)
		}
		for suffix, unit := range base {
			if strings.HasSuffix(strings.TrimSuffix(f.Name, "_total"), suffix) && !strings.Contains(f.Unit, unit) {
				t.Errorf("%s has the unit %q", f.Name, f.Unit)
			}
		}
	}
}
