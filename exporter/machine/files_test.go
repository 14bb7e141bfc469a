package machine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// tree writes files of one line below a new directory and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, line := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// testdata/proc/pressure is a copy of what a kernel 6.18 says.
func TestPressureOfAMachine(t *testing.T) {
	got := readPressure(filepath.Join("testdata", "proc"))
	for resource, want := range map[workload.Resource][2]time.Duration{
		workload.ResourceCPU:    {29_273_683_524 * time.Microsecond, -1},
		workload.ResourceMemory: {6_807_310 * time.Microsecond, 3_129_718 * time.Microsecond},
		workload.ResourceIO:     {1_578_918_437 * time.Microsecond, 251_827_601 * time.Microsecond},
	} {
		s := got[resource]
		if s.Waiting != want[0] || (s.Stalled == nil) != (want[1] < 0) || s.Stalled != nil && *s.Stalled != want[1] {
			t.Errorf("%s: %+v, want %v", resource, s, want)
		}
	}
}

func TestPressureThatIsNotTold(t *testing.T) {
	const line = "some avg10=0.00 avg60=0.00 avg300=0.00 total=7"
	for name, tt := range map[string]struct {
		files map[string]string
		want  int
	}{
		"an old kernel":                {map[string]string{"version": "4.19"}, 0},
		"without memory's":             {map[string]string{"pressure/cpu": line, "pressure/io": line}, 2},
		"before there was a full line": {map[string]string{"pressure/cpu": line}, 1},
		"something else":               {map[string]string{"pressure/cpu": "some=1", "pressure/io": "some avg10=x", "pressure/memory": ""}, 0},
	} {
		if got := readPressure(tree(t, tt.files)); len(got) != tt.want {
			t.Errorf("%s: %v, want %d", name, got, tt.want)
		}
	}
	if got := readPressure(filepath.Join(t.TempDir(), "none")); len(got) != 0 {
		t.Errorf("without /proc: %v", got)
	}
}

// cpuFiles are those of one CPU.
func cpuFiles(cpu string, files map[string]string) map[string]string {
	all := map[string]string{}
	for name, line := range files {
		all["devices/system/cpu/"+cpu+"/"+name] = line
	}
	return all
}

func merge(all ...map[string]string) map[string]string {
	sum := map[string]string{}
	for _, files := range all {
		for name, line := range files {
			sum[name] = line
		}
	}
	return sum
}

// thread is a CPU as Linux shows it on an Intel processor: two threads a core tell of the same core.
func thread(cpu, pkg, core, coreCount, packageCount string) map[string]string {
	return cpuFiles(cpu, map[string]string{
		"topology/physical_package_id": pkg, "topology/core_id": core,
		"thermal_throttle/core_throttle_count": coreCount, "thermal_throttle/package_throttle_count": packageCount,
	})
}

func TestThrottles(t *testing.T) {
	for name, tt := range map[string]struct {
		files      map[string]string
		core, pkgs int // -1 for not told
	}{
		"two processors of a core with two threads each": {
			merge(thread("cpu0", "0", "0", "5", "7"), thread("cpu1", "0", "0", "5", "7"),
				thread("cpu2", "1", "0", "1", "2"), thread("cpu3", "1", "0", "1", "2")),
			6, 9,
		},
		"two cores":           {merge(thread("cpu0", "0", "0", "5", "7"), thread("cpu1", "0", "1", "1", "7")), 6, 7},
		"one that is offline": {merge(thread("cpu0", "0", "0", "5", "7"), cpuFiles("cpu1", map[string]string{"online": "0"})), 5, 7},
		"no topology": {merge(cpuFiles("cpu0", map[string]string{"thermal_throttle/core_throttle_count": "1"}),
			cpuFiles("cpu10", map[string]string{"thermal_throttle/core_throttle_count": "2"})), 3, -1},
		"a virtual machine": {cpuFiles("cpu0", map[string]string{"topology/core_id": "0"}), -1, -1},
		"no number":         {thread("cpu0", "0", "0", "-1", "many"), -1, -1},
		"another directory": {cpuFiles("cpufreq", map[string]string{"thermal_throttle/core_throttle_count": "1"}), -1, -1},
	} {
		core, pkgs := readThrottles(cpus(tree(t, tt.files)))
		for what, got := range map[*uint64]int{core: tt.core, pkgs: tt.pkgs} {
			if (what == nil) != (got < 0) || what != nil && *what != uint64(got) {
				t.Errorf("%s: cores %v, packages %v, want %d, %d", name, show(core), show(pkgs), tt.core, tt.pkgs)
			}
		}
	}
}

