package stall

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkBeginEnd is what a request pays before it is sent and after it was read.
func BenchmarkBeginEnd(b *testing.B) {
	w := New()
	b.ReportAllocs()
	for b.Loop() {
		w.Begin().End()
	}
}

// BenchmarkWatching reports which part of a core it takes to watch.
func BenchmarkWatching(b *testing.B) {
	w := New()
	watch := w.Begin()
	before, start := cpuTime(), time.Now()
	for b.Loop() {
		time.Sleep(100 * time.Millisecond)
	}
	b.ReportMetric(100*(cpuTime()-before).Seconds()/time.Since(start).Seconds(), "%core")
	watch.End()
}

// cpuTime returns the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
