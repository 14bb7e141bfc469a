package exporter

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"

	"exo-bench-exporter/exporter/metric"
)

// Version returns the version of the running program as its build recorded it: a tag, a
// pseudo-version with commit and time, or "(devel)".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// newProcessSet registers what the exporter tells of itself.
func newProcessSet(reg prometheus.Registerer) *metric.Set {
	set := metric.NewSet(reg)
	set.Foreign(
		versioncollector.NewCollector(metric.Namespace, versioncollector.WithExtraConstLabels(prometheus.Labels{"version": Version()})),
		metric.Declared{Kind: metric.KindGauge, Family: metric.Family{
			Name: "build_info", Unit: "none", Labels: []string{"version", "revision", "branch", "goversion", "goos", "goarch", "tags"},
			Help: "Constant 1; the labels say from what and with what the exporter was built.",
		}},
	)
	return set
}
