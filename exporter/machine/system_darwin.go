package machine

import (
	"context"
	"os/exec"

	"golang.org/x/sys/unix"

	"exo-bench-exporter/exporter/program"
)

// system returns the Source of this Mac. Nothing of it needs root. notifyutil is Apple's own reader of what powermetrics
// shows as "pressure level", which no sysctl tells.
func system() Source {
	return SourceFunc(func(ctx context.Context) (r Reading) {
		if v, err := unix.SysctlUint32("kern.memorystatus_vm_pressure_level"); err == nil {
			r.MemoryPressure = memoryLevel(v)
		}
		out, err := program.Output(exec.CommandContext(ctx, "/usr/bin/notifyutil", "-g", thermalNotice))
		if err != nil {
			return r
		}
		if level, err := parseThermalLevel(out); err == nil {
			r.ThermalPressure = &level
		}
		return r
	})
}
