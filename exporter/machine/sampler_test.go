package machine

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a machine whose tasks wait for their memory for a quarter of the time, and are all stalled for a tenth of it.
// Every ten seconds a core is throttled. Its levels are those of the second in which it is read.
type fake struct {
	begin  time.Time
	levels []int
}

func (f *fake) Read(context.Context) Reading {
	up := time.Since(f.begin)
	level := f.levels[min(int(up.Seconds()), len(f.levels)-1)]
	stalled, throttles, limit := up/10, uint64(100+up/(10*time.Second)), 1-float64(level)/10
	return Reading{
		Pressure:      map[workload.Resource]Stalls{workload.ResourceMemory: {Waiting: up / 4, Stalled: &stalled}},
		CoreThrottles: &throttles, ThermalPressure: &level, MemoryPressure: &level, FrequencyLimit: &limit,
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		levels := make([]int, 60)
		levels[3], levels[25], levels[50] = 4, 2, 3 // before, meanwhile, after
		s := New(Config{Source: &fake{time.Now(), levels}})
		go s.Run(ctx)
		time.Sleep(11 * time.Second)
		end := s.Watch()
		time.Sleep(30 * time.Second)
		got := end()
		p := got.Pressure[workload.ResourceMemory]
		if !near(p.Waiting, 0.25) || p.Stalled == nil || !near(*p.Stalled, 0.1) || len(got.Pressure) != 1 {
			t.Errorf("pressure %+v", got.Pressure)
		}
		if got.Seconds != 30 || *got.CoreThrottles != 3 || got.PackageThrottles != nil {
			t.Errorf("%+v", got)
		}
		if *got.ThermalPressure != 2 || *got.MemoryPressure != 2 || !near(*got.FrequencyLimit, 0.8) {
			t.Errorf("thermal %d, memory %d, limit %v", *got.ThermalPressure, *got.MemoryPressure, *got.FrequencyLimit)
		}
		time.Sleep(time.Minute)
		if again := end(); !reflect.DeepEqual(again, got) {
			t.Errorf("at a second end %+v", again)
		}
		// A watch that is not ended does not hold up the next one.
		s.Watch()
		end = s.Watch()
		time.Sleep(time.Second)
		if got := end(); got.Seconds != 1 {
			t.Errorf("the second of two watches took %v", got.Seconds)
		}
	})
}

// A turn is watched without Run, too; what is not told is not there, and what cannot be true neither.
func TestWatchOfLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := func(n int) *time.Duration { d := time.Duration(n); return &d }
		count := func(n uint64) *uint64 { return &n }
		for name, tt := range map[string]struct {
			first, last Reading
			want        workload.Conditions
		}{
			"nothing": {},
			"a counter that went back": {
				Reading{CoreThrottles: count(5), PackageThrottles: count(5)},
				Reading{CoreThrottles: count(4), PackageThrottles: count(6)},
				workload.Conditions{Seconds: 1, PackageThrottles: count(1)},
			},
			"one that came": {Reading{}, Reading{CoreThrottles: count(4)}, workload.Conditions{Seconds: 1}},
			"pressure that went back": {
				Reading{Pressure: map[workload.Resource]Stalls{
					workload.ResourceCPU: {Waiting: 10}, workload.ResourceIO: {Waiting: 5, Stalled: ns(3)},
				}},
				Reading{Pressure: map[workload.Resource]Stalls{
					workload.ResourceCPU: {Waiting: 9}, workload.ResourceIO: {Waiting: 5, Stalled: ns(2)}, workload.ResourceMemory: {Waiting: 5},
				}},
				workload.Conditions{Seconds: 1, Pressure: map[workload.Resource]workload.Pressure{workload.ResourceIO: {}}},
			},
			"more than the whole time": {
				Reading{Pressure: map[workload.Resource]Stalls{workload.ResourceCPU: {}}},
				Reading{Pressure: map[workload.Resource]Stalls{workload.ResourceCPU: {Waiting: 2 * time.Second}}},
				workload.Conditions{Seconds: 1, Pressure: map[workload.Resource]workload.Pressure{workload.ResourceCPU: {Waiting: 1}}},
			},
		} {
			reading := tt.first
			s := New(Config{Source: SourceFunc(func(context.Context) Reading { return reading })})
			end := s.Watch()
			time.Sleep(time.Second)
			reading = tt.last
			if got := end(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %+v, want %+v", name, got, tt.want)
			}
		}
	})
}

func TestCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := New(Config{Source: &fake{time.Now(), []int{0, 1, 2, 3}}})
		if _, ok := s.Current(); ok {
			t.Error("there is a sample before the first")
		}
		go s.Run(ctx)
		time.Sleep(2*interval + time.Second)
		if r, ok := s.Current(); !ok || *r.CoreThrottles != 101 || *r.ThermalPressure != 3 {
			t.Errorf("%+v, %v", r, ok)
		}
		cancel()
		time.Sleep(4 * interval)
		if _, ok := s.Current(); ok {
			t.Error("sampling has stopped, and its last sample is shown as if it were of now")
		}
	})
}

// Of exo on another machine this one's conditions say nothing; whether it is there is asked again now and then.
func TestElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var here atomic.Bool
		var asked atomic.Int32
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		s := New(Config{
			Source: &fake{time.Now(), []int{1}},
			Here:   func(context.Context) (bool, error) { asked.Add(1); return here.Load(), nil },
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if said := s.Look(ctx); !strings.Contains(said, "another machine") || !strings.Contains(said, "memory agent") {
			t.Error(said)
		}
		go s.Run(ctx)
		end := s.Watch()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if _, ok := s.Current(); ok || end().Seconds != 0 || asked.Load() != 1 || strings.Count(log.String(), "another machine") != 1 {
			t.Errorf("shown %v, asked %d times, log %s", ok, asked.Load(), &log)
		}
		here.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, ok := s.Current(); !ok {
			t.Error("it is not found that exo is here now")
		}
		want := "this machine tells pressure on memory, thermal pressure, memory pressure, throttling, limit of the CPU's frequency"
		if said := s.Look(ctx); said != want {
			t.Error(said)
		}
		cancel()
		synctest.Wait()
	})
}

// A name that cannot be looked up says nothing of where exo is. It is not looked up while requests are measured, and neither
// the start nor the end of that waits until it is.
func TestNamesThatAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var asked atomic.Int32
		var log bytes.Buffer
		slow := func(ctx context.Context) (bool, error) {
			if asked.Add(1) == 2 {
				return true, nil
			}
			<-ctx.Done()
			return false, ctx.Err()
		}
		s := New(Config{Source: &fake{time.Now(), []int{1}}, Here: slow, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		begin := time.Now()
		if said := s.Look(ctx); said != "whether exo is on this machine cannot be found out: context deadline exceeded" {
			t.Error(said)
		}
		if time.Since(begin) != whereTimeout {
			t.Errorf("it took %v to find nothing out", time.Since(begin))
		}
		go s.Run(ctx)
		synctest.Wait()
		if _, ok := s.Current(); !ok || asked.Load() != 2 {
			t.Errorf("exo is here, asked %d times", asked.Load())
		}
		measure := func(d time.Duration) workload.Conditions {
			begin := time.Now()
			end := s.Watch()
			time.Sleep(d)
			c := end()
			if took := time.Since(begin); took != d {
				t.Errorf("measuring for %v took %v", d, took)
			}
			return c
		}
		if c := measure(3 * whereFor); c.Seconds != (3*whereFor).Seconds() || asked.Load() != 2 {
			t.Errorf("asked %d times, %+v", asked.Load(), c)
		}
		time.Sleep(interval + time.Second) // a second into a look-up, which will fail
		if c := measure(time.Second); c.Seconds != 1 || asked.Load() != 3 {
			t.Errorf("asked %d times, %+v", asked.Load(), c)
		}
		if time.Sleep(interval); strings.Contains(log.String(), "another machine") {
			t.Errorf("log %s", &log)
		}
	})
}

// The end of a turn takes a sample of its own, whatever another one waits for.
func TestSampleThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		machine := &fake{time.Now(), []int{1}}
		var reads atomic.Int32
		s := New(Config{Source: SourceFunc(func(ctx context.Context) Reading {
			r := machine.Read(ctx)
			if reads.Add(1) == 3 { // Run's second
				<-ctx.Done()
			}
			return r
		})})
		go s.Run(ctx)
		time.Sleep(time.Second)
		end := s.Watch()
		time.Sleep(interval)
		begin := time.Now()
		c := end()
		if took := time.Since(begin); took != 0 || c.Seconds != interval.Seconds() {
			t.Errorf("the end took %v: %+v", took, c)
		}
		time.Sleep(interval)
		if again := end(); !reflect.DeepEqual(again, c) {
			t.Errorf("what was late came into the turn: %+v", again)
		}
	})
}

func TestReadingInWords(t *testing.T) {
	if got := (Reading{}).String(); got != "nothing of its conditions" {
		t.Error(got)
	}
}
