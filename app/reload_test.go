package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// reloadable is a program that serves, with a file of variables that a test rewrites.
type reloadable struct {
	*stack
	t      *testing.T
	file   string
	hangup chan os.Signal
	end    func() error
}

func newReloadable(t *testing.T) *reloadable {
	t.Helper()
	return &reloadable{t: t, file: filepath.Join(t.TempDir(), "env"), hangup: make(chan os.Signal, 1)}
}

// start serves with these variables in the file.
func (r *reloadable) start(node *exosim.Node, vars []string, watch workload.Observer) {
	r.t.Helper()
	r.write(vars...)
	r.stack = newStack(r.t, setting{
		node: node, vars: []string{"ENV_FILE", r.file, "WEB_RELOAD", "true"},
		seams: Seams{Listener: newQuietListener(), Hangup: r.hangup, Observers: []workload.Observer{watch}},
	})
	r.end = r.serve(r.t)
}

// write makes the file hold these variables alone, names without prefix and values by turns.
func (r *reloadable) write(pairs ...string) {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "EXOBENCH_%s='%s'\n", pairs[i], pairs[i+1])
	}
	noError(r.t, os.WriteFile(r.file, []byte(b.String()), 0o600))
}

// post asks for a reload by HTTP and returns the answer.
func (r *reloadable) post() *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.front.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/reload", nil))
	return w
}

func (r *reloadable) turns(model string) float64 {
	return r.scrape(r.t)[`exobench_turns_total{model="`+model+`",outcome="ok"}`]
}

func smallNode(t *testing.T) *exosim.Node {
	node := exosim.New(exosim.Options{Profiles: profilesOf(victim, next)})
	t.Cleanup(func() { _ = node.Close() })
	return node
}

// Between cycles a new configuration is in effect at once: the next cycle comes at its new time,
// models that left it are gone, and the others go on counting.
func TestReloadBetweenCycles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := suiteFile(t, shortSuite(1, faultTokens))
		r := newReloadable(t)
		r.start(smallNode(t), []string{"MODELS", victim + "," + next, "CYCLE_INTERVAL", "30m", "SUITE", suite}, hooks{})
		time.Sleep(5 * time.Minute)
		if a, b := r.turns(victim), r.turns(next); a != 1 || b != 1 {
			t.Fatalf("before: %v and %v turns", a, b)
		}
		r.write("MODELS", next, "CYCLE_INTERVAL", "10m", "SUITE", suite, "BUSY_TIMEOUT", "7s")
		r.hangup <- syscall.SIGHUP
		synctest.Wait()
		got := r.scrape(t)
		if _, there := got[`exobench_turns_total{model="`+victim+`",outcome="ok"}`]; there || got["exobench_cycle_interval_seconds"] != 600 ||
			got["exobench_config_last_reload_successful"] != 1 || r.turns(next) != 1 {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(4 * time.Minute)
		if n := r.turns(next); n != 1 {
			t.Errorf("after 9 minutes %v turns, the next is due after 10", n)
		}
		time.Sleep(3 * time.Minute)
		if n := r.turns(next); n != 2 {
			t.Errorf("after 12 minutes %v turns", n)
		}
		if got := r.Bench.Rig().wiring.client.BusyTimeout; got != 7*time.Second {
			t.Errorf("the client's timeout is %s", got)
		}
		if page := r.page(t); strings.Contains(page, victim) {
			t.Error("the page shows a model that is gone")
		}
		if s := r.scrape(t); s[`exobench_exo_processes{role="node"}`] == 0 || s["exobench_exo_up"] != 1 {
			t.Errorf(
				"exo is not seen any more: processes %v, up %v; log:\n%s", s[`exobench_exo_processes{role="node"}`], s["exobench_exo_up"], r.log,
			)
		}
		noError(t, r.end())
		r.Bench.Close()
	})
}

// A turn that runs comes to its end first, then a cycle under the new configuration begins.
func TestReloadInATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite, other := suiteFile(t, shortSuite(3, faultTokens)), suiteFile(t, shortSuite(2, faultTokens))
		r := newReloadable(t)
		var order []string
		done := 0
		r.start(smallNode(t), []string{"MODELS", victim + "," + next, "SUITE", suite}, hooks{
			request: func(workload.Result) {
				if done++; done == 1 {
					r.write("MODELS", victim+","+next, "SUITE", "/nonexistent")
					if w := r.post(); w.Code != 500 || !strings.Contains(w.Body.String(), "EXOBENCH_SUITE") {
						t.Errorf("a mistake is answered with %d %s", w.Code, w.Body)
					}
					r.write("MODELS", victim+","+next, "SUITE", other, "CYCLE_INTERVAL", "1h")
					for range 2 { // asked for twice it is done once
						if w := r.post(); w.Code != 200 {
							t.Errorf("the reload is answered with %d %s", w.Code, w.Body)
						}
					}
				}
			},
			turn: func(turn workload.Turn) {
				order = append(order, fmt.Sprintf("%d %d %s", turn.Cycle, len(turn.Results), turn.Outcome))
			},
		})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if want := "[0 3 ok 1 2 ok 1 2 ok]"; fmt.Sprint(order) != want {
			t.Errorf("turns (cycle, results, outcome) %v, want %s; log:\n%s", order, want, r.log)
		}
		got := r.scrape(t)
		if got[`exobench_cycles_total{outcome="ok"}`] != 1 || got["exobench_cycle_running"] != 0 ||
			got["exobench_cycle_interval_seconds"] != 3600 {
			t.Errorf("cycles %v, running %v", got[`exobench_cycles_total{outcome="ok"}`], got["exobench_cycle_running"])
		}
		if strings.Count(r.log.String(), "The new configuration is in effect") != 1 {
			t.Errorf("log:\n%s", r.log)
		}
		noError(t, r.end())
		r.Bench.Close()
	})
}

