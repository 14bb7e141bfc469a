package memory

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"exo-bench-exporter/workload"
)

// rss returns VmRSS of a process in bytes, as the kernel writes it for people.
func rss(t testing.TB, pid int) uint64 {
	t.Helper()
	v := readFields(pidPath(int32(pid), "status"), "VmRSS:")[0].bytes
	if v == 0 {
		t.Fatalf("process %d has no VmRSS", pid)
	}
	return v
}

// near fails the test when got differs from want by more than 1 % and more than 1 MiB.
func near(t *testing.T, what string, got, want uint64) {
	t.Helper()
	diff := max(got, want) - min(got, want)
	if diff > max(want/100, mib) {
		t.Errorf("%s is %.1f MiB, want %.1f", what, float64(got)/mib, float64(want)/mib)
	}
}

func watch(t *testing.T, root *helper) *Sampler {
	t.Helper()
	return New(Config{PID: root.pid(), Interval: 1, Settle: 1})
}

func TestTurnOfRealProcesses(t *testing.T) {
	t.Parallel()
	root := newHelper(t, strings.Fields(exoArgv)...)
	root.spawn(t, trackerArgv)
	root.do(t, "alloc 20")
	s := watch(t, root)

	rec := s.Begin("llama-3.2-1b")
	rec.Mark(workload.PhaseLoading)
	before := s.sum(t)
	runner := root.spawn(t, runnerArgv)
	base := rss(t, runner)
	root.do(t, "child %d alloc 100", runner)
	rec.Mark(workload.PhaseMeasure)
	for range 5 {
		s.tick()
	}
	root.do(t, "child %d alloc 60", runner)
	s.tick()
	root.do(t, "child %d free", runner)
	for range 5 {
		s.tick()
	}
	root.do(t, "kill %d", runner)
	root.do(t, "alloc 7") // what exo does not give back
	rec.Mark(workload.PhaseReleased)
	m := rec.End(t.Context(), true)

	if m.Samples != 12 || !m.HasBefore || !m.HasAfter || m.Shared {
		t.Errorf("memory of the turn: %+v", m)
	}
	near(t, "before", m.Before, before)
	near(t, "median", m.Median, before+base+100*mib)
	near(t, "peak", m.Peak, before+base+160*mib)
	near(t, "delta", m.Peak-m.Before, base+160*mib)
	near(t, "unreleased", m.After-m.Before, 7*mib)
}

// sum returns the resident memory of the tree as the process table has it.
func (s *Sampler) sum(t *testing.T) uint64 {
	var sum uint64
	for _, pid := range s.tree.pids {
		sum += rss(t, int(pid))
	}
	return sum
}

func TestSpikeBetweenSamples(t *testing.T) {
	t.Parallel()
	root := newHelper(t, strings.Fields(exoArgv)...)
	runner := root.spawn(t, runnerArgv)
	root.do(t, "child %d spike 300", runner) // before the turn: none of its peak
	s := watch(t, root)

	rec := s.Begin("mistral-7b")
	rec.Mark(workload.PhaseLoading)
	rec.Mark(workload.PhaseMeasure)
	before := s.sum(t)
	s.tick()
	root.do(t, "child %d spike 200", runner)
	s.tick()
	m := rec.End(t.Context(), false)
	near(t, "peak", m.Peak, before+200*mib)
	near(t, "median", m.Median, before)
	if m.PeakSource != peakFromMarks {
		t.Errorf("peak comes from %q", m.PeakSource)
	}
	if m.HasBefore || m.HasAfter {
		t.Errorf("before and after of a model that was loaded already: %+v", m)
	}
}

func TestCurrentAgreesWithProcessTable(t *testing.T) {
	t.Parallel()
	root := newHelper(t, strings.Fields(exoArgv)...)
	tracker := root.spawn(t, trackerArgv)
	runners := []int{root.spawn(t, runnerArgv), root.spawn(t, runnerArgv)}
	root.do(t, "child %d alloc 33", runners[1])
	s := watch(t, root)
	if v := s.Look(); !v.Visible || v.PID != int32(root.pid()) || v.Processes != 4 {
		t.Fatalf("visibility: %v", v)
	}
	c, ok := s.Current()
	if !ok {
		t.Fatal("no current sample")
	}
	for role, pids := range map[Role][]int{RoleNode: {root.pid(), tracker}, RoleRunner: runners} {
		got := c.Roles[role]
		var want uint64
		for _, pid := range pids {
			want += psRSS(t, pid)
		}
		diff := max(got.RSS, want) - min(got.RSS, want)
		if got.Processes != len(pids) || diff > uint64(len(pids)*os.Getpagesize()) {
			t.Errorf("%s: %+v, want %d bytes in %d processes", role, got, want, len(pids))
		}
	}
}

