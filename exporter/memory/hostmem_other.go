//go:build !darwin

package memory

import (
	"context"

	"github.com/shirou/gopsutil/v3/mem"
)

// readHostMemory returns the memory of this machine; on Linux Available is MemAvailable.
func readHostMemory(ctx context.Context) (HostMemory, error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return HostMemory{}, err
	}
	return HostMemory{Total: m.Total, Available: m.Available}, nil
}
