package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// cpu is a CPU that tells how fast it may run, with what of it never changes.
type cpu struct {
	dir  string
	core coreID
	most uint64 // the highest frequency that the hardware can, in kHz; 0 where it is not told
}

// coreID names a core within the machine.
type coreID struct{ pkg, core uint64 }

// cpus returns the CPUs below sys (usually /sys) that tell of throttling or of their frequency. One that is offline does not.
func cpus(sys string) []cpu {
	dirs, err := filepath.Glob(filepath.Join(sys, "devices", "system", "cpu", "cpu[0-9]*"))
	if err != nil {
		return nil
	}
	var all []cpu
	for i, dir := range dirs {
		if !exists(dir, "thermal_throttle") && !exists(dir, "cpufreq") {
			continue
		}
		c := cpu{dir: dir, core: coreID{core: uint64(i)}} // without a topology every CPU is taken for a core of its own
		if pkg, ok := number(dir, "topology", "physical_package_id"); ok {
			c.core.pkg = pkg
		}
		if core, ok := number(dir, "topology", "core_id"); ok {
			c.core.core = core
		}
		c.most, _ = number(dir, "cpufreq", "cpuinfo_max_freq")
		all = append(all, c)
	}
	return all
}

func exists(path ...string) bool {
	_, err := os.Stat(filepath.Join(path...))
	return err == nil
}

// readThrottles sums up how often cores and packages were slowed down for heat. Threads of a core tell of the same core,
// and its cores of the same package, each of which counts once. A sum is nil where no CPU tells, as on machines that are
// not Intel's, on virtual ones, and in containers from which Docker hides it.
//
// Source: Documentation/ABI/testing/sysfs-devices-system-cpu and drivers/thermal/intel/therm_throt.c of the kernel.
func readThrottles(all []cpu) (core, pkg *uint64) {
	cores, packages := map[coreID]uint64{}, map[uint64]uint64{}
	for _, c := range all {
		if n, ok := number(c.dir, "thermal_throttle", "core_throttle_count"); ok {
			cores[c.core] = max(cores[c.core], n)
		}
		if n, ok := number(c.dir, "thermal_throttle", "package_throttle_count"); ok {
			packages[c.core.pkg] = max(packages[c.core.pkg], n)
		}
	}
	return sum(cores), sum(packages)
}

// readFrequencyLimit returns the lowest share of its own maximum at which a CPU may run at this moment; nil where no CPU
// tells.
//
// Source: Documentation/admin-guide/pm/cpufreq.rst of the kernel: scaling_max_freq is the limit that governors keep to,
// which heat, power and users lower, cpuinfo_max_freq what the hardware can; both in kHz.
func readFrequencyLimit(all []cpu) *float64 {
	var lowest *float64
	for _, c := range all {
		limit, ok := number(c.dir, "cpufreq", "scaling_max_freq")
		if !ok || c.most == 0 || limit > c.most {
			continue
		}
		if share := float64(limit) / float64(c.most); lowest == nil || share < *lowest {
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
