package exo_test

import (
	"testing"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// What is known of the hardware is exo's own word of the weights, and the bandwidth of the chip that exo names unless the user
// knows it better.
func TestHost(t *testing.T) {
	for name, c := range map[string]struct {
		options exo.Options
		want    float64
	}{
		"the chip's": {want: 273e9},
		"the user's": {options: exo.Options{MemoryBandwidth: 100e9}, want: 100e9},
	} {
		t.Run(name, func(t *testing.T) {
			energyRun(t, exosim.Options{}, c.options, "llama-3.1-8b", []int{8}, func(n *exosim.Node, s workload.Session, _ []workload.Result) {
				got := s.(workload.Hosted).Host()
				if got.WeightsBytes < 4e9 || got.WeightsBytes > 5e9 || got.MemoryBandwidth != c.want || len(got.Machines) != 1 ||
					got.Machines[0].Chip != "Apple M4 Pro" || got.Machines[0].MemoryBytes == 0 {
					t.Errorf("%+v, want a bandwidth of %v", got, c.want)
				}
			})
		})
	}
}
