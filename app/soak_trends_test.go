package app

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"exo-bench-exporter/workload/record"
)

// negligible returns how much of each may come over the whole run without being a leak: the runtime's
// own bookkeeping, and what is kept up to a bound, which is the failures on the page and where the
// latest 20,000 records are. Of what is counted it is what may come late and then stays.
func (o *soaker) negligible(name string) float64 {
	index := 200 * min(float64(o.tally.results+o.tally.turnsDone), 20_000)
	return map[string]float64{
		"series": 8, "goroutines": 4, "descriptors": 4, "bytes of page": 16 << 10,
		"bytes of heap": 512<<10 + index, "bytes resident": 16<<20 + index,
	}[name]
}

// sample looks at what the program takes between two cycles.
func (o *soaker) sample(t *testing.T, b *Bench, at int) {
	t.Helper()
	series := len(scrape(t, b.front))
	page := len(get(t, b.front, "/"))
	for range 2 { // what finalizers let go is gone after the second
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	values := map[string]float64{
		"series": float64(series), "bytes of page": float64(page), "goroutines": float64(runtime.NumGoroutine()),
		"bytes of heap": float64(m.HeapAlloc), "descriptors": descriptors(),
	}
	// What a process has of the system settles in thousands of cycles only, and with the race detector, which keeps
	// a shadow of all that was ever touched, later still.
	if o.cycles >= soakTell {
		values["bytes resident"] = resident(t)
	}
	for name, value := range values {
		if o.trends[name] == nil {
			o.trends[name] = newTrend(o.cycles/soakRound + 1)
		}
		o.trends[name].add(float64(at), value)
	}
}

// resident returns this process' resident set in bytes; 0 where it cannot be told.
func resident(t *testing.T) float64 {
	t.Helper()
	content, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(content))[1], 64)
	noError(t, err)
	return pages * float64(os.Getpagesize())
}

// descriptors returns how many this process has open; 0 where it cannot be told.
func descriptors() float64 {
	open, _ := os.ReadDir("/proc/self/fd")
	return float64(len(open))
}

// trend is a series of points of which the slope is wanted.
type trend struct{ x, y []float64 }

// newTrend returns a trend that has room for its points from the beginning: they are in the heap that it may be the
// trend of.
func newTrend(points int) *trend {
	return &trend{make([]float64, 0, points), make([]float64, 0, points)}
}

func (d *trend) add(x, y float64) { d.x, d.y = append(d.x, x), append(d.y, y) }

// slope returns the least-squares slope of the points from the first third on, which is the time of
// warming up, and its standard error.
func (d *trend) slope() (slope, err float64) {
	x, y := d.x[len(d.x)/3:], d.y[len(d.y)/3:]
	mx, my := mean(x), mean(y)
	var sxx, sxy, rest float64
	for i := range x {
		sxx += (x[i] - mx) * (x[i] - mx)
		sxy += (x[i] - mx) * (y[i] - my)
	}
	slope = sxy / sxx
	for i := range x {
		r := y[i] - my - slope*(x[i]-mx)
		rest += r * r
	}
	return slope, math.Sqrt(rest / float64(len(x)-2) / sxx)
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

// wantTrends wants no slope that can be told from zero, or none that comes to anything.
func (o *soaker) wantTrends(t *testing.T) {
	t.Helper()
	o.tellTrends(t)
	for name, d := range o.trends {
		if slope, err := d.slope(); slope > 3*err && slope*float64(o.tally.cycles) > o.negligible(name) {
			t.Errorf("%s: there is a trend: %v", name, d.y)
		}
	}
}

func (o *soaker) tellTrends(t *testing.T) {
	t.Helper()
	for name, d := range o.trends {
		slope, err := d.slope()
		over := slope * float64(o.tally.cycles)
		t.Logf("%d cycles: %s: %.0f at first, %.0f in the mean, %.0f at last; slope %.3g ± %.2g a cycle, %.3g over the run",
			o.tally.cycles, name, d.y[0], mean(d.y), d.y[len(d.y)-1], slope, err, over)
	}
}

// wantRecords wants every result and turn kept, or rotated away so that the bound of their files holds.
func (o *soaker) wantRecords(t *testing.T, scraped map[string]float64) {
	t.Helper()
	kept := 0
	broken, err := record.Each(o.results, func(record.Record) error { kept++; return nil })
	noError(t, err)
	names, err := filepath.Glob(o.results + "*")
	noError(t, err)
	size := int64(0)
	for _, name := range names {
		info, err := os.Stat(name)
		noError(t, err)
		size += info.Size()
	}
	told, dropped := o.tally.results+o.tally.turnsDone, scraped[`exobench_dropped_total{what="records"}`]
	if broken != 0 || dropped != 0 || size > 1<<20 || kept > told || kept < told && size < 1<<19 {
		t.Errorf("of %d records %d are kept in %d bytes, %d broken, %v dropped", told, kept, size, broken, dropped)
	}
}
