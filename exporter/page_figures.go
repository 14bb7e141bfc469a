package exporter

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// spark is a line of decode rates over a day, as an SVG of sparkWidth by sparkHeight has it.
type spark struct {
	Points string // of a polyline
	X, Y   string // of the last one
	Label  string // what it shows, in words
}

const (
	sparkWidth, sparkHeight = 120.0, 28.0
	// sparkEdge keeps the line's ends within the picture.
	sparkEdge = 3.0
	// sparkLeast is the least range of a picture as a share of its middle: noise does not fill it.
	sparkLeast = 0.1
)

// newSpark returns the line of day's rates; nil where there are fewer than two.
func newSpark(points []Point) *spark {
	points = slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return p.Output <= 0 })
	if len(points) < 2 {
		return nil
	}
	first, last := points[0], points[len(points)-1]
	low, high := first.Output, first.Output
	for _, p := range points {
		low, high = min(low, p.Output), max(high, p.Output)
	}
	middle := (low + high) / 2
	span := max(high-low, sparkLeast*middle)
	long := max(last.At.Sub(first.At), time.Second)
	s := &spark{Label: fmt.Sprintf("tok/s from %.1f to %.1f in %s", low, high, roundDuration(long))}
	all := make([]string, 0, len(points))
	for _, p := range points {
		s.X = fmt.Sprintf("%.1f", sparkEdge+(sparkWidth-2*sparkEdge)*float64(p.At.Sub(first.At))/float64(long))
		s.Y = fmt.Sprintf("%.1f", sparkHeight/2-(sparkHeight-2*sparkEdge)*(p.Output-middle)/span)
		all = append(all, s.X+","+s.Y)
	}
	s.Points = strings.Join(all, " ")
	return s
}

// formatChange returns a ratio as a signed percentage; empty where it is not known.
func formatChange(ratio *float64) string {
	if ratio == nil {
		return ""
	}
	return fmt.Sprintf("%+.1f %%", 100**ratio)
}

// Amount says how much of a load or a download is done; empty where that is not known.
func (l Loading) Amount() string {
	switch {
	case l.Total == 0:
		return ""
	case !l.Bytes:
		return fmt.Sprintf("%d of %d layers", l.Done, l.Total)
	}
	amount := fmt.Sprintf("%.2f of %.2f GB", float64(l.Done)/1e9, float64(l.Total)/1e9)
	if l.BytesPerSecond > 0 {
		amount += fmt.Sprintf(" at %.1f MB/s", l.BytesPerSecond/1e6)
	}
	return amount
}
