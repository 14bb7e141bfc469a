package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"

	alerting "exo-bench-exporter/prometheus"
)

const (
	// maxScrapes is how many scrapes are made ready at the same time; more get status 503. Each
	// takes some milliseconds.
	maxScrapes = 64
	// shutdownGrace is how long requests in flight may take once the server has to end.
	shutdownGrace = 3 * time.Second
)

// Front is the HTTP front: /metrics, the status page, the runbook that alerts link to, and what
// container runtimes and load balancers ask.
type Front struct {
	mux   *http.ServeMux
	ready atomic.Bool
}

// NewFront returns a Front that serves the metrics of reg and, as the status page, what shown
// holds, a *Store or an *Agent. It registers promhttp's own metrics with reg.
func NewFront(reg *prometheus.Registry, shown PageSource, logger *slog.Logger) *Front {
	f := &Front{mux: http.NewServeMux()}
	metrics := promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            reg,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
		CoalesceGather:      true,
	})
	f.mux.Handle("GET /metrics", promhttp.InstrumentMetricHandler(reg, &detached{h: metrics}))
	f.mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "exo-bench-exporter is healthy.")
	})
	f.mux.HandleFunc("GET /-/ready", f.serveReady)
	f.mux.Handle("GET /runbook", alerting.RunbookHandler())
	f.mux.Handle("GET /{$}", &page{shown: shown, now: time.Now, log: logger})
	return f
}

// Handle adds h for the requests that pattern names, as http.ServeMux has them.
func (f *Front) Handle(pattern string, h http.Handler) { f.mux.Handle(pattern, h) }

// SetReady says whether the exporter is configured and does its work, for /-/ready.
func (f *Front) SetReady(ready bool) { f.ready.Store(ready) }

// nothingAllowed is the policy of every answer that does not set one of its own: whatever a
// browser takes it for, it loads nothing, runs nothing and stands in no frame.
const nothingAllowed = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", nothingAllowed)
	w.Header().Set("Referrer-Policy", "no-referrer")
	f.mux.ServeHTTP(w, r)
}

func (f *Front) serveReady(w http.ResponseWriter, _ *http.Request) {
	if f.ready.Load() {
		plain(w, http.StatusOK, "exo-bench-exporter is ready.")
	} else {
		plain(w, http.StatusServiceUnavailable, "exo-bench-exporter is starting.")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// Serve answers requests on l by h until ctx is done, then lets those in flight end. It closes
// l. webConfigFile is the exporter toolkit's web configuration, for TLS and basic
// authentication; empty means plain HTTP. The error is nil after a shutdown.
func Serve(ctx context.Context, l net.Listener, h http.Handler, webConfigFile string, logger *slog.Logger) error {
	defer func() { _ = l.Close() }() // the toolkit leaves it open when the web configuration is wrong
	var conns openConns
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         conns.note,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	down := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(down)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			logger.Warn("HTTP requests were still running; cutting them off", "err", err)
			_ = server.Close()
		}
	})
	err := web.Serve(l, server, &web.FlagConfig{WebConfigFile: &webConfigFile}, logger)
	if !stop() {
		<-down
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving HTTP on %s: %w", l.Addr(), err)
}
