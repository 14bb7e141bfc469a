package app

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/record"
)

// quietListener is one to which nobody connects; requests are put to the front itself.
type quietListener struct {
	closed chan struct{}
	close  func()
	at     net.IP // address that it says it is at
}

func newQuietListener() quietListener {
	closed := make(chan struct{})
	return quietListener{closed, sync.OnceFunc(func() { close(closed) }), net.IPv4(127, 0, 0, 1)}
}

func (l quietListener) Accept() (net.Conn, error) {
	<-l.closed
	return nil, net.ErrClosed
}

func (l quietListener) Close() error {
	l.close()
	return nil
}

func (l quietListener) Addr() net.Addr { return &net.TCPAddr{IP: l.at} }

// serve has s serve in the background and returns what ends that and returns its error.
func (s *stack) serve(t *testing.T) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-done
	}
}

// The whole program in virtual time: it says that exo is down, begins a cycle as soon as exo is
// there and not only with the next interval, shows what each part knows, and ends at once.
func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(exosim.Options{Profiles: profilesOf(victim, next), Dialect: exosim.Exo0, MaxGenerateTokens: faultTokens})
		t.Cleanup(func() { _ = node.Close() })
		_, err := node.Inject(exosim.Fault{Kind: exosim.Unreachable})
		noError(t, err)
		s := newStack(t, setting{
			node: node, suite: shortSuite(1, faultTokens), seams: Seams{Listener: newQuietListener()}, vars: []string{"MODELS", victim},
		})
		w := httptest.NewRecorder()
		s.front.ServeHTTP(w, httptest.NewRequest("GET", "/-/ready", nil))
		if w.Code != 503 {
			t.Errorf("before it runs, /-/ready answers %d", w.Code)
		}
		end := s.serve(t)
		if got := s.get(t, "/-/ready"); !strings.Contains(got, "ready") {
			t.Errorf("/-/ready answers %s", got)
		}
		time.Sleep(3 * time.Minute)
		if got := s.scrape(t); got["exobench_exo_up"] != 0 || got[`exobench_turns_total{model="`+victim+`",outcome="failed"}`] != 1 {
			t.Errorf("exo_up %v, turns %v", got["exobench_exo_up"], got[`exobench_turns_total{model="`+victim+`",outcome="failed"}`])
		}
		if page := s.page(t); !strings.Contains(page, "connection refused") {
			t.Errorf("the page does not say why exo is down:\n%s", page)
		}
		node.Clear("")
		time.Sleep(time.Minute)
		got := s.scrape(t)
		for _, series := range []string{
			"exobench_exo_up", `exobench_turns_total{model="` + victim + `",outcome="ok"}`, `exobench_exo_processes{role="node"}`,
		} {
			if got[series] != 1 {
				t.Errorf("a minute after exo came back %s is %v", series, got[series])
			}
		}
		name := hostname()
		if got[`exobench_exo_resident_memory_bytes{role="node"}`] == 0 ||
			got[`exobench_node_memory_bytes{node="`+name+`",state="total"}`] == 0 {
			t.Errorf("no memory of exo or of this machine, which legacy exo does not tell:\n%v", got)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		w = httptest.NewRecorder()
		s.front.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/turn", nil))
		if w.Code != 503 {
			t.Errorf("after the end agents are answered %d", w.Code)
		}
		for _, words := range []string{"exo-bench-exporter is running", "exo is down", "exo is up again", "Cycle done", "msg=Stopped"} {
			if !strings.Contains(s.log.String(), words) {
				t.Errorf("the log lacks %q:\n%s", words, s.log)
			}
		}
		s.Close()
	})
}

// A program that cannot serve ends, with the reason.
func TestServeInVain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	defer l.Close()
	for name, vars := range map[string][]string{
		"bench":  {"LISTEN_ADDRESS", l.Addr().String()},
		"memory": {"LISTEN_ADDRESS", l.Addr().String(), "MODE", "memory", "DRIVER_URL", "http://mac-1:9955"},
	} {
		p, err := Open(environ(t, vars...), false, Seams{})
		noError(t, err)
		if err := p.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "EXOBENCH_LISTEN_ADDRESS") {
			t.Errorf("%s on a taken port: %v", name, err)
		}
		p.Close()
	}
	p, err := Open(environ(t), false, Seams{Listener: brokenListener{newQuietListener()}, Processes: nil})
	noError(t, err)
	if err := p.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("with a listener that fails: %v", err)
	}
	p.Close()
}

type brokenListener struct{ quietListener }

func (brokenListener) Accept() (net.Conn, error) { return nil, &net.AddrError{Err: "out of order"} }

