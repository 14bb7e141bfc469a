package metric

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Set registers families and remembers what was declared. It is filled by one goroutine before
// it is used by several.
type Set struct {
	reg      prometheus.Registerer
	declared []Declared
	vecs     []vec
}

// vec is what all of client_golang's vectors have in common.
type vec interface {
	prometheus.Collector
	DeletePartialMatch(prometheus.Labels) int
}

// NewSet returns a Set that registers with reg.
func NewSet(reg prometheus.Registerer) *Set { return &Set{reg: reg} }

// Families returns the families that were registered with any of sets, in the order of their
// names.
func Families(sets ...*Set) []Declared {
	var all []Declared
	for _, s := range sets {
		all = append(all, s.declared...)
	}
	slices.SortFunc(all, func(a, b Declared) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Declared) bool { return a.Name == b.Name })
}

// Delete deletes the series of every group that have all of labels.
func (s *Set) Delete(labels prometheus.Labels) {
	shown := make(prometheus.Labels, len(labels))
	for name, value := range labels {
		shown[name] = Label(value)
	}
	for _, v := range s.vecs {
		v.DeletePartialMatch(shown)
	}
}

// Foreign registers a collector that is not made by this package, with what it collects. It
// panics when one of the families is registered already.
func (s *Set) Foreign(c prometheus.Collector, families ...Declared) {
	s.reg.MustRegister(c)
	s.declared = append(s.declared, families...)
}

func (s *Set) add(v vec, f Family, k Kind) {
	s.Foreign(v, Declared{f, k})
	s.vecs = append(s.vecs, v)
}
