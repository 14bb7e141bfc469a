package exporter

import (
	"sync"
	"time"

	"exo-bench-exporter/exporter/metric"
)

// reloads are the series of how reading the configuration went, of an exporter that measures and of a memory agent.
type reloads struct {
	mu sync.Mutex // records come one at a time
	ok *metric.Series[bool]
	at *metric.Series[time.Time]
}

// newReloads registers with set; the configuration that the program begins with could be used.
func newReloads(set *metric.Set) *reloads {
	r := &reloads{
		ok: alone(set, "config_last_reload_successful", "1 or 0",
			"1 when the configuration that was read last could be used, 0 otherwise.", "", boolValue),
		at: alone(set, "config_last_reload_success_timestamp_seconds", "seconds since 1970",
			"Unix time in seconds at which a configuration was last read that could be used.", "", unixSeconds),
	}
	r.Reloaded(true, time.Now())
	return r
}

// Reloaded records whether the configuration that was read at that time could be used.
func (r *reloads) Reloaded(ok bool, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ok.Record(ok)
	if ok {
		r.at.Record(at)
	}
}
