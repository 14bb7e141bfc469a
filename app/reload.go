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
	cfg, w, err := b.origin.anew(b.Rig().Config)
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
	rig.mount(b.mounting(), first, last)
	b.rig.Store(rig)
	b.metrics.Apply(rig.wiring.shown)
	b.store.Apply(rig.wiring.shown)
	b.log.Info("The new configuration is in effect", "exo", rig.Config.ExoURL, "models", len(rig.Config.Models),
		"suite", rig.Suite.Version, "interval", rig.Config.CycleInterval)
}

// origin is where a program's configuration comes from.
type origin struct {
	load  func() (exporter.Config, error) // reads it anew; nil where it was not read
	seams Seams
}

// anew returns what the configuration says now, for a program that runs by another one. The error is for the user.
func (o origin) anew(was exporter.Config) (exporter.Config, wiring, error) {
	if o.load == nil {
		return was, wiring{}, errors.New("this configuration did not come from an environment")
	}
	cfg, err := o.load()
	if err == nil {
		err = was.CanBecome(cfg)
	}
	if err != nil {
		return was, wiring{}, err
	}
	w, err := newWiring(cfg, o.seams)
	return cfg, w, err
}

// reloadHandler lets users reload by HTTP, if enabled; done says what has come of it.
func reloadHandler(enabled bool, reload func() error, done string) http.Handler {
	return onRequest(enabled, "Reloading by HTTP is off; "+exporter.EnvPrefix+"WEB_RELOAD=true allows it.",
		func(w http.ResponseWriter, _ *http.Request) {
			if err := reload(); err != nil {
				http.Error(w, fmt.Sprintf("The configuration cannot be reloaded: %v", err), http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprintln(w, done)
		})
}
