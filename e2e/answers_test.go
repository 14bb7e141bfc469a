package e2e

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestBrokenModelIsTold has a small real model measured in health until its answers are known, then the same file with
// the halves of one tensor exchanged, then with another tensor of zeros.
//
// What SmolLM2-135M says is not up to anybody here, and which of its words are the likeliest may differ between
// processors. So what it is held to is what two machines would agree on: that it says the same every time, that it
// is right about some of the questions and not about all, and what becomes of that.
func TestBrokenModelIsTold(t *testing.T) {
	engines := startEngines(t)
	address := stack.FreeAddress(t)
	exporter := stack.Start(t, []string{
		"EXOBENCH_LISTEN_ADDRESS=" + address, "EXOBENCH_EXO_URL=" + engines.URL, "EXOBENCH_DIALECT=openai",
		"EXOBENCH_MODELS=llama-3.2-1b=" + realAlias, "EXOBENCH_SUITE=" + filepath.Join("testdata", "chat-8.yaml"),
		"EXOBENCH_CYCLE_INTERVAL=1s", "EXOBENCH_STATE_DIR=" + t.TempDir(),
	}, stack.Exporter)
	m := scraped{t, exporter, "http://" + address + "/metrics"}

	m.eventually(10*time.Minute, "what is usual is known", func() bool {
		return m.has(`exobench_answers_usual_ratio{by="canary",model="llama-3.2-1b"}`) &&
			m.has(`exobench_answers_usual_ratio{by="signs",model="llama-3.2-1b"}`)
	})
	usual := m.value(`exobench_answers_usual_ratio{by="canary",model="llama-3.2-1b"}`)
	if usual < 0.3 || usual > 0.7 {
		t.Errorf("the healthy model answers %g of the questions rightly, want some and not all", usual)
	}
	m.want(`exobench_canary_correct_ratio{model="llama-3.2-1b"}`, usual)
	if sensible := m.value(`exobench_answers_usual_ratio{by="signs",model="llama-3.2-1b"}`); sensible < 0.75 {
		t.Errorf("the healthy model's answers are without a sign in a share of %g", sensible)
	}
	m.want(`exobench_answer_repeats{model="llama-3.2-1b",prompt="canary"}`, 1)
	m.want(changes, 0)
	m.want(worse("canary"), 0)
	m.want(worse("signs"), 0)
	speed := m.value(decodeSpeed)

	engines.serve(t, "-swapped")
	m.eventually(3*time.Minute, "a fingerprint has changed", func() bool { return m.value(changes) > 0 })
	t.Logf("with a tensor's halves exchanged %g of the questions are answered rightly, %g before; %g answers show a sign",
		m.value(`exobench_canary_correct_ratio{model="llama-3.2-1b"}`), usual,
		m.value(`exobench_degenerate_answers_total{model="llama-3.2-1b",sign="repetition"}`))

	engines.serve(t, "-zeroed")
	m.eventually(3*time.Minute, "the answers are worse by both yardsticks", func() bool {
		return m.value(worse("canary")) == 1 && m.value(worse("signs")) == 1
	})
	m.want(`exobench_canary_correct_ratio{model="llama-3.2-1b"}`, 0)
	m.want(`exobench_answers_usual_ratio{by="canary",model="llama-3.2-1b"}`, usual)
	if n := m.value(`exobench_degenerate_answers_total{model="llama-3.2-1b",sign="repetition"}`); n < 16 {
		t.Errorf("%g answers repeat themselves, want those of two turns at least", n)
	}
	t.Logf("decode at %g tok/s, %g in health", m.value(decodeSpeed), speed)

	engines.serve(t, "")
	m.eventually(3*time.Minute, "the answers are as before", func() bool {
		return m.value(worse("canary")) == 0 && m.value(worse("signs")) == 0
	})
}

const (
	realAlias   = "smollm2"
	changes     = `exobench_answer_fingerprint_changes_total{model="llama-3.2-1b",prompt="canary"}`
	decodeSpeed = `exobench_model_output_tokens_per_second{model="llama-3.2-1b"}`
)

func worse(by string) string { return `exobench_answers_worse{by="` + by + `",model="llama-3.2-1b"}` }

// engines are real servers of one model, of which a proxy shows one at a time.
type engines struct {
	URL string

	shown  atomic.Pointer[url.URL]
	server string
	model  string // path and beginning of its files' names, as the server sees them
	last   *stack.Process
}

func startEngines(t *testing.T) *engines {
	t.Helper()
	e := &engines{server: os.Getenv("E2E_LLAMA_SERVER"), model: os.Getenv("E2E_LLAMA_REAL")}
	switch {
	case e.server == "" && e.model == "":
		e.server = stack.Tool(t, "llama-server")
	case e.server == "" || e.model == "":
		t.Fatal("E2E_LLAMA_SERVER and E2E_LLAMA_REAL go together: set both, or neither to use what e2e/tools/install.sh installs")
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(e.shown.Load()) },
		FlushInterval: -1, // each event on its way at once
		// A server that is gone for another one breaks its connections off.
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	e.URL = server.URL
	e.serve(t, "")
	return e
}

// serve starts the server of another file, shows that and ends the one before.
func (e *engines) serve(t *testing.T, file string) {
	t.Helper()
	address := stack.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	p := stack.Start(t, nil, e.server, "--model", e.model+"/smollm2"+file+".gguf", "--alias", realAlias,
		"--host", host, "--port", port, "--parallel", "1", "--threads", "1", "--offline")
	t.Cleanup(p.Kill) // before it would be asked to end, which waits for the answer that it is in the middle of
	stack.Eventually(t, time.Minute, 20*time.Millisecond, "llama-server is ready", func() bool {
		if !p.Alive() {
			t.Fatal("llama-server has ended")
		}
		return stack.Answers("http://" + address + "/health")
	})
	e.shown.Store(&url.URL{Scheme: "http", Host: address})
	if e.last != nil {
		e.last.Kill() // it may be in the middle of an answer
	}
	e.last = p
}

// scraped is what an exporter exposes.
type scraped struct {
	t        *testing.T
	exporter *stack.Process
	url      string
}

// value returns the newest value of a series, 0 where there is none.
func (s scraped) value(series string) float64 {
	s.t.Helper()
	text, _ := s.sample(series)
	v, _ := strconv.ParseFloat(text, 64)
	return v
}

func (s scraped) has(series string) bool {
	_, found := s.sample(series)
	return found
}

func (s scraped) sample(series string) (string, bool) {
	body, err := stack.Get(s.url)
	if err != nil {
		return "", false
	}
	return stack.Sample(body, series)
}

func (s scraped) want(series string, value float64) {
	s.t.Helper()
	if text, found := s.sample(series); !found || text != strconv.FormatFloat(value, 'g', -1, 64) {
		s.t.Errorf("%s is %q, want %g", series, text, value)
	}
}

func (s scraped) eventually(within time.Duration, what string, ok func() bool) {
	s.t.Helper()
	stack.Eventually(s.t, within, time.Second, what, func() bool {
		if !s.exporter.Alive() {
			s.t.Fatal("the exporter has ended")
		}
		return ok()
	})
}
