package memory

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
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

// TestDisagreementAboutExo has the kernel be right of this process and wrong of exo's.
func TestDisagreementAboutExo(t *testing.T) {
	var log strings.Builder
	f := macExo()
	f.lie = func(v map[string]uint64) {
		if v["resident_size"] == 900*mib {
			v["resident_size"] = 90 * mib
		}
	}
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
