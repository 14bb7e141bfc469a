package memory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// lsof finds out who listens by running lsof, which sees this user's sockets, or as root all.
type lsof struct {
	run func(ctx context.Context, args ...string) ([]byte, error)
}

// listeners returns the sockets that listen on a TCP port and that can be seen.
func (l lsof) listeners(ctx context.Context, port uint16) ([]listener, error) {
	out, err := l.run(ctx, "-nPw", "-a", fmt.Sprintf("-iTCP:%d", port), "-sTCP:LISTEN", "-Fpun")
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // it fails where it finds nothing
		return nil, fmt.Errorf("run lsof: %w", err)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("run lsof: %w", ctx.Err())
	}
	return parseLsof(out, port), nil
}

// parseLsof reads lsof's output for programs: a line for each field, its first byte saying which.
// Those of a process (p, its number; u, its user) hold for the sockets (n, the name) below it.
func parseLsof(out []byte, port uint16) []listener {
	var found []listener
	pid, uid := int64(0), noUser
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		field, value := s.Text(), ""
		if field != "" {
			field, value = field[:1], field[1:]
		}
		switch field {
		case "p":
			pid, _ = strconv.ParseInt(value, 10, 32)
			uid = noUser
		case "u":
			if n, err := strconv.Atoi(value); err == nil {
				uid = n
			}
		case "n":
			addr, ok := lsofAddress(value, port)
			if !ok || pid <= 0 {
				continue
			}
			i := slices.IndexFunc(found, func(l listener) bool { return l.addr == addr })
			if i < 0 {
				i = len(found)
				found = append(found, listener{addr: addr, uid: uid})
			}
			if !slices.Contains(found[i].pids, int32(pid)) {
				found[i].pids = append(found[i].pids, int32(pid))
			}
		}
	}
	return found
}

// lsofAddress returns the address in a socket's name: 127.0.0.1:80, [::1]:80, or *:80 for all.
func lsofAddress(name string, port uint16) (netip.Addr, bool) {
	host, ok := strings.CutSuffix(name, ":"+strconv.Itoa(int(port)))
	if !ok {
		return netip.Addr{}, false
	}
	if host == "*" {
		return netip.IPv6Unspecified(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return addr.Unmap().WithZone(""), err == nil
}
