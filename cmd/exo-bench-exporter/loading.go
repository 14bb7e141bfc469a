package main

import (
	"fmt"
	"io"
	"time"

	"exo-bench-exporter/workload/exo/instance"
)

// loadingEvery bounds how often a load that goes on is spoken of.
const loadingEvery = 15 * time.Second

// seldom passes the first moment of each stage and then one every loadingEvery. A load that is
// over before anybody could wonder is not worth a word.
func seldom(say func(instance.Progress)) func(instance.Progress) {
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

// logLoading returns a listener that logs how a load goes on.
func (a *app) logLoading() func(instance.Progress) {
	return seldom(func(p instance.Progress) {
		args := []any{"model", p.Model, "stage", p.Stage, "for", p.Elapsed.Round(time.Second)}
		if amount := amount(p); amount != "" {
			args = append(args, "done", amount)
		}
		a.log.Info("Waiting for a model", args...)
	})
}

// printLoading returns a listener that prints how a load goes on.
func printLoading(w io.Writer) func(instance.Progress) {
	return seldom(func(p instance.Progress) {
		fmt.Fprintf(w, "      %s for %s %s\n", p.Stage, p.Elapsed.Round(time.Second), amount(p))
	})
}

// amount says how much of a download or a load is done; empty where exo does not say.
func amount(p instance.Progress) string {
	switch {
	case p.Total == 0:
		return ""
	case p.Stage == "downloading":
		return fmt.Sprintf("%.2f of %.2f GB at %.1f MB/s", float64(p.Done)/1e9, float64(p.Total)/1e9, p.BytesPerSecond/1e6)
	default:
		return fmt.Sprintf("%d of %d layers", p.Done, p.Total)
	}
}
