package metric

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Series are the series of a feed that share the values of its labels. Keeping them saves
// looking labels up with every record. Records come one at a time.
type Series[T any] struct{ parts []*partSeries[T] }

// partSeries are the series of one group.
type partSeries[T any] struct {
	of         *part[T]
	labels     []string
	counters   []counterSeries
	histograms []prometheus.Observer
	own        [][]string // of each gauge, the values of its own labels that are shown
}

// counterSeries are the series of one counter; by is nil where the family has no own label.
type counterSeries struct {
	one prometheus.Counter // nil while a late one does not exist
	by  map[string]prometheus.Counter
}

// With returns the series with those values of the labels, and creates those that exist from the
// start.
func (f *Feed[T]) With(values ...string) *Series[T] {
	var labels []string
	for _, v := range values {
		labels = append(labels, Label(v))
	}
	s := &Series[T]{}
	for _, p := range f.parts {
		s.parts = append(s.parts, p.with(labels))
	}
	return s
}

func (p *part[T]) with(labels []string) *partSeries[T] {
	s := &partSeries[T]{of: p, labels: labels, own: make([][]string, len(p.gauges))}
	for i, c := range p.Counters {
		var made counterSeries
		switch {
		case c.Of != nil:
			made.by = make(map[string]prometheus.Counter, len(c.Values))
			for _, v := range c.Values {
				made.by[v] = p.counters[i].WithLabelValues(s.with(v)...)
			}
		case !c.Late:
			made.one = p.counters[i].WithLabelValues(labels...)
		}
		s.counters = append(s.counters, made)
	}
	for _, h := range p.histograms {
		s.histograms = append(s.histograms, h.WithLabelValues(labels...))
	}
	return s
}

// Record adds r to counters and histograms, and shows in the gauges what r yields. The rest of
// the gauges vanishes.
func (s *Series[T]) Record(r T) {
	for _, p := range s.parts {
		p.record(r)
	}
}

// Show shows in the gauges what r yields, as Record does, and adds it nowhere: for a record that
// was added before a restart.
func (s *Series[T]) Show(r T) {
	for _, p := range s.parts {
		p.reveal(r)
	}
}

// Withdraw removes the gauges; counters and histograms stay.
func (s *Series[T]) Withdraw() {
	for _, p := range s.parts {
		p.withdraw()
	}
}

// Delete removes everything. s must not be used afterwards.
func (s *Series[T]) Delete() {
	for _, p := range s.parts {
		p.delete()
	}
}

func (s *partSeries[T]) known(r T) bool { return s.of.Known == nil || s.of.Known(r) }

func (s *partSeries[T]) record(r T) {
	if s.known(r) {
		for i := range s.of.Counters {
			s.count(i, r)
		}
		for i := range s.of.Histograms {
			s.of.Histograms[i].Samples(r, s.histograms[i])
		}
	}
	s.reveal(r)
}

// reveal shows in the gauges what r yields.
func (s *partSeries[T]) reveal(r T) {
	if !s.known(r) {
		s.withdraw()
		return
	}
	for i := range s.of.Gauges {
		if v, known := s.of.Gauges[i].Value(r); known && finite(v) {
			s.show(i, r, v)
		} else if !s.of.Keep {
			s.remove(i)
		}
	}
}

func (s *partSeries[T]) withdraw() {
	if s.of.Keep {
		return
	}
	for i := range s.of.gauges {
		s.remove(i)
	}
}

func (s *partSeries[T]) delete() {
	labels := prometheus.Labels{}
	for i, name := range s.of.Labels {
		labels[name] = s.labels[i]
	}
	for _, v := range s.of.counters {
		v.DeletePartialMatch(labels)
	}
	for _, v := range s.of.histograms {
		v.DeletePartialMatch(labels)
	}
	for _, v := range s.of.gauges {
		v.DeletePartialMatch(labels)
	}
}

func (s *partSeries[T]) count(i int, r T) {
	c := &s.of.Counters[i]
	v := 1.0
	if c.Value != nil {
		v = c.Value(r)
	}
	if !finite(v) || v <= 0 {
		return
	}
	counter := s.counters[i].one
	switch {
	case c.Of != nil:
		if counter = s.counters[i].by[c.Of(r)]; counter == nil {
			return
		}
	case counter == nil:
		counter = s.of.counters[i].WithLabelValues(s.labels...)
		s.counters[i].one = counter
	}
	counter.Add(v)
}

func (s *partSeries[T]) show(i int, r T, v float64) {
	g := &s.of.Gauges[i]
	if g.Own == nil {
		s.of.gauges[i].WithLabelValues(s.labels...).Set(v)
		return
	}
	own := g.Own(r)
	for j := range own {
		own[j] = Label(own[j])
	}
	if !slices.Equal(own, s.own[i]) {
		s.remove(i)
	}
	s.of.gauges[i].WithLabelValues(s.with(own...)...).Set(v)
	s.own[i] = own
}

func (s *partSeries[T]) remove(i int) {
	if s.of.Gauges[i].Own == nil {
		s.of.gauges[i].DeleteLabelValues(s.labels...)
		return
	}
	if s.own[i] != nil {
		s.of.gauges[i].DeleteLabelValues(s.with(s.own[i]...)...)
		s.own[i] = nil
	}
}

// with returns the values of all labels of a family whose own have these.
func (s *partSeries[T]) with(own ...string) []string { return append(slices.Clone(s.labels), own...) }
