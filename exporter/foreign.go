package exporter

import (
	"errors"

	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
)

// What is kept of a node's words and machines is bounded here too, whatever was done about it
// where they came in.
const (
	maxReason = 500 // bytes of a reason
	maxNodes  = 256 // machines of a cluster
)

// brief returns what is kept of a reason that may quote a node: one printable line.
func brief(reason string) string { return foreign.Cut(reason, maxReason) }

// briefDriver returns what is kept of a driver's answer.
func briefDriver(s cluster.State) cluster.State {
	s.Version = foreign.ID(s.Version)
	if s.Turn != nil {
		turn := *s.Turn
		turn.Model, turn.Phase = foreign.ID(turn.Model), workload.Phase(foreign.ID(string(turn.Phase)))
		s.Turn = &turn
	}
	s.Last = nil
	return s
}

// tooLong returns how many of texts are longer than is kept.
func tooLong(texts ...string) int {
	n := 0
	for _, s := range texts {
		if len(s) > maxReason {
			n++
		}
	}
	return n
}

// briefStatus returns what is kept of a status, and how many machines were left out of it.
func briefStatus(s workload.Status) (kept workload.Status, left int) {
	kept = s
	kept.Dialect = workload.Dialect(foreign.ID(string(s.Dialect)))
	if s.Err != nil {
		kept.Err = errors.New(brief(s.Err.Error()))
	}
	kept.Nodes = nil
	for _, n := range s.Nodes[:min(len(s.Nodes), maxNodes)] {
		n.Name, n.Machine, n.Chip, n.OS = metric.Label(n.Name), metric.Label(n.Machine), metric.Label(n.Chip), metric.Label(n.OS)
		kept.Nodes = append(kept.Nodes, n)
	}
	return kept, len(s.Nodes) - len(kept.Nodes)
}
