//go:build linux

package memory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeProc builds a procfs of exo with one runner below a new directory and has HOST_PROC name it.
func fakeProc(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOST_PROC", dir)
	write := func(path, content string) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"stat", "uptime"} { // the boot time is read once in the life of a process
		content, err := os.ReadFile("/proc/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(content))
	}
	write("meminfo", "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 600 kB\n")
	for _, p := range []struct{ pid, ppid, ticks, pages, hwm, pss, command string }{
		{"1", "0", "1", "100", "400", "300", "/sbin/init"},
		{"7001", "1", "5000", "2000", "9000", "7000", "/exo/.venv/bin/python\x00/exo/.venv/bin/exo\x00"},
		{"7010", "7001", "9000", "30000", "130000", "100000", "python\x00-c\x00from multiprocessing.spawn import spawn_main\x00"},
	} {
		rest := strings.Repeat("0 ", 17) + p.ticks + strings.Repeat(" 0", 30)
		write(p.pid+"/stat", p.pid+" (python) x) S "+p.ppid+" "+rest+"\n")
		write(p.pid+"/statm", "99999 "+p.pages+" 5 1 0 9 0\n")
		write(p.pid+"/status", "Name:\tpython\nVmHWM:\t  "+p.hwm+" kB\nVmRSS:\t 1 kB\n")
		write(p.pid+"/smaps_rollup", "0-1 ---p\nRss: 9 kB\nPss:   "+p.pss+" kB\nPss_Anon: 1 kB\nSwap: 8 kB\nSwapPss: 6 kB\n")
		write(p.pid+"/cmdline", p.command)
	}
	write("1/net/fib_trie", fibTrie)
	write("1/net/if_inet6", ifInet6)
	write("1/net/tcp", netTCP)
	write("1/net/tcp6", netTCP6)
	for path, target := range map[string]string{
		"7001/fd/0": "/dev/null", "7001/fd/12": "socket:[44182]", "7010/fd/3": "socket:[44183]", "1/fd/5": "pipe:[44182]",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHostProc(t *testing.T) {
	dir := fakeProc(t)
	page := uint64(os.Getpagesize())
	s := New(Config{PSS: true, APIURL: hostAPI})
	v := s.Look()
	if !v.Visible || v.PID != 7001 || v.Processes != 2 || v.How != "the listener of port 52415" {
		t.Fatalf("visibility: %+v", v)
	}
	c, _ := s.Current()
	if got, want := c.Roles[RoleNode], (RoleUsage{1, 2000 * page, 7000 * 1024}); got != want {
		t.Errorf("node: %+v, want %+v", got, want)
	}
	if got, want := c.Roles[RoleRunner], (RoleUsage{1, 30000 * page, 100000 * 1024}); got != want {
		t.Errorf("runner: %+v, want %+v", got, want)
	}
	if h, ok := s.Host(); !ok || h != (HostMemory{Total: 1000 * 1024, Available: 600 * 1024}) {
		t.Errorf("host: %+v %v", h, ok)
	}
	usages, err := s.src.Read(t.Context(), []int32{7010, 7999}, Detail{Peak: true})
	if err != nil || len(usages) != 1 || usages[0].Peak != 130000*1024 || usages[0].PSS != 0 {
		t.Errorf("usages: %+v (error %v)", usages, err)
	}
	s.resetPeaks([]int32{7010, 7999})
	if got, err := os.ReadFile(filepath.Join(dir, "7010/clear_refs")); err == nil {
		t.Errorf("clear_refs was made up: %q", got)
	}
}

// TestSwappedMemoryIsInTheFootprint has a process of which a part is swapped out and a part shared.
func TestSwappedMemoryIsInTheFootprint(t *testing.T) {
	const pss, swapped = 4_100_096 * 1024, 512_000 * 1024
	dir := fakeProc(t)
	rollup, err := os.ReadFile("testdata/smaps_rollup.txt")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(rollup), "Swap:") // as a kernel before 4.3 has it
	for text, want := range map[string]uint64{string(rollup): pss + swapped, before: 0} {
		if err := os.WriteFile(filepath.Join(dir, "7010/smaps_rollup"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		usages, err := newHostSource(quiet()).Read(t.Context(), []int32{7010}, Detail{PSS: true})
		if err != nil || len(usages) != 1 || usages[0].PSS != pss || usages[0].Footprint != want || usages[0].FootprintPeak != 0 {
			t.Errorf("usages: %+v (error %v), want a footprint of %d", usages, err, want)
		}
	}
}

func TestWithoutPSSOfEveryProcessThereIsNone(t *testing.T) {
	dir := fakeProc(t)
	if err := os.Remove(filepath.Join(dir, "7001/smaps_rollup")); err != nil {
		t.Fatal(err)
	}
	s := New(Config{PSS: true, APIURL: hostAPI})
	s.Look()
	if c, ok := s.Current(); !ok || c.Roles[RoleRunner].PSS != 0 || c.Roles[RoleRunner].RSS == 0 {
		t.Errorf("roles: %+v", c.Roles)
	}
}

func TestSelfInHostProc(t *testing.T) {
	dir := fakeProc(t)
	if got := selfPID(); got != 0 {
		t.Errorf("not in the table, but pid %d", got)
	}
	for target, want := range map[string]int32{"7010": 7010, "nonsense": 0} {
		link := filepath.Join(dir, "self")
		_ = os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if got := selfPID(); got != want {
			t.Errorf("self -> %s is pid %d", target, got)
		}
	}
}

func TestReadFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "status")
	for content, want := range map[string]uint64{
		"Name: x\nVmHWM:\t12 kB\n": 12288, "\nVmHWM:\n": 0, "\nVmHWM: x kB": 0, "\nVmHWMX: 1 kB\n": 0, "": 0,
		"\nVmHWM: 99999999999999999999 kB": 0, "Name: VmHWM: 1 kB\n": 0,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := readFields(path, "VmHWM:", "Absent:")
		if got[0] != (field{want, want > 0}) || got[1] != (field{}) {
			t.Errorf("%q reads %v, want %d", content, got, want)
		}
	}
}
