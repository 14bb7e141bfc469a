package memory

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

func logTo(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// TestKernelThatCannotBeTrusted has layouts be others than those that are known.
func TestKernelThatCannotBeTrusted(t *testing.T) {
	swap := func(a, b string) func(map[string]uint64) {
		return func(v map[string]uint64) { v[a], v[b] = v[b], v[a] }
	}
	for name, c := range map[string]struct {
		lie   func(map[string]uint64)
		doubt string
	}{
		"resident memory in pages":  {func(v map[string]uint64) { v["resident_size"] /= 16384 }, "resident memory rose from"},
		"another field":             {swap("resident_size", "diskio_bytesread"), "resident memory rose from"},
		"footprint in pages":        {func(v map[string]uint64) { v["phys_footprint"] /= 16384 }, "footprint rose from"},
		"footprint twice":           {func(v map[string]uint64) { v["phys_footprint"] *= 2 }, "footprint rose from"},
		"a footprint that stands":   {func(v map[string]uint64) { v["phys_footprint"] = 1 << 30 }, "footprint rose from"},
		"a peak below the present":  {func(v map[string]uint64) { v["lifetime_max_phys_footprint"] = 1 }, "never was more than 1"},
		"all by the same amount up": {func(v map[string]uint64) { v["resident_size"] += 1 << 30 }, "by ps"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			f := macExo()
			f.lie = c.lie
			s := watchMac(f, &log)
			v := s.Look()
			if !v.Visible || v.By != "ps" || !strings.Contains(v.Doubt, c.doubt) || !strings.Contains(v.String(), "read by ps: ") {
				t.Errorf("visibility: %+v, want it to doubt that %q", v, c.doubt)
			}
			rec := s.Begin("m")
			rec.Mark(workload.PhaseMeasure)
			if got := s.pause(); got != 2*time.Second {
				t.Errorf("a sample is taken every %v of a turn", got)
			}
			if m := rec.End(t.Context(), false); m.Median != 1105*mib || m.Footprint != 0 {
				t.Errorf("memory of the turn: %+v", m)
			}
			if c, _ := s.Current(); c.By != "ps" || c.Footprint != workload.FootprintNone {
				t.Errorf("current: %+v", c)
			}
			if strings.Count(log.String(), "ps is used, and no footprint is known") != 1 {
				t.Errorf("log: %s", &log)
			}
		})
	}
}

// aboutExo has the kernel be wrong of exo's runner alone.
func aboutExo(v map[string]uint64) {
	if v["resident_size"] == 900*mib {
		v["resident_size"] = 90 * mib
	}
}

// TestDisagreementAboutExo has the kernel be right of this process and wrong of exo's.
func TestDisagreementAboutExo(t *testing.T) {
	var log strings.Builder
	f := macExo()
	f.lie = aboutExo
	s := watchMac(f, &log)
	for range maxAttempts - 1 {
		if v := s.Look(); v.By != "rusage" {
			t.Errorf("given up too early: %v", v)
		}
	}
	if v := s.Look(); v.By != "ps" || !strings.Contains(v.Doubt, "process 60 has a resident memory of") {
		t.Errorf("visibility: %+v", v)
	}
	if c, _ := s.Current(); c.Roles[RoleRunner].RSS != 900*mib {
		t.Errorf("current: %+v", c)
	}
}

