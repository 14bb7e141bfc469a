package app

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"exo-bench-exporter/exporter"
)

// Reload reads the configuration and the suite anew, checks them, and has them take effect when
// the turn that runs has ended: then a cycle begins, or the next one comes at its new time where
// none was running. Models that stay keep their series. Where something is wrong the error says
// what, and everything goes on as it was.
func (b *Bench) Reload() error {
	b.loading.Lock()
	defer b.loading.Unlock()
	rig, err := b.reload()
	b.metrics.Reloaded(err == nil, time.Now())
	if err != nil {
		b.log.Error("The configuration cannot be reloaded; the old one stays", "err", err)
		return err
	}
	if b.next != nil { // nobody has taken it up yet
		b.next.close()
	}
	b.next = rig
	b.Rig().runner.Stop()
	b.log.Info("The configuration was read anew and takes effect between two turns")
	return nil
}

// reload returns the rig that the configuration asks for now.
func (b *Bench) reload() (*Rig, error) {
	if b.load == nil {
		return nil, errors.New("this configuration did not come from an environment")
	}
	cfg, err := b.load()
	if err != nil {
		return nil, err
	}
	if err := b.Rig().Config.CanBecome(cfg); err != nil {
		return nil, err
	}
	w, err := newWiring(cfg, b.seams)
	if err != nil {
		return nil, err
	}
	return b.newRig(cfg, w)
}

// swap puts the next rig in the place of the one that has ended.
func (b *Bench) swap() {
	b.loading.Lock()
	defer b.loading.Unlock()
	old, rig := b.Rig(), b.next
	b.next = nil
	first, last := old.runner.Next()
	old.close()
	rig.mount(b.feed.Meter, b.observers(), first, last)
	b.rig.Store(rig)
	b.metrics.Apply(rig.wiring.shown)
	b.store.Apply(rig.wiring.shown)
	b.log.Info("The new configuration is in effect", "exo", rig.Config.ExoURL, "models", len(rig.Config.Models),
		"suite", rig.Suite.Version, "interval", rig.Config.CycleInterval)
}

// reloadHandler lets users reload by HTTP, if enabled.
func (b *Bench) reloadHandler(enabled bool) http.Handler {
	return onRequest(enabled, "Reloading by HTTP is off; "+exporter.EnvPrefix+"WEB_RELOAD=true allows it.",
		func(w http.ResponseWriter, _ *http.Request) {
			if err := b.Reload(); err != nil {
				http.Error(w, fmt.Sprintf("The configuration cannot be reloaded: %v", err), http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprintln(w, "The configuration was read anew and takes effect between two turns.")
		})
}
