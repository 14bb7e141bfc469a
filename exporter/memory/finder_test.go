package memory

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// api is where tests have exo's API.
var api = &url.URL{Scheme: "http", Host: "localhost:52415"}

// serving is a machine whose listening sockets are given.
type serving struct {
	Source
	sockets []listener
	err     error
}

func (s serving) listeners(context.Context, place, uint16) ([]listener, error) {
	return s.sockets, s.err
}

// socket is one that listens at an address and is held by the given processes.
func socket(addr string, pids ...int32) listener {
	return listener{addr: netip.MustParseAddr(addr), pids: pids, uid: 501}
}

func sockets(all ...listener) []listener { return all }

func TestFind(t *testing.T) {
	other := Simulated{PID: 80, PPID: 1, Created: epoch, RSS: mib, Command: []string{"python3", "-m", "exo"}}
	proxy := Simulated{PID: 90, PPID: 1, Created: epoch, RSS: mib, Command: []string{"/usr/bin/docker-proxy"}}
	worker := Simulated{PID: 62, PPID: 51, Created: epoch.Add(time.Hour), RSS: mib, Command: []string{"exo", "worker"}}
	systemd := Simulated{PID: 3, PPID: 1, Created: epoch, RSS: mib, Command: []string{"/usr/lib/systemd/systemd"}}
	served := Simulated{PID: 91, PPID: 3, Created: epoch, RSS: mib, Command: []string{"llama-server"}}
	for name, c := range map[string]struct {
		change  func(*finder)
		add     []Simulated
		sockets []listener
		err     error // of asking for them
		at      site  // localhost of this machine when not given
		want    int32
		how     string // of what was found, or part of the reason
	}{
		"configured": {
			change: func(f *finder) { f.pid = 70 }, sockets: sockets(socket("::", 51)), want: 70, how: "EXOBENCH_EXO_PID",
		},
		"configured, not there": {
			change: func(f *finder) { f.pid = 4711 }, sockets: sockets(socket("::", 51)), how: "no process 4711 (EXOBENCH_EXO_PID)",
		},
		"configured, itself": {change: func(f *finder) { f.pid, f.self = 70, 70 }, how: "is the exporter itself"},
		"configured, API elsewhere": {
			change: func(f *finder) { f.pid = 70 }, at: site{place: elsewhere, addrs: loopback}, want: 70, how: "EXOBENCH_EXO_PID",
		},
		"listener":                    {sockets: sockets(socket("0.0.0.0", 51)), want: 51, how: "listener of port 52415"},
		"listener of any name":        {sockets: sockets(socket("127.0.0.1", 70)), want: 70, how: "listener of port 52415"},
		"listener beside another exo": {add: []Simulated{other}, sockets: sockets(socket("::", 51)), want: 51, how: "listener"},
		"another exo listens":         {add: []Simulated{other}, sockets: sockets(socket("::", 80)), want: 80, how: "listener"},
		"listener below exo":          {add: []Simulated{worker}, sockets: sockets(socket("::", 62)), want: 51, how: "listener"},
		"children inherited it": {
			add: []Simulated{worker}, sockets: sockets(socket("::", 61, 60, 51, 62)), want: 51, how: "listener",
		},
		"workers with sockets each": {sockets: sockets(socket("::", 51), socket("::", 60)), want: 51, how: "listener"},
		"socket given by systemd": {
			add: []Simulated{systemd, served}, sockets: sockets(socket("::", 3, 91)), want: 91, how: "listener",
		},
		"both address families":    {sockets: sockets(socket("127.0.0.1", 51), socket("::1", 51)), want: 51, how: "listener"},
		"the address itself comes": {sockets: sockets(socket("0.0.0.0", 70), socket("127.0.0.1", 51)), want: 51, how: "listener"},
		"another address":          {sockets: sockets(socket("192.0.2.9", 51)), how: "nothing that can be seen listens on port 52415"},
		"by one of its addresses": {
			sockets: sockets(socket("192.0.2.9", 51), socket("0.0.0.0", 70)), at: site{place: here, addrs: addresses("192.0.2.9")},
			want: 51, how: "listener",
		},
		"from a container": {sockets: sockets(socket("::", 51)), at: site{place: onHost, addrs: loopback}, want: 51, how: "listener"},
		"nothing listens":  {how: "nothing that can be seen listens on port 52415 (localhost:52415)"},
		"two programs": {
			sockets: sockets(socket("127.0.0.1", 70), socket("::1", 51)), how: "2 processes listen on port 52415 (pids 51,70)",
		},
		"out of sight": {
			sockets: sockets(socket("::")), how: "port 52415 is served by a process of user 501, which cannot be inspected",
		},
		"out of sight, user unknown": {
			sockets: sockets(listener{addr: netip.IPv6Unspecified(), uid: noUser}), how: "cannot be inspected by this user",
		},
		"not in the table":        {sockets: sockets(socket("::", 4711)), how: "served by a process of user 501"},
		"one of two out of sight": {sockets: sockets(socket("127.0.0.1", 51), socket("::1")), how: "served by a process of user 501"},
		"forwarder": {
			add: []Simulated{proxy}, sockets: sockets(socket("::", 90)), how: "docker-proxy (pid 90) listens on port 52415 and only passes on",
		},
		"the exporter itself": {
			change: func(f *finder) { f.self = 70 }, sockets: sockets(socket("::", 70)), how: "the exporter itself listens",
		},
		"below the exporter": {
			change: func(f *finder) { f.self = 51 }, sockets: sockets(socket("::", 60)), want: 60, how: "listener",
		},
		"listeners cannot be asked": {err: errors.New("no lsof"), how: "who listens on port 52415 cannot be found out: no lsof"},
		"API elsewhere": {
			at: site{place: elsewhere, addrs: loopback}, sockets: sockets(socket("::", 51)), how: "on another machine (localhost)",
		},
		"API outside of the container": {
			at: site{place: outside, addrs: loopback}, sockets: sockets(socket("::", 51)), how: "outside of this container",
		},
		"API of a name that is not known": {
			at: site{place: elsewhere, err: errors.New("no such host")}, sockets: sockets(socket("::", 51)),
			how: "where exo's API is cannot be found out: no such host",
		},
		"API not known": {
			change: func(f *finder) { f.api = nil }, sockets: sockets(socket("::", 51)), how: "not known where exo's API is",
		},
	} {
		t.Run(name, func(t *testing.T) {
			procs := append(exo1(), c.add...)
			if c.at.addrs == nil && c.at.err == nil {
				c.at = site{place: here, addrs: loopback}
			}
			f := &finder{
				src: serving{SimulatedSource(func() []Simulated { return procs }), c.sockets, c.err},
				api: api, locate: func(context.Context, string) site { return c.at },
			}
			if c.change != nil {
				c.change(f)
			}
			table, _ := f.src.Table(t.Context(), true)
			pid, how, err := f.find(t.Context(), table)
			if err != nil {
				var missing *notFound
				if !errors.As(err, &missing) || missing.fix == "" {
					t.Fatalf("error without advice: %v", err)
				}
				how = missing.reason
			}
			if pid != c.want || !strings.Contains(how, c.how) {
				t.Errorf("found %d by %q, want %d by %q", pid, how, c.want, c.how)
			}
		})
	}
}

func TestExoThatNoLongerListensIsNotWatched(t *testing.T) {
	procs := exo1()
	s := simulated(&procs)
	if v := s.Look(); !v.Visible {
		t.Fatalf("visibility: %v", v)
	}
	for i := range procs {
		procs[i].Listens = false
	}
	if v := s.Look(); v.Visible || !strings.Contains(v.String(), "nothing that can be seen listens on port 52415") {
		t.Errorf("visibility: %v", v)
	}
	if c, ok := s.Current(); ok {
		t.Errorf("nothing listens, but the current sample is %+v", c)
	}
}
