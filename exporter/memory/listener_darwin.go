package memory

import (
	"context"
	"net/netip"
	"os/exec"

	"exo-bench-exporter/exporter/program"
)

func runLsof(ctx context.Context, args ...string) ([]byte, error) {
	return program.Output(exec.CommandContext(ctx, "/usr/sbin/lsof", args...))
}

// hostAddresses returns none: there are no network namespaces here.
func hostAddresses() []netip.Addr { return nil }
