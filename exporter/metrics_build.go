package exporter

import (
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
)

// Version returns the version of the running program as its build recorded it: a tag, a
// pseudo-version with commit and time, or "(devel)".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func newBuildInfo() prometheus.Collector {
	return versioncollector.NewCollector(namespace,
		versioncollector.WithExtraConstLabels(prometheus.Labels{"version": Version()}))
}
