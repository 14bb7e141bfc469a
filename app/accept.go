package app

import (
	"fmt"
	"net/http"

	"exo-bench-exporter/exporter"
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
			if err := b.clerk.Accept(r.URL.Query().Get("model")); err != nil {
				http.Error(w, fmt.Sprintf("It cannot be accepted: %v", err), http.StatusNotFound)
				return
			}
			_, _ = fmt.Fprintln(w, "The present speed is the normal one from now on.")
		})
}
