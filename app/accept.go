package app

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/answers"
	"exo-bench-exporter/workload/judging"
)

// onRequest lets users do something by HTTP, if enabled, but no page that they look at.
func onRequest(enabled bool, off string, do http.HandlerFunc) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !enabled {
			http.Error(w, off, http.StatusForbidden)
			return
		}
		do(w, r)
	}))
}

// acceptHandler lets users accept the present speed of a model by HTTP, if enabled.
func (b *Bench) acceptHandler(enabled bool) http.Handler {
	return onRequest(enabled, "Accepting a speed by HTTP is off; "+exporter.EnvPrefix+"WEB_ACCEPT=true allows it.",
		func(w http.ResponseWriter, r *http.Request) {
			if err := b.accept(r.URL.Query().Get("model")); err != nil {
				http.Error(w, fmt.Sprintf("It cannot be accepted: %v", err), http.StatusNotFound)
				return
			}
			_, _ = fmt.Fprintln(w, "The present speed is the normal one from now on, and the present answers are.")
		})
}

// accept takes the present speed and the present answers of a model as its normal ones. The error is that nothing is known of either.
func (b *Bench) accept(model string) error {
	known := b.book.Accept(model)
	if err := b.clerk.Accept(model); err != nil && !known {
		return err
	}
	return nil
}

// AcceptIn takes the present speed and the present answers of a model as its normal ones where no exporter runs by cfg. The error is
// judging.ErrInUse where one does, and judging.ErrUnknown where nothing is known of either.
func AcceptIn(cfg exporter.Config, model string) error {
	err := judging.AcceptIn(filepath.Join(cfg.StateDir, judging.File), model)
	if err != nil && !errors.Is(err, judging.ErrUnknown) {
		return err
	}
	known, failed := answers.AcceptIn(filepath.Join(cfg.StateDir, answers.File), model)
	if failed != nil || known {
		return failed
	}
	return err
}
