//go:build !linux && !darwin

package memory

import (
	"context"
	"net/netip"
	"slices"

	"github.com/shirou/gopsutil/v3/net"
)

// listeners returns the sockets that listen on a TCP port of this machine and that this user may see.
func listeners(ctx context.Context, _ place, port uint16) ([]listener, error) {
	connections, err := net.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	var found []listener
	for _, c := range connections {
		if c.Status != "LISTEN" || c.Laddr.Port != uint32(port) {
			continue
		}
		addr, err := netip.ParseAddr(c.Laddr.IP)
		if err != nil {
			addr = netip.IPv6Unspecified() // an asterisk
		}
		addr = addr.Unmap().WithZone("")
		i := slices.IndexFunc(found, func(l listener) bool { return l.addr == addr })
		if i < 0 {
			i = len(found)
			found = append(found, listener{addr: addr, uid: noUser})
		}
		if c.Pid > 0 && !slices.Contains(found[i].pids, c.Pid) {
			found[i].pids = append(found[i].pids, c.Pid)
		}
	}
	return found, nil
}

// hostAddresses returns none: there are no network namespaces here.
func hostAddresses() []netip.Addr { return nil }
