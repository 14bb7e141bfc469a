package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/stall"
)

// reach says where a variable's value has to arrive.
type reach struct {
	value string
	file  string   // content of a file; value is then its path
	with  []string // variables that it needs beside it, names without prefix and values by turns
	want  any
	// bench and memory return what the parts are told in the modes in which the variable has a
	// meaning; every part must be told want, and must not be where the variable is not set.
	bench, memory func(wiring) []any
}

const webConfig = "basic_auth_users: {}"

// reaches has a row for every variable.
func reaches(authority []byte) map[string]reach {
	driver := []string{"MODE", "memory", "DRIVER_URL", "http://mac-1:9955"}
	client := func(read func(exo.Options) any) func(wiring) []any {
		return func(w wiring) []any { return []any{read(w.client)} }
	}
	watch := func(read func(memory.Config) any) func(wiring) []any {
		return func(w wiring) []any { return []any{read(w.memory)} }
	}
	serve := func(read func(serving) any) func(wiring) []any {
		return func(w wiring) []any { return []any{read(w.serve)} }
	}
	pid := watch(func(c memory.Config) any { return c.PID })
	sampling := watch(func(c memory.Config) any { return c.Interval })
	address := serve(func(s serving) any { return s.address })
	web := serve(func(s serving) any { return slices.Contains(strings.Split(s.webConfig, "/"), "WEB_CONFIG_FILE") })
	debug := func(w wiring) []any { return []any{w.log.Enabled(context.Background(), slog.LevelDebug)} }
	reload := func(w wiring) []any { return []any{w.serve.reload} }
	format := func(w wiring) []any { return []any{fmt.Sprintf("%T", w.log.Handler())} }
	key := client(func(o exo.Options) any { return o.APIKey })
	return map[string]reach{
		"MODE": {
			value: "memory", with: driver[2:], want: "http://mac-1:9955",
			memory: func(w wiring) []any { return []any{w.driver.URL} },
			bench:  func(w wiring) []any { return []any{w.driver.URL} },
		},
		"EXO_URL": {
			value: "http://node.test:52416", want: "http://node.test:52416",
			bench:  func(w wiring) []any { return []any{w.client.BaseURL, w.shown.Target, w.memory.APIURL.String()} },
			memory: watch(func(c memory.Config) any { return c.APIURL.String() }),
		},
		"DIALECT":      {value: "exo0", want: workload.DialectExo0, bench: client(func(o exo.Options) any { return o.Dialect })},
		"API_KEY":      {value: "k1", want: "k1", bench: key},
		"API_KEY_FILE": {file: "k2\n", want: "k2", bench: key},
		"EXO_CA_FILE": {file: string(authority), want: true, bench: client(func(o exo.Options) any {
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(authority)
			return roots.Equal(o.Roots)
		})},
		"ENDPOINT":        {value: "bench", want: exo.EndpointBench, bench: client(func(o exo.Options) any { return o.Endpoint })},
		"LISTEN_ADDRESS":  {value: "127.0.0.1:1", want: "127.0.0.1:1", bench: address, memory: address},
		"WEB_CONFIG_FILE": {file: webConfig, want: true, bench: web, memory: web},
		"CYCLE_INTERVAL": {
			value: "7m", want: 7 * time.Minute, bench: func(w wiring) []any { return []any{w.runner.Interval, w.shown.Interval} },
		},
		"MODELS": {
			value: "x=y,z=i=a", want: []workload.Model{{Name: "x", ExoID: "y"}, {Name: "z", ExoID: "i", Answers: "a"}},
			bench: func(w wiring) []any { return []any{w.runner.Models, w.shown.Models} },
		},
		"SUITE": {
			file: tinySuite, want: "tiny-1", bench: func(w wiring) []any { return []any{w.runner.Suite.Version, w.shown.Suite.Version} },
		},
		"CANARY": {value: "false", want: true, bench: func(w wiring) []any {
			return []any{w.canary == nil && w.runner.Canary == nil && len(w.client.Prompts) == len(w.runner.Suite.Texts())}
		}},
		"STATE_DIR": {value: "/state/there", want: "/state/there", bench: func(w wiring) []any {
			dir := filepath.Dir
			return []any{w.client.StateDir, dir(w.resume), dir(w.judging.Path), dir(w.record.Path), dir(w.answers)}
		}},
		"RESULTS": {
			value: "/results/there", want: "/results/there", bench: func(w wiring) []any { return []any{w.record.Path, w.judging.Records} },
		},
		"RESULTS_MEGABYTES":   {value: "3", want: int64(3 << 20), bench: func(w wiring) []any { return []any{w.record.MaxBytes} }},
		"FIRST_TOKEN_TIMEOUT": {value: "11s", want: 11 * time.Second, bench: client(func(o exo.Options) any { return o.Timeouts.FirstToken })},
		"IDLE_TIMEOUT":        {value: "12s", want: 12 * time.Second, bench: client(func(o exo.Options) any { return o.Timeouts.Idle })},
		"REQUEST_TIMEOUT":     {value: "13s", want: 13 * time.Second, bench: client(func(o exo.Options) any { return o.Timeouts.Request })},
		"LOAD_TIMEOUT":        {value: "14s", want: 14 * time.Second, bench: client(func(o exo.Options) any { return o.LoadTimeout })},
		"DOWNLOAD_TIMEOUT":    {value: "15s", want: 15 * time.Second, bench: client(func(o exo.Options) any { return o.DownloadTimeout })},
		"BUSY_TIMEOUT":        {value: "16s", want: 16 * time.Second, bench: client(func(o exo.Options) any { return o.BusyTimeout })},
		"RELOAD":              {value: "never", want: instance.ReloadNever, bench: client(func(o exo.Options) any { return o.Reload })},
		"KEEP_LOADED":         {value: "true", want: true, bench: client(func(o exo.Options) any { return o.KeepLoaded })},
		"ADD_MODELS":          {value: "true", want: true, bench: client(func(o exo.Options) any { return o.AddModels })},
		"MEMORY_BANDWIDTH":    {value: "273", want: 273e9, bench: client(func(o exo.Options) any { return o.MemoryBandwidth })},
		"MIN_NODES":           {value: "3", want: 3, bench: client(func(o exo.Options) any { return o.MinNodes })},
		"SHARDING":            {value: "Tensor", want: "Tensor", bench: client(func(o exo.Options) any { return o.Sharding })},
		"EXO_PID":             {value: "4711", want: 4711, bench: pid, memory: pid},
		"MEMORY_INTERVAL":     {value: "17ms", want: 17 * time.Millisecond, bench: sampling, memory: sampling},
		"DRIVER_URL": {
			value: "http://mac-2:9955", with: driver, want: "http://mac-2:9955", memory: func(w wiring) []any { return []any{w.driver.URL} },
		},
		"DRIVER_USER": {
			value: "u", with: []string{"DRIVER_PASSWORD", "p1"}, want: "u", memory: func(w wiring) []any { return []any{w.driver.User} },
		},
		"DRIVER_PASSWORD": {
			value: "p1", with: []string{"DRIVER_USER", "u"}, want: "p1", memory: func(w wiring) []any { return []any{w.driver.Password} },
		},
		"DRIVER_PASSWORD_FILE": {
			file: "p2\n", with: []string{"DRIVER_USER", "u"}, want: "p2", memory: func(w wiring) []any { return []any{w.driver.Password} },
		},
		"DRIVER_CA_FILE": {file: string(authority), want: true, memory: func(w wiring) []any {
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(authority)
			return []any{roots.Equal(w.driver.Transport.(*http.Transport).TLSClientConfig.RootCAs)}
		}},
		"WEB_ACCEPT": {value: "true", want: true, bench: func(w wiring) []any { return []any{w.serve.accept} }},
		"WEB_RELOAD": {value: "true", want: true, bench: reload, memory: reload},
		"ENV_FILE":   {file: "EXOBENCH_EXO_PID=4712", want: 4712, bench: pid, memory: pid},
		"LOG_LEVEL":  {value: "debug", want: true, bench: debug, memory: debug},
		"LOG_FORMAT": {value: "json", want: "*slog.JSONHandler", bench: format, memory: format},
	}
}

