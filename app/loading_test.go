package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exo/instance"
)

// A load is told of when its stage changes and now and then while it lasts, to whoever wants to
// know or else in the log.
func TestLoadingIsToldNowAndThen(t *testing.T) {
	const want = `downloading 1s 0.00 of 4.00 GB at 100.0 MB/s
downloading 16s 1.50 of 4.00 GB at 100.0 MB/s
downloading 31s 3.00 of 4.00 GB at 100.0 MB/s
loading 41s 3 of 16 layers
warming up 43s 
`
	var heard, logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	listener := Seldom(func(p instance.Progress) { fmt.Fprintln(&heard, p.Stage, p.Elapsed, LoadAmount(p)) })
	for _, tell := range []func(instance.Progress){listener, Seams{}.loading(log)} {
		synctest.Test(t, func(t *testing.T) {
			step := func(stage string, elapsed time.Duration, done, total uint64, speed float64) {
				tell(instance.Progress{Model: "m", Stage: stage, Elapsed: elapsed, Done: done, Total: total, BytesPerSecond: speed})
			}
			step("placing", 200*time.Millisecond, 0, 0, 0) // too early to be worth a word
			for i := range 40 {
				step("downloading", time.Duration(i+1)*time.Second, uint64(i)*1e8, 4e9, 1e8)
				time.Sleep(time.Second)
			}
			step("loading", 41*time.Second, 3, 16, 0)
			step("loading", 42*time.Second, 4, 16, 0)
			step("warming up", 43*time.Second, 0, 0, 0)
		})
	}
	if got := heard.String(); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	if len(lines) != 5 || !strings.Contains(
		lines[1], `stage=downloading for=16s done="1.50 of 4.00 GB at 100.0 MB/s"`,
	) || strings.Contains(lines[4], "done=") {
		t.Errorf("logged\n%s", logged.String())
	}
}
