package app

import (
	"log/slog"
	"time"

	"exo-bench-exporter/workload/exo/instance"
)

// loadingEvery bounds how often a load that goes on is spoken of.
const loadingEvery = 15 * time.Second

// loading returns the listener that is told how a load goes on.
func (s Seams) loading(log *slog.Logger) func(instance.Progress) {
	if s.Loading != nil {
		return s.Loading
	}
	return Seldom(func(p instance.Progress) {
		args := []any{"model", p.Model, "stage", p.Stage, "for", p.Elapsed.Round(time.Second)}
		if amount := LoadAmount(p); amount != "" {
			args = append(args, "done", amount)
		}
		log.Info("Waiting for a model", args...)
	})
}

// Seldom passes the first moment of each stage and then one every loadingEvery. A load that is
// over before anybody could wonder is not worth a word.
func Seldom(say func(instance.Progress)) func(instance.Progress) {
	var stage string
	var last time.Time
	return func(p instance.Progress) {
		if p.Elapsed < time.Second || p.Stage == stage && time.Since(last) < loadingEvery {
			return
		}
		stage, last = p.Stage, time.Now()
		say(p)
	}
}

// LoadAmount says how much of a download or a load is done; empty where exo does not say.
func LoadAmount(p instance.Progress) string { return shownLoading(p).Amount() }
