package memory

import (
	"context"
	"slices"

	"github.com/shirou/gopsutil/v3/net"
)

// listeners returns the processes that listen on a TCP port of this network namespace; pid 0
// stands for one that is out of sight.
func listeners(ctx context.Context, port uint16) ([]int32, error) {
	connections, err := net.ConnectionsWithoutUidsWithContext(ctx, "tcp")
	if err != nil || connections == nil {
		// Systems that read lsof know only the call that asks for owners as well.
		connections, err = net.ConnectionsWithContext(ctx, "tcp")
	}
	if err != nil {
		return nil, err
	}
	var pids []int32
	for _, c := range connections {
		if c.Status == "LISTEN" && c.Laddr.Port == uint32(port) && !slices.Contains(pids, c.Pid) {
			pids = append(pids, c.Pid)
		}
	}
	return pids, nil
}
