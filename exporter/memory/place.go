package memory

import (
	"context"
	"fmt"
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
	err   error        // why place is not known, which then is elsewhere
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

// locate returns where a host is.
func (l locator) locate(ctx context.Context, name string) site {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return site{place: here, addrs: loopback}
	}
	addrs, err := l.resolve(ctx, name)
	switch {
	case slices.ContainsFunc(addrs, netip.Addr.IsUnspecified):
		return site{place: here, addrs: loopback} // where connections to no address go
	case slices.ContainsFunc(addrs, netip.Addr.IsLoopback) || common(addrs, l.own()):
		return site{place: here, addrs: addrs}
	case common(addrs, l.host()):
		return site{place: onHost, addrs: addrs}
	case slices.Contains(hostAliases, name):
		return site{place: outside}
	}
	return site{place: elsewhere, err: err}
}

// Local reports whether u leads to the machine that this process runs on, or to that of its container where the
// container can see it. The error says that u's name could not be looked up.
func Local(ctx context.Context, u *url.URL) (bool, error) {
	at := newLocator().locate(ctx, u.Hostname())
	return at.place == here || at.place == onHost, at.err
}

// locateHere takes every host for the machine whose processes are read.
func locateHere(context.Context, string) site { return site{place: here, addrs: loopback} }

// resolve returns the addresses of a host in the form in which they compare.
func (l locator) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	addr, err := netip.ParseAddr(name)
	addrs := []netip.Addr{addr}
	if err != nil {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if addrs, err = l.lookup(ctx, name); err != nil {
			return nil, fmt.Errorf("look up %q: %w", name, err)
		}
	}
	plain := make([]netip.Addr, 0, len(addrs))
	for _, addr := range addrs {
		plain = append(plain, addr.Unmap().WithZone(""))
	}
	return plain, nil
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