const tinySuite = `{version: tiny-1, temperature: 0, seed: 1, prompts: [
  {id: one, kind: chat, max_tokens: 8, messages: [{role: user, content: "Say something short, please."}]}]}`

// certificate returns one in PEM form.
func certificate(t *testing.T) []byte {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// The value of every variable arrives at every part that it is for, in every mode in which it
// has a meaning.
func TestEveryVariableArrives(t *testing.T) {
	rows := reaches(certificate(t))
	for _, v := range exporter.Variables() {
		name := strings.TrimPrefix(v.Name, exporter.EnvPrefix)
		row, ok := rows[name]
		if !ok {
			t.Errorf("%s has no row: say in reaches where its value has to arrive", v.Name)
			continue
		}
		delete(rows, name)
		for mode, read := range map[exporter.Mode]func(wiring) []any{exporter.ModeBench: row.bench, exporter.ModeMemory: row.memory} {
			switch means := v.Mode == "" || v.Mode == mode; {
			case means && read == nil:
				t.Errorf("%s has a meaning in mode %s: say in reaches where its value has to arrive there", v.Name, mode)
			case means:
				t.Run(name+" in mode "+string(mode), func(t *testing.T) { wantArrival(t, name, mode, row, read) })
			}
		}
	}
	for name := range rows {
		t.Errorf("%s has a row and is no variable", name)
	}
}

func wantArrival(t *testing.T, name string, mode exporter.Mode, row reach, read func(wiring) []any) {
	value := row.value
	if row.file != "" {
		value = filepath.Join(t.TempDir(), name)
		noError(t, os.WriteFile(value, []byte(row.file), 0o600))
	}
	base := []string{"MODE", string(mode)}
	if mode == exporter.ModeMemory {
		base = append(base, "DRIVER_URL", "http://mac-1:9955")
	}
	if name == "MODE" {
		base = nil // the value decides, and the mode without it is the default
		if mode == exporter.ModeBench {
			return
		}
	}
	wired := func(vars []string) []any {
		w, err := newWiring(configure(t, vars...), Seams{Log: io.Discard})
		noError(t, err)
		return read(w)
	}
	for i, told := range wired(slices.Concat(base, row.with, []string{name, value})) {
		if v := reflect.ValueOf(told); v.Kind() == reflect.Slice { // whatever the slice's own type
			told = v.Convert(reflect.TypeOf(row.want)).Interface()
		}
		if !reflect.DeepEqual(told, row.want) {
			t.Errorf("part %d is told %#v, want %#v", i, told, row.want)
		}
	}
	for i, told := range wired(base) {
		if fmt.Sprint(told) == fmt.Sprint(row.want) {
			t.Errorf("part %d is told %v without the variable too, which proves nothing: choose another value", i, told)
		}
	}
}

type nowhere struct{ http.RoundTripper }

// Every seam arrives at every part that it is for.
func TestEverySeamArrives(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	defer l.Close()
	var log buffer
	loads := 0
	s := Seams{
		Log: &log, Transport: nowhere{}, Listener: l, Processes: memory.SimulatedSource(nil), Settle: time.Minute, Simulated: true,
		Observers: []workload.Observer{hooks{}}, Loading: func(instance.Progress) { loads++ }, Watcher: stall.Fixed(stall.Report{}),
		PowerEvery: time.Minute, Machine: cool,
		Hangup: make(chan os.Signal),
	}
	for field := range reflect.TypeFor[Seams]().Fields() {
		if field.IsExported() && reflect.ValueOf(s).FieldByIndex(field.Index).IsZero() {
			t.Errorf("seam %s is not set here", field.Name)
		}
	}
	bench, err := newWiring(configure(t), s)
	noError(t, err)
	agent, err := newWiring(configure(t, "MODE", "memory", "DRIVER_URL", "http://mac-1:9955"), s)
	noError(t, err)
	for name, w := range map[string]wiring{"bench": bench, "memory": agent} {
		if w.serve.hangup != s.Hangup {
			t.Errorf("mode %s does not hear of a hangup", name)
		}
		if got, err := w.serve.listen(); got != l || err != nil {
			t.Errorf("mode %s listens on %v, %v", name, got, err)
		}
		if w.memory.Source == nil || w.memory.Settle != time.Minute || w.memory.Logger != w.log {
			t.Errorf("mode %s: sampler %+v", name, w.memory)
		}
		if w.machine.Source == nil || w.machine.Here != nil || w.machine.Logger != w.log {
			t.Errorf("mode %s: the machine is watched by %+v", name, w.machine)
		}
		w.log.Info("from mode " + name)
		if !strings.Contains(log.String(), "from mode "+name) {
			t.Errorf("mode %s does not log", name)
		}
	}
	if _, ok := agent.driver.Transport.(nowhere); !ok || agent.memory.PSS {
		t.Errorf("agent: driver %+v, sampler %+v", agent.driver, agent.memory)
	}
	if _, ok := bench.client.Transport.(nowhere); !ok || bench.client.Logger != bench.log || bench.client.Watcher != s.Watcher ||
		bench.client.PowerEvery != s.PowerEvery ||
		!bench.memory.PSS {
		t.Errorf("client %+v, sampler %+v", bench.client, bench.memory)
	}
	if bench.client.Progress(instance.Progress{Elapsed: time.Minute}); loads != 1 {
		t.Errorf("%d loads were told of", loads)
	}
	if off, err := newWiring(configure(t, "RESULTS", "off"), s); err != nil || off.shown.Records || !bench.shown.Records {
		t.Errorf("records are shown: %t and %t, %v", off.shown.Records, bench.shown.Records, err)
	}
	if !bench.shown.Simulated || len(bench.runner.Observers) != 1 || bench.runner.Logger != bench.log {
		t.Errorf("shown simulated %v, runner %+v", bench.shown.Simulated, bench.runner)
	}
	if (Seams{}).log(exporter.Config{}).Enabled(t.Context(), slog.LevelError) {
		t.Error("without a log something is written")
	}
}

// What a configuration asks for is what is built, and what cannot be used is said.
func TestOpen(t *testing.T) {
	agent := environ(t, "MODE", "memory", "DRIVER_URL", "http://mac-1:9955")
	p, err := Open(agent, false, Seams{})
	if _, ok := p.(*Agent); !ok || err != nil {
		t.Errorf("mode memory: %T, %v", p, err)
	}
	if p, err = Open(environ(t), false, Seams{}); err != nil {
		t.Fatal(err)
	} else if _, ok := p.(*Bench); !ok {
		t.Errorf("mode bench: %T", p)
	}
	p.Close()
	withSuite := environ(t, "SUITE", suiteFile(t, workload.Suite{Version: "empty"}))
	for want, e := range map[string]map[string]string{
		"EXOBENCH_SUITE": withSuite, "EXOBENCH_MODELZ": environ(t, "MODELZ", "x"),
	} {
		for _, demo := range []bool{false, true} {
			if p, err := Open(maps.Clone(e), demo, Seams{}); p != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want an error about %s, got %v, %v", want, p, err)
			}
		}
	}
	var log buffer
	linked := environ(t, "SERVICE_HOST", "10.96.0.7", "PORT", "tcp://10.96.0.7:9955")
	if p, err = Open(linked, false, Seams{Log: &log}); err != nil || strings.Count(log.String(), "enableServiceLinks: false") != 1 {
		t.Errorf("with Kubernetes' variables: %v, log %s", err, &log)
	} else {
		p.Close()
	}
	if _, err := Open(agent, true, Seams{}); err == nil || !strings.Contains(err.Error(), "EXOBENCH_MODE=memory") {
		t.Errorf("a demo in mode memory: %v", err)
	}
}

// The conditions of this machine are those of exo where exo is on it. An agent is on the machine that it is for.
func TestWhereTheMachineIsWatched(t *testing.T) {
	for _, tt := range []struct {
		url  string
		here bool
	}{{"http://127.0.0.1:52415", true}, {"http://localhost:52415", true}, {"http://192.0.2.1:52415", false}} {
		bench, err := newWiring(configure(t, "EXO_URL", tt.url), Seams{})
		noError(t, err)
		if got, err := bench.machine.Here(t.Context()); got != tt.here || err != nil {
			t.Errorf("%s is here: %v, %v, want %v", tt.url, got, err, tt.here)
		}
		given, err := newWiring(configure(t, "EXO_URL", tt.url, "EXO_PID", "4711"), Seams{})
		noError(t, err)
		if given.machine.Here != nil {
			t.Error("exo is a process of this machine, and it is asked whether it is here")
		}
		agent, err := newWiring(configure(t, "EXO_URL", tt.url, "MODE", "memory", "DRIVER_URL", "http://mac-1:9955"), Seams{})
		noError(t, err)
		if agent.machine.Here != nil {
			t.Error("an agent asks where it is")
		}
	}
}
