package machine

import (
	"time"

	"github.com/prometheus/procfs"

	"exo-bench-exporter/workload"
)

// readPressure returns what Linux' pressure stall information below proc (usually /proc) says of each resource. One is
// left out where the kernel has no such file, or has it switched off, when reading it fails.
//
// Source: Documentation/accounting/psi.rst of the kernel. Totals are in microseconds. Of the CPU, "full" means nothing for
// a machine as a whole and is reported as zero.
func readPressure(proc string) map[workload.Resource]Stalls {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return nil
	}
	all := map[workload.Resource]Stalls{}
	for _, resource := range workload.Resources() {
		stats, err := fs.PSIStatsForResource(string(resource))
		if err != nil || stats.Some == nil {
			continue
		}
		s := Stalls{Waiting: micro(stats.Some.Total)}
		if stats.Full != nil && resource != workload.ResourceCPU {
			stalled := micro(stats.Full.Total)
			s.Stalled = &stalled
		}
		all[resource] = s
	}
	return all
}

func micro(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }
