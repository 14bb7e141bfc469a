package metric

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Source tells emit of every record there is at this moment, each with the values of the
// group's labels. It answers from memory: it is asked at every scrape.
type Source[T any] func(emit func(record T, labels ...string))

// Total declares a counter that somebody else counts. A series exists while the record yields a value.
type Total[T any] struct {
	Family
	// Value and Own are as those of a Gauge.
	Value func(T) (float64, bool)
	Own   func(T) []string
}

// Snapshot registers gauges that show what source tells at the moment of a scrape, so that no
// scrape sees half of an update. Of records whose labels are the same the first counts. It
// panics when set's registry has one of the families already.
func Snapshot[T any](set *Set, labels []string, source Source[T], gauges ...Gauge[T]) {
	snap(set, labels, source, KindGauge, prometheus.GaugeValue, gauges)
}

// SnapshotTotals is Snapshot for counters.
func SnapshotTotals[T any](set *Set, labels []string, source Source[T], totals ...Total[T]) {
	values := make([]Gauge[T], len(totals))
	for i, total := range totals {
		values[i] = Gauge[T](total)
	}
	snap(set, labels, source, KindCounter, prometheus.CounterValue, values)
}

func snap[T any](set *Set, labels []string, source Source[T], kind Kind, typ prometheus.ValueType, gauges []Gauge[T]) {
	c := &snapshot[T]{source: source, gauges: gauges, typ: typ}
	var families []Declared
	for _, g := range gauges {
		family := g.in(labels, "")
		families = append(families, Declared{family, kind})
		c.descs = append(c.descs, prometheus.NewDesc(family.FullName(), family.help(), family.Labels, nil))
	}
	set.Foreign(c, families...)
}

type snapshot[T any] struct {
	source Source[T]
	gauges []Gauge[T]
	typ    prometheus.ValueType
	descs  []*prometheus.Desc // of each gauge; gauges of one family have equal ones
}

// Describe implements prometheus.Collector.
func (c *snapshot[T]) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *snapshot[T]) Collect(ch chan<- prometheus.Metric) {
	seen := make(map[string]bool)
	c.source(func(r T, labels ...string) {
		for i := range labels {
			labels[i] = Label(labels[i])
		}
		key := strings.Join(labels, "\xff") // no byte of a label's
		if seen[key] {
			return
		}
		seen[key] = true
		for i, g := range c.gauges {
			v, known := g.Value(r)
			if !known || !finite(v) {
				continue
			}
			all := labels
			if g.Own != nil {
				all = append([]string{}, labels...)
				for _, o := range g.Own(r) {
					all = append(all, Label(o))
				}
			}
			ch <- prometheus.MustNewConstMetric(c.descs[i], c.typ, v, all...)
		}
	})
}
