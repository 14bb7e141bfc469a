package memory

import (
	"time"

	"exo-bench-exporter/workload"
)

// Ways in which a Source reads memory. They are label values and therefore a contract.
const (
	byProcfs    = "procfs"    // Linux's own files
	byRusage    = "rusage"    // calls of macOS' kernel
	byPS        = "ps"        // the program
	bySimulator = "simulator" // processes that do not exist
	byGopsutil  = "system"    // whatever gopsutil asks on a system that is neither Linux nor macOS
)

// manner says how a Source reads.
type manner struct {
	by        string                 // way in which memory is read
	footprint workload.FootprintKind // what Usage.Footprint is
	every     time.Duration          // between two samples of a turn
	doubt     string                 // why a better way is not taken, or is not sure; empty where all is well
}
