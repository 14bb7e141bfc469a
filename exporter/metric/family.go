package metric

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload/exo/foreign"
)

// Namespace begins the name of every family.
const Namespace = "exobench"

// Kind is the type of a family, as Prometheus names it.
type Kind string

// The kinds of families.
const (
	KindCounter   Kind = "counter"
	KindGauge     Kind = "gauge"
	KindHistogram Kind = "histogram"
)

// Family says what a metric family is.
type Family struct {
	Name   string   // without the namespace
	Unit   string   // what a value counts, for people: "seconds", "tokens"
	Help   string   // what a value means, in whole sentences
	Absent string   // when a series does not exist: "where …" or "when …"; empty when there always is one
	Labels []string // of its own, after those of its group
}

// Declared is a family as it was registered.
type Declared struct {
	Family
	Kind Kind
}

// FullName returns the name with the namespace.
func (f Family) FullName() string { return prometheus.BuildFQName(Namespace, "", f.Name) }

// in returns f as a member of a group with those labels, whose series are absent at times.
func (f Family) in(labels []string, absent string) Family {
	f.Labels = append(append([]string{}, labels...), f.Labels...)
	switch {
	case f.Absent == "":
		f.Absent = absent
	case absent != "":
		f.Absent += ", and " + absent
	}
	return f
}

// help returns the text of the family's HELP line.
func (f Family) help() string {
	if f.Absent == "" {
		return f.Help
	}
	return f.Help + " Absent " + f.Absent + "."
}

// maxLabel bounds a label's value in bytes.
const maxLabel = 256

// Label returns s as a label value that no reader chokes on: printable, and of at most 256
// bytes. Names that a node gives end up in labels.
func Label(s string) string { return foreign.Cut(s, maxLabel) }

// finite reports whether v can be shown: everything but NaN and the infinities.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