// On a mistake the old configuration stays, whoever asked is told, and so is Prometheus.
func TestReloadOfAMistake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := suiteFile(t, shortSuite(1, faultTokens))
		good := []string{"MODELS", victim, "SUITE", suite, "API_KEY", "hunter2"}
		r := newReloadable(t)
		r.start(smallNode(t), good, hooks{})
		time.Sleep(2 * time.Minute)
		before := r.Bench.Rig()
		bad := suiteFile(t, workload.Suite{Version: "empty"})
		for want, vars := range map[string][]string{
			"EXOBENCH_CYCLE_INTERVAL": {"CYCLE_INTERVAL", "soon"},
			"EXOBENCH_MODELZ":         {"MODELZ", "x"},
			"has 0 entries":           {"SUITE", bad},
			"EXOBENCH_LISTEN_ADDRESS: it cannot be changed": {"LISTEN_ADDRESS", ":1"},
		} {
			r.write(append(append([]string{}, good...), vars...)...)
			if w := r.post(); w.Code != 500 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("%v: %d %s", vars, w.Code, w.Body)
			}
			if got := r.scrape(t)["exobench_config_last_reload_successful"]; got != 0 {
				t.Errorf("%v: last reload successful %v", vars, got)
			}
		}
		noError(t, os.Remove(r.file))
		r.hangup <- syscall.SIGHUP
		synctest.Wait()
		if !strings.Contains(r.log.String(), "want a file that can be read") || strings.Contains(r.log.String(), "hunter2") {
			t.Errorf("log:\n%s", r.log)
		}
		time.Sleep(20 * time.Minute)
		if r.Bench.Rig() != before || r.turns(victim) != 2 {
			t.Errorf("%v turns under a configuration that stayed: %t", r.turns(victim), r.Bench.Rig() == before)
		}
		r.write(good...)
		if w := r.post(); w.Code != 200 || r.scrape(t)["exobench_config_last_reload_successful"] != 1 {
			t.Errorf("mended: %d %s", w.Code, w.Body)
		}
		synctest.Wait()
		if r.Bench.Rig() == before {
			t.Error("the mended configuration is not in effect")
		}
		noError(t, r.end())
		r.Bench.Close()
	})
}

// Reloading and accepting by HTTP are off unless enabled, and never by a page of somebody else's.
func TestWhoMayReload(t *testing.T) {
	p, err := Open(environ(t), false, Seams{})
	noError(t, err)
	defer p.Close()
	on, err := Open(environ(t, "WEB_RELOAD", "true", "WEB_ACCEPT", "true"), false, Seams{})
	noError(t, err)
	defer on.Close()
	for name, tt := range map[string]struct {
		to     Program
		method string
		site   string
		want   int
	}{
		"off":              {p, http.MethodPost, "", http.StatusForbidden},
		"on":               {on, http.MethodPost, "", http.StatusOK},
		"looking":          {on, http.MethodGet, "", http.StatusMethodNotAllowed},
		"a page elsewhere": {on, http.MethodPost, "cross-site", http.StatusForbidden},
	} {
		for path, want := range map[string]int{"/-/reload": tt.want, "/-/accept?model=x": tt.want} {
			if tt.want == http.StatusOK && path != "/-/reload" {
				want = http.StatusNotFound // nothing is known of any model
			}
			r := httptest.NewRequest(tt.method, path, nil)
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
			w := httptest.NewRecorder()
			tt.to.(*Bench).front.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s, %s: %d %s", name, path, w.Code, w.Body)
			}
		}
	}
	made, err := New(configure(t), Seams{})
	noError(t, err)
	defer made.Close()
	if err := made.(*Bench).Reload(); err == nil {
		t.Error("a configuration from nowhere is reloaded")
	}
}

// drivers answers for exporters that measure, by host, and notes who was asked last.
type drivers struct {
	mu    sync.Mutex
	asked string
}

func (d *drivers) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.asked = r.URL.Host
	d.mu.Unlock()
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func (d *drivers) last() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

const reloadOK, reloadedAt = "exobench_config_last_reload_successful", "exobench_config_last_reload_success_timestamp_seconds"

