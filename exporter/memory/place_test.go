package memory

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"testing"
)

func TestPlace(t *testing.T) {
	l := locator{
		lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			switch host {
			case "thisbox.local":
				return addresses("192.168.1.7"), nil
			case "host.docker.internal":
				return addresses("172.17.0.1"), nil
			case "host.orb.internal":
				return addresses("198.51.100.1"), nil
			case "studio.local":
				return addresses("192.168.1.9", "fd00::9"), nil
			}
			return nil, errors.New("no such host")
		},
		own:  func() []netip.Addr { return addresses("127.0.0.1", "192.168.1.7", "fe80::7") },
		host: func() []netip.Addr { return addresses("127.0.0.1", "192.168.1.20", "172.17.0.1", "fd00::20") },
	}
	for host, want := range map[string]place{
		"localhost":            here,
		"LOCALHOST.":           here,
		"exo.localhost":        here,
		"127.0.0.53":           here,
		"::1":                  here,
		"0.0.0.0":              here,
		"::ffff:192.168.1.7":   here,
		"192.168.1.7":          here,
		"fe80::7%eth0":         here,
		"thisbox.local":        here,
		"host.docker.internal": onHost,
		"172.17.0.1":           onHost,
		"192.168.1.20":         onHost,
		"fd00::20":             onHost,
		"host.orb.internal":    outside,
		"host.lima.internal":   outside,
		"192.168.1.8":          elsewhere,
		"studio.local":         elsewhere,
		"unknown":              elsewhere,
		"":                     elsewhere,
	} {
		got := l.locate(t.Context(), host)
		if unknown := host == "unknown" || host == ""; (got.err != nil) != unknown {
			t.Errorf("locate(%q): error %v", host, got.err)
		}
		if got.place != want || (want == here || want == onHost) && len(got.addrs) == 0 {
			t.Errorf("locate(%q) = %v, want %v", host, got, want)
		}
	}
	if got := newLocator().locate(t.Context(), "127.0.0.1"); got.place != here {
		t.Errorf("the real loopback is at %v", got)
	}
}

func addresses(all ...string) (addrs []netip.Addr) {
	for _, a := range all {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs
}

func TestPortOf(t *testing.T) {
	for raw, want := range map[string]uint16{
		"http://localhost:52415/v1": 52415, "http://exo": 80, "https://exo": 443, "http://[::1]:1": 1,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := portOf(u); got != want {
			t.Errorf("portOf(%s) = %d, want %d", raw, got, want)
		}
	}
}
