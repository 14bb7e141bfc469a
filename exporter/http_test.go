package exporter

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

func newTestFront() (*Front, *Metrics, *Store) {
	reg := NewRegistry()
	m := NewMetrics(reg, testOptions())
	store := NewStore(testOptions())
	return NewFront(reg, store, quiet), m, store
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPaths(t *testing.T) {
	f, m, _ := newTestFront()
	observeSequence(m)
	f.SetReady(true)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/":             {200, "<h1>exo-bench-exporter</h1>"},
		"/-/healthy":    {200, "exo-bench-exporter is healthy."},
		"/-/ready":      {200, "exo-bench-exporter is ready."},
		"/metrics":      {200, `exobench_model_output_tokens_per_second{model="llama-3.2-1b"} 100`},
		"/runbook":      {200, `id="exobenchthroughputdrop"`},
		"/metrics/":     {404, ""},
		"/debug/pprof/": {404, ""},
		"/-/quit":       {404, ""},
		"/..%2fmetrics": {404, ""},
	} {
		w := get(f, path)
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: status %d, want %d with %q", path, w.Code, want.status, want.text)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(policy, "default-src 'none'") ||
			!strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("POST", "/metrics", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics: status %d", w.Code)
	}
}

func TestReady(t *testing.T) {
	f, _, _ := newTestFront()
	if w := get(f, "/-/ready"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("before SetReady: %d", w.Code)
	}
	f.SetReady(true)
	if w := get(f, "/-/ready"); w.Code != http.StatusOK {
		t.Errorf("after SetReady: %d", w.Code)
	}
}

func TestMetricsFormatsAndFamilies(t *testing.T) {
	f, _, _ := newTestFront()
	get(f, "/metrics")
	text := get(f, "/metrics").Body.String()
	for _, family := range []string{
		"exobench_build_info{", "go_goroutines ", "process_start_time_seconds ",
		"promhttp_metric_handler_requests_total{", "promhttp_metric_handler_errors_total{", "promhttp_metric_handler_requests_in_flight ",
	} {
		if !strings.Contains(text, "\n"+family) {
			t.Errorf("%s is missing", family)
		}
	}
	open := get(f, "/metrics", "Accept", "application/openmetrics-text;version=1.0.0")
	if !strings.HasPrefix(
		open.Header().Get("Content-Type"), "application/openmetrics-text",
	) || !strings.HasSuffix(open.Body.String(), "# EOF\n") {
		t.Errorf("OpenMetrics: %v", open.Header())
	}
	proto := get(f, "/metrics", "Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	if !strings.HasPrefix(proto.Header().Get("Content-Type"), "application/vnd.google.protobuf") {
		t.Errorf("protobuf: %v", proto.Header())
	}
}

func TestOneBadCollectorDoesNotHideTheRest(t *testing.T) {
	reg := NewRegistry()
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "good", Help: "Good."}, func() float64 { return 1 }))
	reg.MustRegister(badCollector{})
	var log strings.Builder
	f := NewFront(reg, NewStore(testOptions()), slog.New(slog.NewTextHandler(&log, nil)))
	if w := get(f, "/metrics"); w.Code != 200 || !strings.Contains(w.Body.String(), "\ngood 1\n") {
		t.Errorf("status %d", w.Code)
	}
	if !strings.Contains(log.String(), "broken on purpose") {
		t.Errorf("the log says: %s", log.String())
	}
}

type badCollector struct{}

var badDesc = prometheus.NewDesc("bad", "Bad.", nil, nil)

func (badCollector) Describe(ch chan<- *prometheus.Desc) { ch <- badDesc }

func (badCollector) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(badDesc, errBroken)
}

var errBroken = errors.New("broken on purpose")

func serveTest(t *testing.T, h http.Handler, webConfig string) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h, webConfig, quiet) }()
	return l.Addr().String(), func() error {
		cancel()
		return <-done
	}
}

func TestServeShutsDownGracefully(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = io.WriteString(w, "complete")
	})
	address, stop := serveTest(t, slow, "")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-started
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "complete" {
		t.Errorf("the request in flight got %q, %v", body, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}

func TestServeStopsBeforeItBegan(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Serve(ctx, l, http.NotFoundHandler(), "", quiet); err != nil {
		t.Error(err)
	}
}

func TestServeWithBasicAuth(t *testing.T) {
	const hash = "$2a$04$47r0CPcjfdWV4x5Za7iGZekr1w7SBa5DqoOGdl67270v7bhGhA/ny" // bcrypt of "hunter2"
	config := writeFile(t, "basic_auth_users:\n  somebody: "+hash+"\n")
	f, _, _ := newTestFront()
	address, stop := serveTest(t, f, config)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for password, want := range map[string]int{"hunter2": 200, "wrong": 401} {
		r, err := http.NewRequest("GET", "http://"+address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("somebody", password)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("password %q: status %d, want %d", password, response.StatusCode, want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServeRefusesAWrongWebConfig(t *testing.T) {
	path := writeFile(t, "tls_server_config: {cert_file: /does/not/exist, key_file: /does/not/exist}")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	err = Serve(t.Context(), l, http.NotFoundHandler(), path, quiet)
	if err == nil || !strings.Contains(err.Error(), "serving HTTP on "+l.Addr().String()) {
		t.Errorf("got %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}

// fullOptions are the five models with ten prompts each.
func fullOptions() Options {
	opts := testOptions()
	opts.Models = workload.DefaultModels()
	opts.Suite.Prompts = nil
	for _, id := range strings.Fields("a b c d e f g h i j") {
		opts.Suite.Prompts = append(opts.Suite.Prompts, workload.Prompt{ID: id, MaxTokens: 256})
	}
	return opts
}

func BenchmarkScrape(b *testing.B) {
	reg := NewRegistry()
	opts := fullOptions()
	o := NewObserver(NewMetrics(reg, opts))
	for _, m := range opts.Models {
		for _, p := range opts.Suite.Prompts {
			o.RequestDone(okResult(m.Name, p.ID))
		}
	}
	f := NewFront(reg, NewStore(opts), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	for name, accept := range map[string]string{
		"text":     "text/plain",
		"protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.ReportMetric(float64(get(f, "/metrics", "Accept", accept).Body.Len()), "bytes/scrape")
			}
		})
	}
}
