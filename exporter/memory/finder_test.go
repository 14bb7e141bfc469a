package memory

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFind(t *testing.T) {
	api, err := url.Parse("http://localhost:52415")
	if err != nil {
		t.Fatal(err)
	}
	written := epoch.Add(20 * time.Second)
	second := Simulated{PID: 80, PPID: 1, Created: epoch, RSS: mib, Command: []string{"python3", "-m", "exo"}}
	proxy := Simulated{PID: 90, PPID: 1, Created: epoch, RSS: mib, Command: []string{"/usr/bin/docker-proxy"}}
	worker := Simulated{PID: 62, PPID: 51, Created: epoch.Add(time.Hour), RSS: mib, Command: []string{"exo", "worker"}}
	for name, c := range map[string]struct {
		change    func(*finder)
		add       []Simulated
		pidFile   string
		listening []int32
		beside    bool // the API is on this machine, behind another network namespace
		away      bool // the API is on another machine
		want      int32
		how       string // of what was found, or part of the reason
	}{
		"configured":                     {change: func(f *finder) { f.pid = 70 }, pidFile: "51", want: 70, how: "EXOBENCH_EXO_PID"},
		"configured, not there":          {change: func(f *finder) { f.pid = 4711 }, pidFile: "51", how: "no process 4711 (EXOBENCH_EXO_PID)"},
		"configured, itself":             {change: func(f *finder) { f.pid, f.self = 70, 70 }, how: "is the exporter itself"},
		"configured, API elsewhere":      {change: func(f *finder) { f.pid = 70 }, away: true, want: 70, how: "EXOBENCH_EXO_PID"},
		"pid file":                       {pidFile: "51\n", want: 51, how: "pid file"},
		"pid file, beside":               {pidFile: "51\n", beside: true, want: 51, how: "pid file"},
		"pid file and the same listener": {pidFile: "51", listening: []int32{51}, want: 51, how: "pid file"},
		"pid file and a child listening": {pidFile: "51", listening: []int32{62}, add: []Simulated{worker}, want: 51, how: "pid file"},
		"pid file of another exo":        {pidFile: "80", add: []Simulated{second}, listening: []int32{51}, want: 51, how: "listener of port 52415"},
		"pid file, API behind a proxy":   {pidFile: "51", add: []Simulated{proxy}, listening: []int32{90}, want: 51, how: "pid file"},
		"pid file of a dead process":     {pidFile: "4711", want: 51, how: "command line"},
		"pid file, pid reused":           {pidFile: "70", want: 51, how: "command line"},
		"pid file, pid reused by an exo": {pidFile: "51", change: func(f *finder) { old(f.pidFiles[0], epoch) }, add: []Simulated{second}, how: "2 processes look like exo"},
		"pid file with rubbish":          {pidFile: "exo", want: 51, how: "command line"},
		"empty pid file":                 {pidFile: " ", want: 51, how: "command line"},
		"negative pid":                   {pidFile: "-1", want: 51, how: "command line"},
		"listener of any name":           {listening: []int32{70}, want: 70, how: "listener of port 52415"},
		"listener below uv":              {listening: []int32{51}, want: 51, how: "listener"},
		"listener below exo":             {listening: []int32{62}, add: []Simulated{worker}, want: 51, how: "listener"},
		"listener is a proxy":            {listening: []int32{90}, add: []Simulated{proxy}, want: 51, how: "command line"},
		"listener is the exporter":       {listening: []int32{70}, change: func(f *finder) { f.self = 70 }, want: 51, how: "command line"},
		"listener out of sight":          {listening: []int32{0, 4711}, want: 51, how: "command line"},
		"two listeners":                  {listening: []int32{70, 51}, want: 51, how: "listener"},
		"two strange listeners":          {listening: []int32{70, 1}, want: 51, how: "command line"},
		"listener in another namespace":  {beside: true, listening: []int32{70}, want: 51, how: "command line"},
		"command line":                   {want: 51, how: "command line"},
		"two exos":                       {add: []Simulated{second}, how: "2 processes look like exo (pids 51,80)"},
		"no exo":                         {change: func(f *finder) { f.self = 51 }, how: "none of the 8 visible processes"},
		"no exo, hidden listener":        {change: func(f *finder) { f.self = 51 }, listening: []int32{0}, how: "what listens on port 52415 may not be inspected"},
		"API elsewhere":                  {away: true, pidFile: "51", listening: []int32{51}, how: "on another machine (localhost)"},
	} {
		t.Run(name, func(t *testing.T) {
			procs := append(exo1(), c.add...)
			f := &finder{
				src: SimulatedSource(func() []Simulated { return procs }),
				api: api, pidFiles: []string{filepath.Join(t.TempDir(), "exo.pid")},
				locate:    func(context.Context, string) place { return here },
				listeners: func(context.Context, uint16) ([]int32, error) { return c.listening, nil },
			}
			switch {
			case c.beside:
				f.locate = func(context.Context, string) place { return beside }
			case c.away:
				f.locate = func(context.Context, string) place { return elsewhere }
			}
			if c.pidFile != "" {
				if err := os.WriteFile(f.pidFiles[0], []byte(c.pidFile), 0o600); err != nil {
					t.Fatal(err)
				}
				old(f.pidFiles[0], written)
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

// old sets when a file was written.
func old(path string, at time.Time) {
	if err := os.Chtimes(path, at, at); err != nil {
		panic(err)
	}
}

func TestFailingListenerLookupLeavesTheOtherWays(t *testing.T) {
	f := &finder{
		src: SimulatedSource(exo1), api: &url.URL{Scheme: "http", Host: "localhost:1"},
		locate:    func(context.Context, string) place { return here },
		listeners: func(context.Context, uint16) ([]int32, error) { return nil, errors.New("no lsof") },
	}
	table, _ := f.src.Table(t.Context(), true)
	if pid, how, err := f.find(t.Context(), table); pid != 51 || err != nil {
		t.Errorf("found %d by %q (error %v)", pid, how, err)
	}
}

func TestPIDFiles(t *testing.T) {
	t.Setenv("HOME", "/home/u")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	got := strings.Join(pidFiles(), " ")
	if want := "/cache/exo/exo.pid /home/u/.cache/exo/exo.pid /home/u/.exo/exo.pid"; got != want {
		t.Errorf("pid files are %s, want %s", got, want)
	}
}
