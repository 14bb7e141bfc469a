package memory

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// place says where exo's API is, seen from this process.
type place int

const (
	elsewhere place = iota // another machine
	beside                 // this machine, behind another network namespace
	here                   // this machine and network namespace
)

// hostAliases are the names by which containers reach the machine that they run on.
var hostAliases = []string{
	"host.docker.internal", "gateway.docker.internal", "host.containers.internal", "host.lima.internal", "host.orb.internal",
}

// locator finds out where a host is. Its functions are net's own outside of tests.
type locator struct {
	lookup    func(ctx context.Context, host string) ([]netip.Addr, error)
	addresses func() ([]net.Addr, error)
}

func newLocator() locator {
	return locator{
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		addresses: net.InterfaceAddrs,
	}
}

// place returns where host is; a host that cannot be resolved is elsewhere.
func (l locator) place(ctx context.Context, host string) place {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return here
	}
	if slices.Contains(hostAliases, host) {
		return beside
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if addrs, err = l.lookup(ctx, host); err != nil {
			return elsewhere
		}
	}
	if slices.ContainsFunc(addrs, l.isOwn) {
		return here
	}
	return elsewhere
}

func (l locator) isOwn(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true
	}
	own, err := l.addresses()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == addr
	})
}

// portOf returns the port of u, the scheme's own when u names none.
func portOf(u *url.URL) uint16 {
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		return uint16(port)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