func psRSS(t *testing.T, pid int) uint64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return rss(t, pid) // no ps here
	}
	kib, err := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib * 1024
}

func TestPSS(t *testing.T) {
	t.Parallel()
	root := newHelper(t, strings.Fields(exoArgv)...)
	root.do(t, "alloc 10")
	s := New(Config{PID: root.pid(), PSS: true})
	s.Look()
	c, _ := s.Current()
	if u := c.Roles[RoleNode]; u.PSS < 10*mib || u.PSS > u.RSS {
		t.Errorf("PSS of the node is %d, its RSS %d", u.PSS, u.RSS)
	}
	rec := s.Begin("m")
	rec.Mark(workload.PhaseMeasure)
	root.do(t, "alloc 20")
	rec.Mark(workload.PhaseReleasing)
	m := rec.End(t.Context(), false)
	if m.Proportional < 30*mib || m.Proportional > s.sum(t) {
		t.Errorf("PSS of the turn is %d, RSS %d", m.Proportional, s.sum(t))
	}
	swapped := readFields(pidPath(int32(root.pid()), "smaps_rollup"), "SwapPss:")[0].bytes
	if m.Footprint != m.Proportional+swapped || m.FootprintPeak != 0 || m.FootprintKind != workload.FootprintPSS {
		t.Errorf("footprint of the turn: %+v, with %d bytes swapped out", m, swapped)
	}
	if c, _ := s.Current(); c.By != "procfs" || c.Footprint != workload.FootprintPSS {
		t.Errorf("current: %+v", c)
	}
}

func TestReusedPIDOfRealProcess(t *testing.T) {
	t.Parallel()
	root := newHelper(t, strings.Fields(exoArgv)...)
	runner := root.spawn(t, runnerArgv)
	s := watch(t, root)
	s.Look()
	root.do(t, "nap 1100") // creation times are told in seconds
	root.do(t, "kill %d", runner)
	stranger := reusePID(t, runner)
	stranger.do(t, "alloc 50")
	s.tick()
	c, ok := s.Current()
	if !ok || c.Roles[RoleRunner].Processes != 0 {
		t.Errorf("a stranger with pid %d is taken for a runner: %+v", runner, c.Roles)
	}
}

// reusePID starts a process that gets the given pid, or skips the test.
func reusePID(t *testing.T, pid int) *helper {
	t.Helper()
	for range 20 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Skip("pids cannot be chosen here:", err)
		}
		h := newHelper(t, "stranger")
		if h.pid() == pid {
			return h
		}
	}
	t.Skip("the pid was always taken by somebody else")
	return nil
}

func TestProcessTable(t *testing.T) {
	s := newHostSource(quiet())
	table, err := s.Table(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	self := int32(os.Getpid())
	if !slices.ContainsFunc(table, func(p Process) bool { return p.PID == self && p.PPID == int32(os.Getppid()) }) {
		t.Error("this process is not in the table with its parent")
	}
	port := listenHere(t)
	found, err := listeners(t.Context(), here, port)
	if err != nil || len(found) != 1 || found[0].addr.String() != "127.0.0.1" || !slices.Equal(found[0].pids, []int32{self}) ||
		found[0].uid != os.Getuid() {
		t.Errorf("listeners of port %d are %+v (error %v), want %d", port, found, err, self)
	}
	if selfPID() != self {
		t.Errorf("this process takes itself for %d", selfPID())
	}
}

func TestPSAgreesWithHostSource(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/ps"); err != nil {
		t.Skip("no ps here:", err)
	}
	root := newHelper(t, strings.Fields(exoArgv)...)
	root.do(t, "alloc 10")
	pids := []int32{int32(root.pid()), 1 << 30}
	ctx := context.Background()
	ps, err := psSource{run: runPS}.Read(ctx, pids, Detail{})
	if err != nil {
		t.Fatal(err)
	}
	host, err := newHostSource(quiet()).Read(ctx, pids, Detail{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) != 1 || len(host) != 1 {
		t.Fatalf("ps sees %v, the process table %v", ps, host)
	}
	born := max(ps[0].Created, host[0].Created) - min(ps[0].Created, host[0].Created)
	if ps[0].RSS != host[0].RSS || born > 2000 {
		t.Errorf("ps says %+v, the process table %+v", ps[0], host[0])
	}
	commands, err := psSource{run: runPS}.Commands(ctx, pids)
	if err != nil || strings.Join(commands[pids[0]], " ") != exoArgv {
		t.Errorf("ps says %q was started as %q (error %v)", exoArgv, commands, err)
	}
	table, err := psSource{run: runPS}.Table(ctx, true)
	if err != nil || !slices.Contains(table, Process{PID: pids[0], PPID: int32(os.Getpid())}) {
		t.Errorf("ps does not list the helper (error %v)", err)
	}
}
