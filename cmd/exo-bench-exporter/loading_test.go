package main

import (
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exo/instance"
)

func TestPrintLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b buffer
		tell := printLoading(&b)
		step := func(stage string, elapsed time.Duration, done, total uint64, speed float64) {
			tell(instance.Progress{Model: "m", Stage: stage, Elapsed: elapsed, Done: done, Total: total, BytesPerSecond: speed})
		}
		step("placing", 200*time.Millisecond, 0, 0, 0) // too early to be worth a word
		for i := range 40 {
			step("downloading", time.Duration(i+1)*time.Second, uint64(i)*1e8, 4e9, 1e8)
			<-time.After(time.Second)
		}
		step("loading", 41*time.Second, 3, 16, 0)
		step("loading", 42*time.Second, 4, 16, 0)
		want := `      downloading for 1s 0.00 of 4.00 GB at 100.0 MB/s
      downloading for 16s 1.50 of 4.00 GB at 100.0 MB/s
      downloading for 31s 3.00 of 4.00 GB at 100.0 MB/s
      loading for 41s 3 of 16 layers
`
		if got := b.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
