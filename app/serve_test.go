package app

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// quietListener is one to which nobody connects; requests are put to the front itself.
type quietListener struct {
	closed chan struct{}
	close  func()
}

func newQuietListener() quietListener {
	closed := make(chan struct{})
	return quietListener{closed, sync.OnceFunc(func() { close(closed) })}
}

func (l quietListener) Accept() (net.Conn, error) {
	<-l.closed
	return nil, net.ErrClosed
}

func (l quietListener) Close() error {
	l.close()
	return nil
}

func (quietListener) Addr() net.Addr { return &net.TCPAddr{} }

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
		machine := hostname()
		if got[`exobench_exo_resident_memory_bytes{role="node"}`] == 0 || got[`exobench_node_memory_bytes{node="`+machine+`",state="total"}`] == 0 {
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
		for _, words := range []string{"exo-bench-exporter is running", "exo is down", "exo is up again", "cycle done", "msg=stopped"} {
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
