package page

import (
	"fmt"
	"math"
	"strings"

	"exo-bench-exporter/workload/report"
)

// A drawing is wide × high units, stretched to whatever room there is: lines keep their thickness, and all that is to be read
// stands beside it as text.
const wide, high = 1000, 100

// histograms are distributions below each other, on one logarithmic axis.
type histograms struct {
	Rows  []histogram
	Ticks []tick
	Empty bool
}

type histogram struct {
	Model  string
	N      string
	Path   string
	Middle float64 // of wide
	Far    float64 // the p99; 0 where there is none
	Words  string
	Absent string
}

// tick is a text at a part of an axis, in per cent of its length.
type tick struct {
	At   float64
	Text string
}

func firstTokens(r report.Report) histograms {
	return draw(r, func(m report.Model) (report.Distribution, report.Figure, report.Figure) {
		return m.TTFT, m.TTFT50, m.TTFT99
	})
}

func gaps(r report.Report) histograms {
	return draw(r, func(m report.Model) (report.Distribution, report.Figure, report.Figure) {
		return m.Gaps, m.Gap50, m.Gap99
	})
}

func draw(r report.Report, of func(report.Model) (report.Distribution, report.Figure, report.Figure)) (h histograms) {
	first, last := math.MaxInt, math.MinInt
	for _, m := range r.Models {
		d, _, _ := of(m)
		if a, b, ok := d.Span(); ok {
			first, last = min(first, a), max(last, b)
		}
	}
	if h.Empty = first > last; h.Empty {
		return h
	}
	x := axis{float64(first - 2), float64(last + 1)} // in bins, with some room
	for _, m := range r.Models {
		d, middle, far := of(m)
		row := histogram{Model: m.Name, N: basis(middle), Path: steps(d, x)}
		switch {
		case !middle.Known:
			row.Absent = middle.Absent
		case far.Known:
			row.Middle, row.Far = x.of(middle.Value), x.of(far.Value)
			row.Words = fmt.Sprintf("p50 %s, p99 %s", amount(middle), amount(far))
		default:
			row.Middle = x.of(middle.Value)
			row.Words = "p50 " + amount(middle)
		}
		h.Rows = append(h.Rows, row)
	}
	h.Ticks = x.ticks()
	return h
}

// axis is a logarithmic one, from one bin to another.
type axis struct{ first, last float64 }

// bin is where the upper bound of bin k is.
func (x axis) bin(k float64) float64 { return wide * (k - x.first) / (x.last - x.first) }

// of is where a time in seconds is.
func (x axis) of(v float64) float64 { return x.bin(math.Log2(v) / math.Log2(report.Bound(1))) }

// ticks are round times, few enough for a phone.
func (x axis) ticks() []tick {
	for _, steps := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		var all []tick
		for decade := -6; decade <= 4; decade++ {
			for _, s := range steps {
				v := s * math.Pow10(decade)
				if at := x.of(v) / wide * 100; at >= 3 && at <= 94 {
					all = append(all, tick{at, seconds(v)})
				}
			}
		}
		if len(all) <= 6 {
			return all
		}
	}
	return nil
}

// steps is the outline of a distribution, its greatest bin as high as the drawing.
func steps(d report.Distribution, x axis) string {
	first, last, ok := d.Span()
	if !ok {
		return ""
	}
	most := 0.0
	for _, n := range d.Bins {
		most = max(most, n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%.1f %d", x.bin(float64(first-1)), high)
	for k := first; k <= last; k++ {
		fmt.Fprintf(&b, "V%.1fH%.1f", high*(1-d.Bins[k]/most), x.bin(float64(k)))
	}
	fmt.Fprintf(&b, "V%dZ", high)
	return b.String()
}