func TestBirthsOfWhichPSDiffers(t *testing.T) {
	u := func(created int64, rss uint64) []Usage { return []Usage{{PID: 1, Created: created, RSS: rss}} }
	for name, c := range map[string]struct {
		before, slow, after []Usage
		want                string
	}{
		"alike":                    {u(5_250, 100*mib), u(5_000, 100*mib), u(5_250, 100*mib), ""},
		"growing":                  {u(5_250, 100*mib), u(5_000, 150*mib), u(5_250, 190*mib), ""},
		"a little beyond":          {u(5_250, 100*mib), u(5_000, 113*mib), u(5_250, 100*mib), ""},
		"far beyond":               {u(5_250, 100*mib), u(5_000, 130*mib), u(5_250, 100*mib), "of 136314880 by ps"},
		"far below":                {u(5_250, 100*mib), u(5_000, 70*mib), u(5_250, 100*mib), "of 73400320 by ps"},
		"other birth":              {u(5_250, 100*mib), u(9_000, 100*mib), u(5_250, 100*mib), "was born at 5250 by the kernel"},
		"other process meanwhile":  {u(5_250, 100*mib), u(9_000, 100*mib), u(9_100, 100*mib), ""},
		"dead, or ps cannot see":   {u(5_250, 100*mib), u(5_000, 0), u(5_250, 100*mib), ""},
		"gone":                     {u(5_250, 100*mib), nil, u(5_250, 100*mib), ""},
		"not readable by the fast": {[]Usage{{PID: 1, Err: errors.New("no")}}, u(5_000, 1), u(5_250, 100*mib), ""},
	} {
		got := disagreement(c.before, c.slow, c.after)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestGivenUpInATurn has the kernel's word be doubted at the third sample of a turn: nothing of what it said before is told,
// and exo is not taken for another process because ps knows its birth to the second.
func TestGivenUpInATurn(t *testing.T) {
	var log strings.Builder
	f := macExo()
	f.lie = aboutExo
	s := watchMac(f, &log)
	rec := s.Begin("m")
	rec.Mark(workload.PhaseMeasure)
	if c, _ := s.Current(); c.By != "rusage" || c.Footprint != workload.FootprintPhysical {
		t.Errorf("given up too early: %+v", c)
	}
	s.tick()
	if v, _ := s.Visibility(); v.By != "ps" {
		t.Fatalf("visibility: %+v", v)
	}
	s.tick()
	s.tick()
	rec.Mark(workload.PhaseReleasing)
	rec.Mark(workload.PhaseReleased)
	s.settle = 0
	m := rec.End(t.Context(), true)
	if m.Footprint != 0 || m.FootprintPeak != 0 || m.FootprintKind != "" || m.Median != 1105*mib {
		t.Errorf("memory of the turn: %+v", m)
	}
	if !m.HasBefore || !m.HasAfter {
		t.Errorf("exo passes for one that was started again: %+v", m)
	}
}

// TestKernelWithoutTheFlavor has ps tell what the kernel does not.
func TestKernelWithoutTheFlavor(t *testing.T) {
	var log strings.Builder
	f := macExo()
	f.fails = syscall.EINVAL
	if v := watchMac(f, &log).Look(); v.By != "ps" || v.Processes != 3 || !strings.Contains(v.Doubt, "proc_pid_rusage: invalid argument") {
		t.Errorf("visibility: %+v", v)
	}
}

// TestPSThatIsLate has a busy machine not keep exo from being compared later, nor cost every sample its time.
func TestPSThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			late  int // how many runs of ps
			doubt string
			ran   int
		}{
			"twice":  {2, "", 4}, // then this process, then exo's
			"always": {100, "not compared with ps: run ps: context deadline exceeded", 3},
		} {
			var log strings.Builder
			f := macExo()
			f.hang = func(ctx context.Context) error {
				if f.psRan > c.late {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
			s := watchMac(f, &log)
			for range 8 {
				s.Look()
			}
			if v, _ := s.Visibility(); !v.Visible || v.By != "rusage" || v.Doubt != c.doubt || f.psRan != c.ran {
				t.Errorf("%s: %+v, ps ran %d times", name, v, f.psRan)
			}
		}
	})
}

func TestWithoutPSTheKernelIsBelieved(t *testing.T) {
	var log strings.Builder
	f := macExo()
	f.psErr = errors.New("operation not permitted")
	s := watchMac(f, &log)
	if v := s.Look(); v.By != "rusage" || !strings.Contains(v.Doubt, "not compared with ps: run ps: operation not permitted") {
		t.Errorf("visibility: %+v", v)
	}
	s.Look()
	if f.psRan != 1 || strings.Count(log.String(), "could not be compared") != 1 {
		t.Errorf("ps ran %d times; log: %s", f.psRan, &log)
	}
}
