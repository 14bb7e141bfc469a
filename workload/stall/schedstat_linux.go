package stall

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tasks lists this process's threads, in whichever pid namespace it runs.
const tasks = "/proc/self/task"

// runDelay returns how long this process's threads have been ready without a processor, summed
// over those that live; false when the kernel keeps no account of it. Go ends no thread by
// itself, so the sum does not shrink.
func runDelay() (time.Duration, bool) { return runDelayOf(tasks) }

func runDelayOf(dir string) (time.Duration, bool) {
	d, err := os.Open(dir)
	if err != nil {
		return 0, false
	}
	defer d.Close()
	threads, err := d.Readdirnames(-1)
	if err != nil {
		return 0, false
	}
	var sum time.Duration
	found := false
	for _, tid := range threads {
		if delay, ok := waited(filepath.Join(dir, tid, "schedstat")); ok {
			sum, found = sum+delay, true
		}
	}
	return sum, found
}

// waited returns the second field of a schedstat file, which counts nanoseconds: the others are
// the time on a processor and the number of times that the thread was put on one.
func waited(path string) (time.Duration, bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, false // the thread is gone
	}
	fields := bytes.Fields(content)
	if len(fields) != 3 {
		return 0, false
	}
	ns, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return time.Duration(ns), err == nil
}
