package memory

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/procfs"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = 0x0A

// listeners returns the sockets that listen on a TCP port of a network namespace that can be seen.
func listeners(_ context.Context, at place, port uint16) ([]listener, error) {
	if at == onHost {
		return listenersIn(procPath("1"), procPath(), port)
	}
	return listenersIn("/proc/self", procPath(), port)
}

// listenersIn returns the sockets that listen on a port in the network namespace of the process
// whose directory is given, and who of the processes below proc holds them.
func listenersIn(process, proc string, port uint16) ([]listener, error) {
	fs, err := procfs.NewFS(process)
	if err != nil {
		return nil, err
	}
	sockets, err := fs.NetTCP() //nolint:staticcheck // netlink, which it advises, asks this process's own namespace alone
	if err != nil {
		return nil, err
	}
	if six, err := fs.NetTCP6(); err == nil { //nolint:staticcheck // likewise; absent where IPv6 is off
		sockets = append(sockets, six...)
	}
	var found []listener
	at := make(map[string]int) // what links of file descriptors say, to index
	for _, s := range sockets {
		addr, ok := netip.AddrFromSlice(s.LocalAddr)
		if !ok || s.St != tcpListen || s.LocalPort != uint64(port) {
			continue
		}
		at[fmt.Sprintf("socket:[%d]", s.Inode)] = len(found)
		found = append(found, listener{addr: addr.Unmap(), uid: int(s.UID)})
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found, owners(proc, found, at)
}

// owners adds the processes below proc that hold one of the sockets.
func owners(proc string, sockets []listener, at map[string]int) error {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return err
	}
	all, err := fs.AllProcs()
	if err != nil {
		return err
	}
	for _, p := range all {
		targets, err := p.FileDescriptorTargets()
		if err != nil {
			continue // gone, or another user's
		}
		held := make(map[int]bool)
		for _, target := range targets {
			if i, ok := at[target]; ok && !held[i] {
				held[i] = true
				sockets[i].pids = append(sockets[i].pids, int32(p.PID))
			}
		}
	}
	return nil
}

// hostAddresses returns the addresses of the network namespace of process 1, which is the
// machine's own where its processes can be seen.
func hostAddresses() []netip.Addr {
	return append(addresses4(procPath("1", "net", "fib_trie")), addresses6(procPath("1", "net", "if_inet6"))...)
}

// addresses4 returns the addresses that a routing table calls local to the machine:
//
//	|-- 192.0.2.2
//	   /32 host LOCAL
func addresses4(path string) (addrs []netip.Addr) {
	var last string
	lines(path, func(line string) {
		line = strings.TrimSpace(line)
		if leaf, ok := strings.CutPrefix(line, "|-- "); ok {
			last = leaf
		} else if line == "/32 host LOCAL" {
			if addr, err := netip.ParseAddr(last); err == nil {
				addrs = append(addrs, addr)
			}
		}
	})
	return addrs
}

// addresses6 returns the addresses in a list of IPv6 interfaces, which begin its lines.
func addresses6(path string) (addrs []netip.Addr) {
	lines(path, func(line string) {
		digits, _, _ := strings.Cut(line, " ")
		if raw, err := hex.DecodeString(digits); err == nil {
			if addr, ok := netip.AddrFromSlice(raw); ok {
				addrs = append(addrs, addr)
			}
		}
	})
	return addrs
}

// lines calls f with every line of a file, and not at all when it cannot be read.
func lines(path string, f func(string)) {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		f(s.Text())
	}
}
