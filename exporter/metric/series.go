package metric

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Series are the series of a group that share the values of the group's labels. Keeping them
// saves looking labels up with every record. Records come one at a time.
type Series[T any] struct {
	feed       *Feed[T]
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

// With returns the series with those values of the group's labels, and creates those that exist
// from the start.
func (f *Feed[T]) With(values ...string) *Series[T] {
	s := &Series[T]{feed: f, own: make([][]string, len(f.gauges))}
	for _, v := range values {
		s.labels = append(s.labels, Label(v))
	}
	for i, c := range f.group.Counters {
		var made counterSeries
		switch {
		case c.Of != nil:
			made.by = make(map[string]prometheus.Counter, len(c.Values))
			for _, v := range c.Values {
				made.by[v] = f.counters[i].WithLabelValues(s.with(v)...)
			}
		case !c.Late:
			made.one = f.counters[i].WithLabelValues(s.labels...)
		}
		s.counters = append(s.counters, made)
	}
	for _, h := range f.histograms {
		s.histograms = append(s.histograms, h.WithLabelValues(s.labels...))
	}
	return s
}

// with returns the values of all labels of a family whose own have these.
func (s *Series[T]) with(own ...string) []string { return append(slices.Clone(s.labels), own...) }

// Record adds r to counters and histograms, and shows in the gauges what r yields. The rest of
// the gauges vanishes.
func (s *Series[T]) Record(r T) {
	g := &s.feed.group
	if g.Known != nil && !g.Known(r) {
		s.Withdraw()
		return
	}
	for i := range g.Counters {
		s.count(i, r)
	}
	for i := range g.Histograms {
		g.Histograms[i].Samples(r, s.histograms[i])
	}
	s.Show(r)
}

// Show shows in the gauges what r yields, as Record does, and adds it nowhere: for a record that
// was added before a restart.
func (s *Series[T]) Show(r T) {
	g := &s.feed.group
	if g.Known != nil && !g.Known(r) {
		s.Withdraw()
		return
	}
	for i := range g.Gauges {
		if v, known := g.Gauges[i].Value(r); known && finite(v) {
			s.show(i, r, v)
		} else {
			s.remove(i)
		}
	}
}

func (s *Series[T]) count(i int, r T) {
	c := &s.feed.group.Counters[i]
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
		counter = s.feed.counters[i].WithLabelValues(s.labels...)
		s.counters[i].one = counter
	}
	counter.Add(v)
}

func (s *Series[T]) show(i int, r T, v float64) {
	g := &s.feed.group.Gauges[i]
	if g.Own == nil {
		s.feed.gauges[i].WithLabelValues(s.labels...).Set(v)
		return
	}
	own := g.Own(r)
	for j := range own {
		own[j] = Label(own[j])
	}
	if !slices.Equal(own, s.own[i]) {
		s.remove(i)
	}
	s.feed.gauges[i].WithLabelValues(s.with(own...)...).Set(v)
	s.own[i] = own
}

func (s *Series[T]) remove(i int) {
	g := &s.feed.group.Gauges[i]
	if g.Own == nil {
		s.feed.gauges[i].DeleteLabelValues(s.labels...)
		return
	}
	if s.own[i] != nil {
		s.feed.gauges[i].DeleteLabelValues(s.with(s.own[i]...)...)
		s.own[i] = nil
	}
}

// Withdraw removes the gauges; counters and histograms stay.
func (s *Series[T]) Withdraw() {
	for i := range s.feed.gauges {
		s.remove(i)
	}
}

// Delete removes everything. s must not be used afterwards.
func (s *Series[T]) Delete() {
	s.Withdraw()
	labels := prometheus.Labels{}
	for i, name := range s.feed.group.Labels {
		labels[name] = s.labels[i]
	}
	for _, v := range s.feed.counters {
		v.DeletePartialMatch(labels)
	}
	for _, v := range s.feed.histograms {
		v.DeletePartialMatch(labels)
	}
}