// Every result and turn is kept, without a word of a prompt, and what is kept can be looked at.
func TestRecordsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(exosim.Options{Profiles: profilesOf(victim, next)})
		t.Cleanup(func() { _ = node.Close() })
		dir := t.TempDir()
		var results []workload.Result
		watch := hooks{request: func(r workload.Result) { results = append(results, r) }}
		s := newStack(t, setting{
			node: node, suite: shortSuite(2, faultTokens), vars: []string{"MODELS", victim + "," + next, "STATE_DIR", dir, "CYCLE_INTERVAL", "10m"},
			seams: Seams{Listener: newQuietListener(), Observers: []workload.Observer{watch}},
		})
		end := s.serve(t)
		time.Sleep(15 * time.Minute) // two cycles
		synctest.Wait()
		page := s.get(t, record.Path+record.ResultID(results[1]))
		noError(t, end())
		s.Close()
		if !strings.Contains(page, `"response_id": "`+results[1].ResponseID+`"`) || !strings.Contains(page, `"simulated": true`) {
			t.Errorf("the second record is shown as\n%s", page)
		}
		path := filepath.Join(dir, "results.jsonl")
		var kept []workload.Result
		turns := 0
		broken, err := record.Each(path, func(r record.Record) error {
			if r.Turn != nil {
				turns++
			} else {
				kept = append(kept, *r.Result)
			}
			if want := (len(kept) - 1) / 4; r.Suite.Version != "short-1" || r.Target != s.Config.ExoURL || r.Cycle != want {
				t.Errorf("record %+v, want cycle %d", r, want)
			}
			return nil
		})
		if err != nil || broken != 0 || turns != 4 || len(kept) != 8 || len(results) != 8 {
			t.Fatalf("%d results and %d turns are kept of %d, %d broken, %v; log:\n%s", len(kept), turns, len(results), broken, err, s.log)
		}
		for i, r := range kept {
			if r.ResponseID != results[i].ResponseID || r.TTFT != results[i].TTFT || len(r.Gaps) != len(results[i].Gaps) {
				t.Errorf("result %d is kept as %+v, and was %+v", i, r, results[i])
			}
		}
		content, err := os.ReadFile(path)
		noError(t, err)
		if strings.Contains(string(content), "number of this prompt") {
			t.Error("the text of a prompt is kept")
		}
	})
}

// Where no records can be kept, cycles go on, and what was lost is counted.
func TestRecordsAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(exosim.Options{Profiles: profilesOf(victim)})
		t.Cleanup(func() { _ = node.Close() })
		file := filepath.Join(t.TempDir(), "file")
		noError(t, os.WriteFile(file, nil, 0o600))
		s := newStack(t, setting{
			node: node, suite: shortSuite(2, faultTokens), vars: []string{"MODELS", victim, "RESULTS", filepath.Join(file, "results.jsonl")},
			seams: Seams{Listener: newQuietListener()},
		})
		end := s.serve(t)
		time.Sleep(time.Minute)
		got := s.scrape(t)
		noError(t, end())
		s.Close()
		if got[`exobench_dropped_total{what="records"}`] != 3 || got[`exobench_turns_total{model="`+victim+`",outcome="ok"}`] != 1 ||
			strings.Count(s.log.String(), "Records of results are dropped") != 1 {
			t.Errorf("dropped %v, turns %v; log:\n%s", got[`exobench_dropped_total{what="records"}`], got, s.log)
		}
	})
}

// A port that others reach is called open unless something guards it.
func TestOpenPortIsSaid(t *testing.T) {
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "web.yml")
		noError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for name, tt := range map[string]struct {
		at        net.IP
		webConfig string
		want      bool
	}{
		"everywhere":      {net.IPv6zero, "", true},
		"another address": {net.IPv4(192, 0, 2, 1), "", true},
		"loopback":        {net.IPv4(127, 0, 0, 2), "", false},
		"IPv6 loopback":   {net.IPv6loopback, "", false},
		"with a password": {
			net.IPv6zero, file("basic_auth_users: {a: $2a$04$47r0CPcjfdWV4x5Za7iGZekr1w7SBa5DqoOGdl67270v7bhGhA/ny}"), false,
		},
		"with TLS":               {net.IPv6zero, file("tls_server_config: {cert_file: a, key_file: b}"), false},
		"with TLS without a key": {net.IPv6zero, file("tls_server_config: {min_version: TLS13}"), true}, // HTTP is served
		"with a file of nothing": {net.IPv6zero, file("http_server_config: {http2: false}"), true},
	} {
		for _, mode := range [][]string{nil, {"MODE", "memory", "DRIVER_URL", "http://127.0.0.1:1"}} {
			var log buffer
			l := newQuietListener()
			l.at = tt.at
			p, err := Open(environ(t, mode...), false, Seams{Log: &log, Listener: l})
			noError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			switch p := p.(type) { // past the check of the file, which would want the certificate
			case *Bench:
				p.serve.webConfig = tt.webConfig
			case *Agent:
				p.serve.webConfig = tt.webConfig
			}
			_ = p.Serve(ctx)
			p.Close()
			if got := strings.Contains(log.String(), "without TLS or a password"); got != tt.want {
				t.Errorf("%s: said %t, want %t:\n%s", name, got, tt.want, &log)
			}
		}
	}
}
