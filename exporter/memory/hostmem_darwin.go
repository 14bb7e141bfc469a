package memory

import (
	"context"
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"

	"exo-bench-exporter/exporter/program"
)

// readHostMemory returns the memory of this Mac. vm_stat is Apple's own reader of the kernel's
// counters, which without C only calls of the Mach kernel would tell.
func readHostMemory(ctx context.Context) (HostMemory, error) {
	total, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return HostMemory{}, fmt.Errorf("read hw.memsize: %w", err)
	}
	out, err := program.Output(exec.CommandContext(ctx, "/usr/bin/vm_stat"))
	if err != nil {
		return HostMemory{}, fmt.Errorf("run vm_stat: %w", err)
	}
	return parseVMStat(out, total)
}
