package memory

import "context"

// Source reads the processes of one machine. Its methods are called one at a time.
type Source interface {
	// Table lists every process that can be seen, in any order. Unless anew is true, it may
	// take the parents of pids that were in the last table for what they were then: to list
	// pids costs a hundredth of what it does to read every process.
	Table(ctx context.Context, anew bool) ([]Process, error)
	// Read reads the memory of pids. Processes that are gone are left out; one that cannot
	// be read has Err set and does not keep the others from being read.
	Read(ctx context.Context, pids []int32, d Detail) ([]Usage, error)
	// Commands returns the command lines of pids. Processes that are gone or keep theirs to themselves are left out.
	Commands(ctx context.Context, pids []int32) (map[int32][]string, error)
	// listeners returns the sockets that listen on a TCP port and that can be seen.
	listeners(ctx context.Context, at place, port uint16) ([]listener, error)
	// manner says how Read reads. It may be another one after each Read.
	manner() manner
	// ResetPeaks starts the high-water marks of pids afresh, where the system has them and
	// allows it.
	ResetPeaks(ctx context.Context, pids []int32)
}

// Process is a line of the process table.
type Process struct {
	PID  int32
	PPID int32
}

// Detail chooses the costlier fields of a Usage.
type Detail struct {
	Peak bool // high-water mark
	PSS  bool // proportional set size, and on Linux the footprint; walks the process's page tables
}

// Usage is what one process occupies, in bytes.
type Usage struct {
	PID     int32
	Created int64  // creation time in ms since the epoch; with PID it names a process for good
	RSS     uint64 // resident set size; 0 for a process that is dead but not yet reaped
	Peak    uint64 // highest RSS since birth or the last reset; 0 where unknown
	PSS     uint64 // proportional set size; 0 where unknown
	// Footprint is what manner says that it is; 0 where unknown. FootprintPeak is the highest since
	// birth; 0 where unknown.
	Footprint, FootprintPeak uint64
	Err                      error // why RSS could not be read
}
