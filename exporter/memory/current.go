package memory

import (
	"fmt"
	"time"

	"exo-bench-exporter/workload"
)

// RoleUsage is what the processes of one role occupy together.
type RoleUsage struct {
	Processes int
	RSS       uint64 // sum of resident set sizes, in bytes; pages shared between processes count more than once
	PSS       uint64 // sum of proportional set sizes, in bytes; 0 where unknown
}

// Current is the last sample of exo's process tree.
type Current struct {
	At    time.Time
	Roles map[Role]RoleUsage // every role, with zeros for one that has no process

	By        string                 // way in which memory is read: procfs, rusage, ps, simulator or system
	Footprint workload.FootprintKind // what a turn's footprint is where memory is read in that way

	every time.Duration // to the next sample of a turn
}

// HostMemory is the memory of the exporter's machine, in bytes.
type HostMemory struct {
	Total     uint64
	Available uint64 // what programs can have without swapping, page cache included
}

// Visibility says whether exo's processes can be seen.
type Visibility struct {
	Visible    bool
	PID        int32  // root of exo's process tree
	How        string // the way that led to PID
	Processes  int    // processes of the tree that were read
	Unreadable int    // processes of the tree that were not
	Reason     string // why nothing can be seen; empty when Visible
	Fix        string // what to do about Reason, or about Unreadable
	By         string // way in which memory is read; empty before it was
	Doubt      string // why a better way is not taken, or is not sure; empty where all is well
}

// String returns v in one line for people.
func (v Visibility) String() string {
	if !v.Visible {
		return fmt.Sprintf("exo's processes cannot be seen: %s; %s", v.Reason, v.Fix)
	}
	s := fmt.Sprintf("exo's process tree: pid %d, found by %s; ", v.PID, v.How)
	if v.Unreadable > 0 {
		s += fmt.Sprintf("processes read: %d, unreadable: %d; %s", v.Processes, v.Unreadable, v.Fix)
	} else {
		s += fmt.Sprintf("processes: %d", v.Processes)
	}
	if v.Doubt != "" {
		s += fmt.Sprintf("; read by %s: %s", v.By, v.Doubt)
	}
	return s
}
