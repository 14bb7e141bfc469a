// Package chips knows how fast Apple's chips read their memory.
package chips

import "strings"

// gigabytes of memory; a machine says it in bytes.
const gigabyte = 1 << 30

// bandwidths are peak memory bandwidths in units of 10⁹ bytes per second, by the name that macOS and exo give a chip, as Apple's
// specifications state them. Of some names there are two, which the number of GPU cores tells apart. exo does not say it, but
// the smaller ones are sold with other amounts of memory: those of smallGB, in GiB.
var bandwidths = map[string]struct {
	full, small float64 // small is 0 where there is but one
	smallGB     []uint64
}{
	"M1": {full: 68.25}, "M1 Pro": {full: 200}, "M1 Max": {full: 400}, "M1 Ultra": {full: 800},
	"M2": {full: 100}, "M2 Pro": {full: 200}, "M2 Max": {full: 400}, "M2 Ultra": {full: 800},
	"M3": {full: 100}, "M3 Pro": {full: 150}, "M3 Max": {full: 400, small: 300, smallGB: []uint64{36, 96}}, "M3 Ultra": {full: 819},
	"M4": {full: 120}, "M4 Pro": {full: 273}, "M4 Max": {full: 546, small: 410, smallGB: []uint64{36}},
	"M5": {full: 153.6}, "M5 Pro": {full: 307}, "M5 Max": {full: 614, small: 460, smallGB: []uint64{36}},
	"A18 Pro": {full: 60},
}

// MemoryBandwidth returns the peak memory bandwidth in bytes per second of a chip such as "Apple M4 Pro", in a machine with that
// much memory in bytes, 0 for unknown; false where that is not known. It is what no program reaches: copying memory comes
// to some 80 to 90 per cent of it.
func MemoryBandwidth(chip string, memory uint64) (float64, bool) {
	b, ok := bandwidths[strings.TrimPrefix(strings.TrimSpace(chip), "Apple ")]
	if !ok {
		return 0, false
	}
	if b.small == 0 {
		return b.full * 1e9, true
	}
	if memory == 0 {
		return 0, false
	}
	for _, gb := range b.smallGB {
		if memory/gigabyte == gb {
			return b.small * 1e9, true
		}
	}
	return b.full * 1e9, true
}