func show[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func TestFrequencyLimit(t *testing.T) {
	limits := func(cpu, limit, most string) map[string]string {
		return cpuFiles(cpu, map[string]string{"cpufreq/scaling_max_freq": limit, "cpufreq/cpuinfo_max_freq": most})
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  float64 // 0 for not told
	}{
		"none":                         {limits("cpu0", "3600000", "3600000"), 1},
		"a hot core among others":      {merge(limits("cpu0", "3600000", "3600000"), limits("cpu1", "1800000", "3600000")), 0.5},
		"efficient cores of their own": {merge(limits("cpu0", "4800000", "4800000"), limits("cpu8", "3600000", "3600000")), 1},
		"without cpufreq":              {cpuFiles("cpu0", map[string]string{"online": "1"}), 0},
		"more than the most":           {limits("cpu0", "3700000", "3600000"), 0},
		"an unknown most":              {limits("cpu0", "3700000", "0"), 0},
		"an offline CPU":               {merge(limits("cpu0", "36", "36"), cpuFiles("cpu1", map[string]string{"online": "0"})), 1},
	} {
		got := readFrequencyLimit(cpus(tree(t, tt.files)))
		if (got == nil) != (tt.want == 0) || got != nil && *got != tt.want {
			t.Errorf("%s: %v, want %v", name, show(got), tt.want)
		}
	}
}

// What never changes is read once, and so is which CPUs there are; what does is read each time.
func TestWhatIsReadOnce(t *testing.T) {
	dir := tree(t, merge(
		thread("cpu0", "0", "0", "5", "7"), thread("cpu1", "0", "0", "5", "7"),
		cpuFiles("cpu0", map[string]string{"cpufreq/scaling_max_freq": "3000", "cpufreq/cpuinfo_max_freq": "4000"}),
		cpuFiles("cpu2", map[string]string{"topology/core_id": "1"}),
	))
	if got := cpus(dir); len(got) != 2 {
		t.Errorf("%d CPUs tell something: %+v", len(got), got)
	}
	src := files("testdata/proc", dir)
	src.Read(t.Context())
	for name, line := range merge(
		cpuFiles("cpu0", map[string]string{
			"topology/core_id": "9", "cpufreq/cpuinfo_max_freq": "3000",
			"cpufreq/scaling_max_freq": "2000", "thermal_throttle/core_throttle_count": "6",
		}),
	) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := src.Read(t.Context())
	if *r.FrequencyLimit != 0.5 || *r.CoreThrottles != 6 || *r.PackageThrottles != 7 || len(r.Pressure) != 3 {
		t.Errorf("limit %v, cores %d, packages %d, pressure %v", *r.FrequencyLimit, *r.CoreThrottles, *r.PackageThrottles, r.Pressure)
	}
}

func TestThermalLevel(t *testing.T) {
	for out, want := range map[string]int{
		"com.apple.system.thermalpressurelevel 0\n":                         0,
		"com.apple.system.thermalpressurelevel 4\n":                         4,
		"com.apple.system.thermalpressurelevel 5\n":                         -1,
		"com.apple.system.thermalpressurelevel: Failed with code 1000000\n": -1,
		"com.apple.system.thermalpressurelevel\n":                           -1,
		"com.apple.system.thermalpressurelevel many\n":                      -1,
		"something.else 1\n":                                                -1,
		"":                                                                  -1,
	} {
		got, err := parseThermalLevel([]byte(out))
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q is %d, %v, want %d", out, got, err, want)
		}
	}
}

func TestMemoryLevel(t *testing.T) {
	for v, known := range map[uint32]bool{0: false, 1: true, 2: true, 3: false, 4: true, 8: false} {
		if got := memoryLevel(v); (got != nil) != known || got != nil && *got != int(v) {
			t.Errorf("%d is %v", v, show(got))
		}
	}
}
