package memory

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// Simulated is a process of a machine that does not exist.
type Simulated struct {
	PID     int32
	PPID    int32
	Created time.Time
	RSS     uint64 // bytes
	Peak    uint64 // bytes; 0 when the process has no high-water mark
	PSS     uint64 // bytes; 0 when the process's proportional set size is not known
	// Footprint and its highest since birth, in bytes; 0 when they are not known. They are told as
	// macOS tells them, with every reading.
	Footprint, FootprintPeak uint64
	Command                  []string
	Listens                  bool // on every port that is asked for, at every address
}

// SimulatedSource returns a Source whose processes are what list returns at the time of each
// reading.
func SimulatedSource(list func() []Simulated) Source { return simulatedSource(list) }

type simulatedSource func() []Simulated

func (s simulatedSource) Table(context.Context, bool) ([]Process, error) {
	all := s()
	table := make([]Process, len(all))
	for i, p := range all {
		table[i] = Process{PID: p.PID, PPID: p.PPID}
	}
	return table, nil
}

func (s simulatedSource) Read(_ context.Context, pids []int32, d Detail) ([]Usage, error) {
	var usages []Usage
	for _, p := range s() {
		if slices.Contains(pids, p.PID) {
			u := Usage{
				PID: p.PID, Created: p.Created.UnixMilli(), RSS: p.RSS, Peak: p.Peak, Footprint: p.Footprint, FootprintPeak: p.FootprintPeak,
			}
			if d.PSS {
				u.PSS = p.PSS
			}
			usages = append(usages, u)
		}
	}
	return usages, nil
}

func (s simulatedSource) Commands(_ context.Context, pids []int32) (map[int32][]string, error) {
	commands := make(map[int32][]string)
	for _, p := range s() {
		if len(p.Command) > 0 && slices.Contains(pids, p.PID) {
			commands[p.PID] = p.Command
		}
	}
	return commands, nil
}

func (s simulatedSource) listeners(context.Context, place, uint16) ([]listener, error) {
	var found []listener
	for _, p := range s() {
		if p.Listens {
			found = append(found, listener{addr: netip.IPv6Unspecified(), pids: []int32{p.PID}, uid: noUser})
		}
	}
	return found, nil
}

func (simulatedSource) manner() manner {
	return manner{by: bySimulator, footprint: workload.FootprintPhysical, every: turnInterval}
}

func (simulatedSource) ResetPeaks(context.Context, []int32) {}