// since returns t as Prometheus counts time.
func since(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// A memory agent reads its configuration anew when its terminal is closed, or when it is asked to: it follows another
// driver, or goes on as it was where something is wrong.
func TestReloadOfAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log buffer
		hangup, driver := make(chan os.Signal, 1), &drivers{}
		file := filepath.Join(t.TempDir(), "env")
		write := func(text string) { noError(t, os.WriteFile(file, []byte(text), 0o600)) }
		write("EXOBENCH_DRIVER_URL=http://mac-1.test:9955\n")
		p, err := Open(environ(t, "MODE", "memory", "ENV_FILE", file, "WEB_RELOAD", "true"), false, Seams{
			Log: &log, Listener: newQuietListener(), Hangup: hangup, Transport: driver,
			Processes: memory.SimulatedSource(func() []memory.Simulated { return nil }),
		})
		noError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Serve(ctx) }()
		follows := func(host string) {
			t.Helper()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if got := driver.last(); got != host || len(done) > 0 {
				t.Errorf("it follows %s, want %s; log:\n%s", got, host, &log)
			}
		}
		follows("mac-1.test:9955")
		p.(*Agent).shown.Seen("m", workload.Memory{Samples: 1, Median: 1}, true)

		write("EXOBENCH_DRIVER_URL=http://mac-2.test:9955\n")
		hangup <- syscall.SIGHUP
		follows("mac-2.test:9955")
		at := time.Now().Add(-10 * time.Second) // when the reload was
		page := get(t, p.(*Agent).front, "/")
		if !strings.Contains(page, "mac-2.test") || len(figures(scrape(t, p.(*Agent).front))) != 0 {
			t.Errorf("another driver's figures stay:\n%s", page)
		}
		for text, words := range map[string]string{
			"EXOBENCH_DRIVER_URL=none\n": "EXOBENCH_DRIVER_URL",
			"EXOBENCH_DRIVER_URL=http://mac-3.test:9955\nEXOBENCH_LISTEN_ADDRESS=:1\n":            "EXOBENCH_LISTEN_ADDRESS",
			"EXOBENCH_DRIVER_URL=http://mac-3.test:9955\nEXOBENCH_MODE=bench\n":                   "EXOBENCH_MODE",
			"EXOBENCH_DRIVER_URL=http://mac-3.test:9955\nEXOBENCH_DRIVER_CA_FILE=/no/such/file\n": "EXOBENCH_DRIVER_CA_FILE",
		} {
			write(text)
			w := httptest.NewRecorder()
			p.(*Agent).front.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/reload", nil))
			if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), words) {
				t.Errorf("%q is answered with %d %s", text, w.Code, w.Body)
			}
			if got := scrape(t, p.(*Agent).front); got[reloadOK] != 0 || got[reloadedAt] != since(at) {
				t.Errorf("%q: last reload successful %v, at %v", text, got[reloadOK], got[reloadedAt])
			}
		}
		follows("mac-2.test:9955")
		write("EXOBENCH_DRIVER_URL=http://mac-4.test:9955\n")
		w := httptest.NewRecorder()
		p.(*Agent).front.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/reload", nil))
		if got := scrape(t, p.(*Agent).front); got[reloadOK] != 1 || got[reloadedAt] != since(time.Now()) {
			t.Errorf("last reload successful %v, at %v", got[reloadOK], got[reloadedAt])
		}
		follows("mac-4.test:9955")
		cancel()
		noError(t, <-done)
		p.Close()
	})
}

// By HTTP an agent reads nothing anew unless that is allowed.
func TestReloadOfAnAgentIsOff(t *testing.T) {
	p, err := Open(environ(t, "MODE", "memory", "DRIVER_URL", "http://mac-1.test:9955"), false, Seams{})
	noError(t, err)
	defer p.Close()
	w := httptest.NewRecorder()
	p.(*Agent).front.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/reload", nil))
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "EXOBENCH_WEB_RELOAD=true allows it") {
		t.Errorf("by HTTP: %d %s", w.Code, w.Body)
	}
}

// A demo stays one: what leads to the simulator is not read anew.
func TestReloadOfADemo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "env")
	noError(t, os.WriteFile(file, []byte("EXOBENCH_EXO_URL=http://elsewhere.test\nEXOBENCH_MODELS="+next+"\n"), 0o600))
	p, err := Open(environ(t, "ENV_FILE", file), true, Seams{Listener: newQuietListener()})
	noError(t, err)
	defer p.Close()
	b := p.(*Bench)
	before := b.Rig().Config
	noError(t, os.WriteFile(file, []byte("EXOBENCH_EXO_URL=http://elsewhere.test\nEXOBENCH_MODELS="+victim+"\n"), 0o600))
	noError(t, b.Reload())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.swap()
	noError(t, b.Serve(ctx))
	after := b.Rig().Config
	if after.ExoURL != before.ExoURL || after.StateDir != before.StateDir || after.Models[0].Name != victim || before.Models[0].Name != next {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
