package memory

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// macExo is exo with one runner, and the exporter, on a Mac.
func macExo() *fakeMac {
	at := func(s int) time.Time { return epoch.Add(time.Duration(s)*time.Second + 250*time.Millisecond) }
	const exo = "/Applications/EXO 2.app/Contents/Resources/exo/exo"
	return newFakeMac(
		fakeTask{pid: 51, ppid: 1, created: at(6), rss: 200 * mib, footprint: 150 * mib, most: 160 * mib, path: exo, argv: []string{exo}},
		fakeTask{
			pid: 53, ppid: 51, created: at(7), rss: 5 * mib, footprint: 3 * mib, most: 3 * mib, path: "/tmp/a b/macmon",
			argv: []string{"/tmp/a b/macmon", "pipe"},
		},
		fakeTask{
			pid: 60, ppid: 51, created: at(90), rss: 900 * mib, footprint: 4000 * mib, most: 4100 * mib, path: exo,
			argv: []string{exo, "--multiprocessing-fork", "tracker_fd=5"},
		},
		fakeTask{pid: 61, ppid: 51, created: at(91), dead: true, rss: 70 * mib, footprint: 70 * mib, path: exo, argv: []string{exo}},
		fakeTask{pid: self, ppid: 1, created: at(99), rss: 30 * mib, footprint: 20 * mib, most: 25 * mib, argv: []string{"exporter"}},
	)
}

// watchMac returns a Sampler of f's exo.
func watchMac(f *fakeMac, log *strings.Builder) *Sampler {
	s := New(Config{APIURL: api, Source: f.source(log), Logger: quiet()})
	s.hostMem = noHostMemory
	return s
}

func TestFootprintOfATurnOnAMac(t *testing.T) {
	var log strings.Builder
	f := macExo()
	runner := &f.tasks[2]
	s := watchMac(f, &log)
	rec := s.Begin("m")
	rec.Mark(workload.PhaseLoading)
	rec.Mark(workload.PhaseMeasure) // 4153 MiB
	runner.footprint, runner.most = 4400*mib, 4700*mib
	s.tick() // 4553 MiB, and between the two 4700 MiB of the runner beside 153
	runner.footprint = 4200 * mib
	s.tick() // 4353 MiB
	rec.Mark(workload.PhaseReleasing)
	m := rec.End(t.Context(), false)
	if m.Footprint != 4353*mib || m.FootprintPeak != 4853*mib || m.FootprintKind != workload.FootprintPhysical {
		t.Errorf("footprint of the turn: median %d MiB, peak %d MiB, %q", m.Footprint/mib, m.FootprintPeak/mib, m.FootprintKind)
	}
	if m.Median != 1105*mib || m.Peak != 1105*mib || m.Samples != 3 {
		t.Errorf("resident memory of the turn: %+v", m)
	}
	if c, ok := s.Current(); !ok || c.By != "rusage" || c.Roles[RoleRunner] != (RoleUsage{Processes: 1, RSS: 900 * mib}) ||
		c.Roles[RoleNode].Processes != 2 {
		t.Errorf("current: %+v", c)
	}
	if s.Begin("m"); s.pause() != 250*time.Millisecond {
		t.Errorf("a sample is taken every %v of a turn", s.pause())
	}
	if f.psRan != 2 || log.Len() > 0 {
		t.Errorf("ps ran %d times, want once for this process and once for exo's; log: %s", f.psRan, &log)
	}
}

// TestOlderPeakIsNoneOfTheTurn has processes whose footprint was higher before the turn than in it.
func TestOlderPeakIsNoneOfTheTurn(t *testing.T) {
	var log strings.Builder
	f := macExo()
	f.tasks[2].most = 9000 * mib
	s := watchMac(f, &log)
	rec := s.Begin("m")
	rec.Mark(workload.PhaseMeasure)
	f.tasks[2].footprint = 4050 * mib
	s.tick()
	if m := rec.End(t.Context(), false); m.FootprintPeak != (4050+153)*mib {
		t.Errorf("peak of the turn is %d MiB", m.FootprintPeak/mib)
	}
}

func TestAnotherUsersExoOnAMac(t *testing.T) {
	var log strings.Builder
	f := macExo()
	for i := range f.tasks[:4] {
		f.tasks[i].foreign = true
	}
	s := watchMac(f, &log)
	rec := s.Begin("m")
	rec.Mark(workload.PhaseMeasure)
	if got := s.pause(); got != 2*time.Second {
		t.Errorf("every reading runs ps, and there is one every %v", got)
	}
	s.tick()
	if m := rec.End(t.Context(), false); m.Median != 1105*mib || m.Footprint != 0 || m.FootprintPeak != 0 || m.FootprintKind != "" {
		t.Errorf("memory of the turn: %+v", m)
	}
	if v, _ := s.Visibility(); !v.Visible || v.Processes != 3 || v.By != "ps" || !strings.Contains(v.String(), "another user's") {
		t.Errorf("visibility: %+v", v)
	}
}

// TestOneForeignChildHidesTheFootprint has no sum that lacks a process pass for the whole.
func TestOneForeignChildHidesTheFootprint(t *testing.T) {
	var log strings.Builder
	f := macExo()
	s := watchMac(f, &log)
	rec := s.Begin("m")
	rec.Mark(workload.PhaseMeasure)
	f.tasks[1].foreign = true
	f.tasks[2].footprint = 4100 * mib
	s.tick()
	if m := rec.End(t.Context(), false); m.Footprint != 4153*mib || m.Samples != 2 || m.Median != 1105*mib {
		t.Errorf("memory of the turn: %+v", m)
	}
}

func TestTableOfAMac(t *testing.T) {
	f := macExo()
	m := newMacSource(f, f.ps(), f.lsof())
	table, err := m.Table(t.Context(), true)
	if err != nil || !slices.Contains(table, Process{PID: 60, PPID: 51}) || len(table) != 5 {
		t.Errorf("table %v (error %v)", table, err)
	}
	usages, err := m.Read(t.Context(), []int32{61, 60, 4711}, Detail{})
	if err != nil || len(usages) != 2 || usages[0].RSS != 0 || usages[1].Created != epoch.UnixMilli()+90_250 {
		t.Errorf("usages %+v (error %v)", usages, err)
	}
	commands, err := m.Commands(t.Context(), []int32{51, 53, 60})
	if err != nil || !isExo(commands[51]) || roleOf(commands[53]) != RoleNode || roleOf(commands[60]) != RoleRunner {
		t.Errorf("commands %q (error %v)", commands, err)
	}
	if f.psRan != 0 {
		t.Errorf("ps ran %d times", f.psRan)
	}
}

// TestCommandLineThatCannotBeRead has ps tell it, whoever's the process is.
func TestCommandLineThatCannotBeRead(t *testing.T) {
	f := macExo()
	f.tasks[2].garbled = true
	commands, err := newMacSource(f, f.ps(), f.lsof()).Commands(t.Context(), []int32{51, 60})
	if err != nil || len(commands) != 2 || roleOf(commands[60]) != RoleRunner || f.psRan != 1 {
		t.Errorf("commands %q (error %v), ps ran %d times", commands, err, f.psRan)
	}
}
