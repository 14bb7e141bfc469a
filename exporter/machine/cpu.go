package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// cpus returns the directories of the CPUs below sys (usually /sys).
func cpus(sys string) []string {
	dirs, err := filepath.Glob(filepath.Join(sys, "devices", "system", "cpu", "cpu[0-9]*"))
	if err != nil {
		return nil
	}
	return dirs
}

// readThrottles sums up how often cores and packages were slowed down for heat. Threads of a core tell of the same core,
// and its cores of the same package, each of which counts once. A sum is nil where no CPU tells, as on machines that are
// not Intel's, on virtual ones, and in containers from which Docker hides it.
//
// Source: Documentation/ABI/testing/sysfs-devices-system-cpu and drivers/thermal/intel/therm_throt.c of the kernel.
func readThrottles(dirs []string) (core, pkg *uint64) {
	type coreID struct{ pkg, core uint64 }
	cores, packages := map[coreID]uint64{}, map[uint64]uint64{}
	for i, dir := range dirs {
		id := coreID{core: uint64(i)} // where the topology is not told, every CPU is taken for a core of its own
		if p, ok := number(dir, "topology", "physical_package_id"); ok {
			id.pkg = p
		}
		if c, ok := number(dir, "topology", "core_id"); ok {
			id.core = c
		}
		if n, ok := number(dir, "thermal_throttle", "core_throttle_count"); ok {
			cores[id] = max(cores[id], n)
		}
		if n, ok := number(dir, "thermal_throttle", "package_throttle_count"); ok {
			packages[id.pkg] = max(packages[id.pkg], n)
		}
	}
	return sum(cores), sum(packages)
}

// readFrequencyLimit returns the lowest share of its own maximum at which a CPU may run at this moment; nil where no CPU
// tells.
//
// Source: Documentation/admin-guide/pm/cpufreq.rst of the kernel: scaling_max_freq is the limit that governors keep to,
// which heat, power and users lower, cpuinfo_max_freq what the hardware can; both in kHz.
func readFrequencyLimit(dirs []string) *float64 {
	var lowest *float64
	for _, dir := range dirs {
		limit, ok := number(dir, "cpufreq", "scaling_max_freq")
		most, told := number(dir, "cpufreq", "cpuinfo_max_freq")
		if !ok || !told || most == 0 || limit > most {
			continue
		}
		if share := float64(limit) / float64(most); lowest == nil || share < *lowest {
			lowest = &share
		}
	}
	return lowest
}

// number returns the number that a file of one line holds.
func number(path ...string) (uint64, bool) {
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(content)), 10, 64)
	return n, err == nil
}

// sum returns the sum of counts; nil when there are none.
func sum[K comparable](counts map[K]uint64) *uint64 {
	if len(counts) == 0 {
		return nil
	}
	var total uint64
	for _, n := range counts {
		total += n
	}
	return &total
}
