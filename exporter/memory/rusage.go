package memory

import (
	"encoding/binary"
	"fmt"
)

// rusage is what macOS' rusage_info tells of a process, in bytes. See proc_pid_rusage.
type rusage struct {
	resident  uint64 // pages that are entered in the task's page map: what ps calls rss
	footprint uint64 // physical footprint: what Activity Monitor calls memory, buffers of Metal included
	// most is the highest footprint since the process was born; 0 in flavors that lack it.
	most uint64
}

// rusageSizes are the sizes in bytes of the flavors of rusage_info, which only ever grow at their
// end. The kernel writes the whole of a flavor, whatever room there is.
//
// Source: bsd/sys/resource.h of xnu-11417.
var rusageSizes = [...]int{96, 144, 160, 232, 296, 304, 464}

// Offsets in every flavor that is long enough. What comes before are 16 bytes of a UUID and times.
const (
	rusageResident  = 64
	rusageFootprint = 72
	rusageMost      = 240
)

// rusageFlavor is the one that is asked for first: the oldest that has all of rusage.
const rusageFlavor = 4

// decodeRusage reads a rusage_info of the given flavor.
func decodeRusage(flavor int, b []byte) (rusage, error) {
	if flavor < 0 || flavor >= len(rusageSizes) || len(b) < rusageSizes[flavor] {
		return rusage{}, fmt.Errorf("%d bytes are no rusage_info of flavor %d", len(b), flavor)
	}
	b = b[:rusageSizes[flavor]]
	u := rusage{
		resident:  binary.LittleEndian.Uint64(b[rusageResident:]),
		footprint: binary.LittleEndian.Uint64(b[rusageFootprint:]),
	}
	if len(b) >= rusageMost+8 {
		u.most = binary.LittleEndian.Uint64(b[rusageMost:])
	}
	return u, nil
}
