package memory

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"testing"
)

func TestPlace(t *testing.T) {
	l := locator{
		lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			switch host {
			case "thisbox.local":
				return []netip.Addr{netip.MustParseAddr("192.168.1.7")}, nil
			case "studio.local":
				return []netip.Addr{netip.MustParseAddr("192.168.1.9"), netip.MustParseAddr("fd00::9")}, nil
			}
			return nil, errors.New("no such host")
		},
		addresses: func() ([]net.Addr, error) {
			return []net.Addr{
				&net.IPNet{IP: net.IPv4(127, 0, 0, 1), Mask: net.CIDRMask(8, 32)},
				&net.IPNet{IP: net.IPv4(192, 168, 1, 7), Mask: net.CIDRMask(24, 32)},
				&net.IPNet{IP: net.ParseIP("fe80::7"), Mask: net.CIDRMask(64, 128)},
			}, nil
		},
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
		"host.docker.internal": beside,
		"192.168.1.8":          elsewhere,
		"studio.local":         elsewhere,
		"unknown":              elsewhere,
		"":                     elsewhere,
	} {
		if got := l.place(t.Context(), host); got != want {
			t.Errorf("place(%q) = %v, want %v", host, got, want)
		}
	}
	if got := newLocator().place(t.Context(), "127.0.0.1"); got != here {
		t.Errorf("the real loopback is at %v", got)
	}
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
