package state

import (
	"fmt"
	"strings"

	"exo-bench-exporter/workload/exo/foreign"
)

// maxNodes bounds the machines of a cluster; exo's own are a dozen at most.
const maxNodes = 1024

// The power of a machine, in watts: more than the one is beyond any that runs exo, and none that runs draws less than
// the other. Likewise the temperature of a GPU, in degrees Celsius. exo has 0 where the machine's own sensor is not there.
const (
	minWatts, maxWatts     = 0.1, 1e5
	minCelsius, maxCelsius = 0.1, 200
)

// Memory is what exo says of a machine's memory, in bytes; nil where it does not say.
type Memory struct{ Total, Available *uint64 }

// System is what exo says of a machine's load; nil where it does not say.
type System struct {
	GPU     *float64 // utilization, 0 to 1
	Celsius *float64
	Watts   *float64 // of the whole machine
	// Loads of its fast and of its slow processors as exo has them, of which nothing is said: they help to tell
	// one reading from another.
	Fast, Slow *float64
}

// Same reports whether two looks saw one and the same reading, which exo takes once a second.
func (y System) Same(other System) bool {
	same := func(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }
	return same(y.GPU, other.GPU) && same(y.Celsius, other.Celsius) && same(y.Watts, other.Watts) && same(y.Fast, other.Fast) &&
		same(y.Slow, other.Slow)
}

// nodes reads a map by node.
func nodes[T any](s *scanner, read func() T) map[string]T {
	all := map[string]T{}
	s.object(func(id string) {
		if len(all) >= maxNodes && s.err == nil {
			s.err = fmt.Errorf("%w: more than %d nodes", ErrTooBig, maxNodes)
			return
		}
		s.keep(itemCost)
		all[foreign.ID(id)] = read()
	})
	return all
}

func (s *scanner) memory() Memory {
	var m Memory
	s.fields(amount("ramTotal", func(b uint64) { m.Total = &b }), amount("ramAvailable", func(b uint64) { m.Available = &b }))
	return m
}

func (s *scanner) system() System {
	var y System
	s.fields(figure("gpuUsage", 0, 1, &y.GPU), figure("temp", minCelsius, maxCelsius, &y.Celsius),
		figure("sysPower", minWatts, maxWatts, &y.Watts),
		figure("pcpuUsage", 0, 1, &y.Fast), figure("ecpuUsage", 0, 1, &y.Slow))
	return y
}

// Identity is what exo says a machine is; empty where it does not say or does not know, as on Linux.
type Identity struct {
	Name    string // friendly name
	Machine string // for example MacBook Pro
	Chip    string // for example Apple M4 Pro
	OS      string // version of macOS, or the system's name
}

func (s *scanner) identity() Identity {
	var i Identity
	s.fields(id("friendlyName", &i.Name), id("modelId", &i.Machine), id("chipId", &i.Chip), id("osVersion", &i.OS))
	for _, word := range []*string{&i.Machine, &i.Chip, &i.OS} {
		if strings.HasPrefix(*word, "Unknown") {
			*word = ""
		}
	}
	return i
}

// figure reads a number from least to most; what is none, or cannot be true, is not known.
func figure(name string, least, most float64, v **float64) field {
	return field{name, func(s *scanner) {
		if f, ok := s.number(); ok && f >= least && f <= most {
			*v = &f
		}
	}}
}
