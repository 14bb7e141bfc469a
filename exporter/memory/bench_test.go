package memory

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// BenchmarkSampling compares what a sample of known processes costs with what the search for
// new ones does, and tells the share of a core that both take during a turn on a machine with
// 500 processes: four samples a second, a search every five seconds.
func BenchmarkSampling(b *testing.B) {
	root := newHelper(b, "exo")
	for range 3 {
		root.spawn(b, runnerArgv)
	}
	s := New(Config{PID: root.pid(), Logger: quiet()})
	s.Begin("m")
	table, err := s.src.Table(b.Context(), true)
	if err != nil {
		b.Fatal(err)
	}
	per := map[string]float64{}
	for name, f := range map[string]func(){
		"known": func() { s.nextSearch = time.Now().Add(time.Hour); s.tick() },
		"tree":  func() { s.nextSearch = time.Time{}; s.tick() },
		"root":  func() { s.Look() },
	} {
		b.Run(name, func(b *testing.B) {
			start := cpuTime()
			for b.Loop() {
				f()
			}
			per[name] = (cpuTime() - start).Seconds() / float64(b.N)
			b.ReportMetric(float64(len(table)), "processes")
		})
	}
	b.Run("share", func(b *testing.B) {
		for b.Loop() {
			runtime.KeepAlive(per)
		}
		search := (per["tree"] - per["known"]) * 500 / float64(len(table))
		b.ReportMetric(per["tree"]/per["known"], "tree/known")
		b.ReportMetric(100*(4*per["known"]+search/5), "%core")
		b.ReportMetric(0, "ns/op")
	})
	if len(s.tree.pids) != 4 {
		b.Fatalf("the tree has %d processes on %d cores, pid %d", len(s.tree.pids), runtime.NumCPU(), os.Getpid())
	}
}
