package memory

import (
	"fmt"
	"time"
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
}

// String returns v in one line for people.
func (v Visibility) String() string {
	switch {
	case !v.Visible:
		return fmt.Sprintf("exo's processes cannot be seen: %s; %s", v.Reason, v.Fix)
	case v.Unreadable > 0:
		return fmt.Sprintf("exo's process tree: pid %d, found by %s; processes read: %d, unreadable: %d; %s",
			v.PID, v.How, v.Processes, v.Unreadable, v.Fix)
	}
	return fmt.Sprintf("exo's process tree: pid %d, found by %s; processes: %d", v.PID, v.How, v.Processes)
}
