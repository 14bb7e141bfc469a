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
	outside                // the machine of this container, of which nothing can be seen
	here                   // this network namespace
	onHost                 // the network namespace of the first process that can be seen: the one of this container's machine
)

// site is exo's API on the network.
type site struct {
	place place
	addrs []netip.Addr // by which it is reached
}

// hostAliases are the names by which containers reach the machine that they run on.
var hostAliases = []string{
	"host.docker.internal", "gateway.docker.internal", "host.containers.internal", "host.lima.internal", "host.orb.internal",
}

var loopback = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

// locator finds out where a host is. Its functions are the system's own outside of tests.
type locator struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	own    func() []netip.Addr // addresses of this network namespace
	host   func() []netip.Addr // of the machine's, where it can be seen
}

func newLocator() locator {
	return locator{
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		own:  ownAddresses,
		host: hostAddresses,
	}
}

// locate returns where a host is; one that cannot be resolved is elsewhere.
func (l locator) locate(ctx context.Context, name string) site {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return site{here, loopback}
	}
	addrs := l.resolve(ctx, name)
	switch {
	case slices.ContainsFunc(addrs, netip.Addr.IsUnspecified):
		return site{here, loopback} // where connections to no address go
	case slices.ContainsFunc(addrs, netip.Addr.IsLoopback) || common(addrs, l.own()):
		return site{here, addrs}
	case common(addrs, l.host()):
		return site{onHost, addrs}
	case slices.Contains(hostAliases, name):
		return site{place: outside}
	}
	return site{place: elsewhere}
}

// Local reports whether u leads to the machine that this process runs on, or to that of its container where the
// container can see it. A name that cannot be resolved does not.
func Local(ctx context.Context, u *url.URL) bool {
	at := newLocator().locate(ctx, u.Hostname()).place
	return at == here || at == onHost
}

// locateHere takes every host for the machine whose processes are read.
func locateHere(context.Context, string) site { return site{here, loopback} }

// resolve returns the addresses of a host in the form in which they compare; none when it has none.
func (l locator) resolve(ctx context.Context, name string) []netip.Addr {
	addr, err := netip.ParseAddr(name)
	addrs := []netip.Addr{addr}
	if err != nil {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if addrs, err = l.lookup(ctx, name); err != nil {
			return nil
		}
	}
	plain := make([]netip.Addr, 0, len(addrs))
	for _, addr := range addrs {
		plain = append(plain, addr.Unmap().WithZone(""))
	}
	return plain
}

// common reports whether two lists have an address in common.
func common(a, b []netip.Addr) bool {
	return slices.ContainsFunc(a, func(addr netip.Addr) bool { return slices.Contains(b, addr) })
}

func ownAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addrs []netip.Addr
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			addrs = append(addrs, prefix.Addr().Unmap())
		}
	}
	return addrs
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
