//go:build unix

package memory

import (
	"fmt"
	"os"
	"syscall"
)

const (
	// weight is what weighSelf puts on this process, in bytes.
	weight = 16 << 20
	// weightSlack is what else may come and go meanwhile: the rest of the program runs.
	weightSlack = weight / 2
)

// weighSelf takes memory of a known size for a moment and says where the readings before and with it do not show
// it: in the resident memory, in the footprint, and in the footprint's high-water mark where there is one.
func weighSelf(read func() (Usage, error)) error {
	before, err := read()
	if err != nil {
		return err
	}
	b, err := syscall.Mmap(-1, 0, weight, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("take %d bytes: %w", weight, err)
	}
	defer func() { _ = syscall.Munmap(b) }()
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
	with, err := read()
	if err != nil {
		return err
	}
	return weighed(before, with)
}

// weighed says in which of two readings weight is missing.
func weighed(before, with Usage) error {
	for _, c := range []struct {
		what         string
		before, with uint64
	}{
		{"resident memory", before.RSS, with.RSS},
		{"footprint", before.Footprint, with.Footprint},
	} {
		if rise := int64(c.with) - int64(c.before); rise < weight-weightSlack || rise > weight+weightSlack {
			return fmt.Errorf("%d bytes were taken, but this process's %s rose from %d to %d", weight, c.what, c.before, c.with)
		}
	}
	if most := with.FootprintPeak; most != 0 && most < with.Footprint {
		return fmt.Errorf("this process's footprint is %d bytes, but never was more than %d", with.Footprint, most)
	}
	return nil
}
