package memory

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// parseVMStat returns a Mac's memory from what vm_stat prints and the size of the machine.
// Available is what Linux means by MemAvailable, what programs can have without swapping, and what
// exo says itself: all that is not used, where pages that can be dropped or read again from their
// files (purgeable, file-backed) do not count as used. A line that is missing is an error.
//
// Formula: used = active + inactive + speculative + wired + compressor − purgeable − file-backed,
// as in macmon, from which exo has its figure.
func parseVMStat(out []byte, total uint64) (HostMemory, error) {
	head, _, _ := bytes.Cut(out, []byte("\n"))
	var page uint64
	if _, rest, ok := bytes.Cut(head, []byte("page size of ")); ok {
		page = leadingNumber(string(rest))
	}
	if page == 0 {
		return HostMemory{}, fmt.Errorf("vm_stat says %q, want its page size", head)
	}
	pages := make(map[string]uint64)
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok {
			pages[name] = leadingNumber(strings.TrimSpace(value))
		}
	}
	sum := func(names ...string) (n uint64, err error) {
		for _, name := range names {
			v, ok := pages[name]
			if !ok {
				return 0, fmt.Errorf("vm_stat does not say %q", name)
			}
			n += v
		}
		return n, nil
	}
	held, err := sum("Pages active", "Pages inactive", "Pages speculative", "Pages wired down", "Pages occupied by compressor")
	if err != nil {
		return HostMemory{}, err
	}
	droppable, err := sum("Pages purgeable", "File-backed pages")
	if err != nil {
		return HostMemory{}, err
	}
	used := (held - min(held, droppable)) * page
	return HostMemory{Total: total, Available: total - min(total, used)}, nil
}

// leadingNumber returns the number that s begins with; 0 when there is none.
func leadingNumber(s string) uint64 {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		s = s[:end]
	}
	n, err := strconv.ParseUint(s, 10, 48)
	if err != nil {
		return 0
	}
	return n
}
