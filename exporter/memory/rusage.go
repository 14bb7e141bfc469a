package memory

import "encoding/binary"

// rusage is what macOS' rusage_info tells of a process, in bytes. See proc_pid_rusage.
type rusage struct {
	resident  uint64 // pages that are entered in the task's page map: what ps calls rss
	footprint uint64 // physical footprint: what Activity Monitor calls memory, buffers of Metal included
	most      uint64 // highest footprint since the process was born
}

// rusageFlavor is the oldest flavor of rusage_info that has all of rusage, and rusageSize its size in bytes: the kernel writes
// the whole of a flavor, whatever room there is. Later flavors have grown at their end.
//
// Source: bsd/sys/resource.h of xnu-11417.
const (
	rusageFlavor = 4
	rusageSize   = 296
)

// Offsets of what is read. What comes before are 16 bytes of a UUID and times.
const (
	rusageResident  = 64
	rusageFootprint = 72
	rusageMost      = 240
)

// decodeRusage reads a rusage_info of rusageFlavor.
func decodeRusage(b *[rusageSize]byte) rusage {
	return rusage{
		resident:  binary.LittleEndian.Uint64(b[rusageResident:]),
		footprint: binary.LittleEndian.Uint64(b[rusageFootprint:]),
		most:      binary.LittleEndian.Uint64(b[rusageMost:]),
	}
}
