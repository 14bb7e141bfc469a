package metric

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Group declares the families that records of type T feed, and that are labeled alike.
type Group[T any] struct {
	Labels []string // of every family of the group, before its own
	// Known says whether a record yields figures; nil means that every one does. One that does
	// not adds nothing to counters and histograms, and withdraws the gauges.
	Known func(T) bool
	// Absent says when Known is false, for the families' documentation: "when …".
	Absent string
	// Keep lets gauges that were shown stand where they would be withdrawn: they tell of a moment
	// in the past, or of the last record whatever it was.
	Keep bool

	Counters   []Counter[T]
	Histograms []Histogram[T]
	Gauges     []Gauge[T]
}

// Counter declares a counter. Its series exist from zero on.
type Counter[T any] struct {
	Family
	// Value returns what a record adds; nil stands for 1. What is not finite and positive adds
	// nothing.
	Value func(T) float64
	// Values are those that the family's one own label can have, and Of returns the one that a
	// record counts under. A record that counts under another counts nowhere, so that the number
	// of series is fixed. Both are nil where the family has no label of its own.
	Values []string
	Of     func(T) string
	// Late defers the series until a record adds to it.
	Late bool
}

// Histogram declares a histogram with classic and native buckets. Its series exist from the
// start.
type Histogram[T any] struct {
	Family
	Buckets []float64 // upper bounds of the classic ones
	// Samples gives every sample that a record yields to o.
	Samples func(r T, o prometheus.Observer)
}

// Gauge declares a gauge. A series exists while the last record yielded a value.
type Gauge[T any] struct {
	Family
	// Value returns the figure, and whether the record yielded it. What is not finite is not shown.
	Value func(T) (float64, bool)
	// Own returns the values of the family's own labels; nil where it has none. The series with
	// the values of the record before vanishes.
	Own func(T) []string
}

// Always makes a value of a figure that every record yields.
func Always[T any](value func(T) float64) func(T) (float64, bool) {
	return func(r T) (float64, bool) { return value(r), true }
}

// Constant is the value of a gauge whose labels are what it says.
func Constant[T any](T) (float64, bool) { return 1, true }

// Native histograms resolve 10 % steps; 160 buckets then span a factor of 4 million, and a
// histogram that needs more is reset at most once an hour.
const (
	nativeBucketFactor     = 1.1
	nativeMaxBuckets       = 160
	nativeMinResetDuration = time.Hour
)

// Feed is what records of type T feed: groups that were registered together.
type Feed[T any] struct{ parts []*part[T] }

// part is a group with its vectors.
type part[T any] struct {
	Group[T]
	counters   []*prometheus.CounterVec // as in Group
	histograms []*prometheus.HistogramVec
	gauges     []*prometheus.GaugeVec
}

// Register registers the families of groups, which have the same labels, with set. It panics when
// set's registry has one already.
func Register[T any](set *Set, groups ...Group[T]) *Feed[T] {
	f := &Feed[T]{}
	for _, g := range groups {
		if !slices.Equal(g.Labels, groups[0].Labels) {
			panic("metric: groups of one feed have the labels " + strings.Join(groups[0].Labels, ", ") + " and " + strings.Join(g.Labels, ", "))
		}
		f.parts = append(f.parts, register(set, g))
	}
	return f
}

func register[T any](set *Set, g Group[T]) *part[T] {
	p := &part[T]{Group: g}
	for _, c := range g.Counters {
		family := c.in(g.Labels, "")
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: family.FullName(), Help: family.help()}, family.Labels)
		set.add(v, family, KindCounter)
		p.counters = append(p.counters, v)
	}
	for _, h := range g.Histograms {
		family := h.in(g.Labels, "")
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            family.FullName(),
			Help:                            family.help(),
			Buckets:                         h.Buckets,
			NativeHistogramBucketFactor:     nativeBucketFactor,
			NativeHistogramMaxBucketNumber:  nativeMaxBuckets,
			NativeHistogramMinResetDuration: nativeMinResetDuration,
		}, family.Labels)
		set.add(v, family, KindHistogram)
		p.histograms = append(p.histograms, v)
	}
	for _, gauge := range g.Gauges {
		family := gauge.in(g.Labels, g.Absent)
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: family.FullName(), Help: family.help()}, family.Labels)
		set.add(v, family, KindGauge)
		p.gauges = append(p.gauges, v)
	}
	return p
}
