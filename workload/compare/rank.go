package compare

import (
	"math"
	"slices"
	"sort"
)

// Interval is an estimate and its bounds.
type Interval struct {
	Centre, Low, High float64
}

// excludes reports whether v is outside of i.
func (i Interval) excludes(v float64) bool { return v < i.Low || v > i.High }

// within reports whether all of i is at most margin from 0.
func (i Interval) within(margin float64) bool { return i.Low >= -margin && i.High <= margin }

// half returns the longer of the two arms of i.
func (i Interval) half() float64 { return max(i.Centre-i.Low, i.High-i.Centre) }

// widened returns i with arms that are f times as long.
func (i Interval) widened(f float64) Interval {
	return Interval{i.Centre, i.Centre - f*(i.Centre-i.Low), i.Centre + f*(i.High-i.Centre)}
}

// shift estimates by how much b is greater than a: the median of all differences of one of b and one of a
// (Hodges and Lehmann, 1963), between those differences beyond which Mann's and Whitney's test would reject a
// shift at the level alpha (Moses' interval; Hollander and Wolfe, Nonparametric Statistical Methods, § 4.3),
// exact for up to exactly pairs whatever the distribution. ok is false where so few values cannot give
// such an interval.
func shift(a, b []float64, alpha float64) (i Interval, ok bool) {
	d := newDifferences(a, b)
	if d.n() == 0 {
		return Interval{}, false
	}
	i.Centre = (d.at((d.n()-1)/2) + d.at(d.n()/2)) / 2
	k, ok := beyond(len(a), len(b), alpha)
	if !ok {
		return i, false
	}
	i.Low, i.High = d.between(k), -newDifferences(b, a).between(k)
	return i, true
}

// differences are those of all pairs of one of b and one of a, in order.
type differences struct {
	a, b []float64 // sorted
}

func newDifferences(a, b []float64) differences {
	d := differences{slices.Clone(a), slices.Clone(b)}
	slices.Sort(d.a)
	slices.Sort(d.b)
	return d
}

func (d differences) n() int { return len(d.a) * len(d.b) }

// between returns the k-th smallest difference, interpolated between its neighbours.
func (d differences) between(k float64) float64 {
	low := math.Floor(k)
	v := d.at(int(low))
	if k == low {
		return v
	}
	return v + (k-low)*(d.at(int(low)+1)-v)
}

// at returns the k-th smallest difference, from 0, by bisection over its value: there may be millions.
func (d differences) at(k int) float64 {
	low, high := d.b[0]-d.a[len(d.a)-1], d.b[len(d.b)-1]-d.a[0]
	for range 200 {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if d.atMost(middle) > k {
			high = middle
		} else {
			low = middle
		}
	}
	if d.atMost(low) > k {
		return low
	}
	return high
}

// atMost returns how many differences are v or less.
func (d differences) atMost(v float64) (n int) {
	j := 0
	for _, a := range d.a {
		for j < len(d.b) && d.b[j]-a <= v {
			j++
		}
		n += j
	}
	return n
}

// exactly is the number of pairs up to which the distribution of Mann's and Whitney's U is counted; beyond,
// it is as good as normal.
const exactly = 2500

// beyond returns how many differences lie beyond each end of the interval at the level alpha: the greatest
// k with P(U ≤ k) ≤ alpha/2, and of the way to the next one what makes that equal (Hettmansperger and
// Sheather, 1986, for the interval of a median), so that few values do not make the interval wider than it
// has to be. ok is false where even k = 0 is too many.
func beyond(n, m int, alpha float64) (k float64, ok bool) {
	if n*m > exactly {
		mean, sd := float64(n*m)/2, math.Sqrt(float64(n*m)*float64(n+m+1)/12)
		return max(0, mean-0.5+sd*normalQuantile(alpha/2)), true
	}
	below := distribution(n, m)
	next := sort.Search(len(below), func(k int) bool { return below[k] > alpha/2 })
	if next == 0 {
		return 0, false
	}
	at := next - 1
	return float64(at) + (alpha/2-below[at])/(below[next]-below[at]), true
}

// distribution returns P(U ≤ k) for each k of Mann's and Whitney's U of n and m values without ties,
// by their own recurrence (1947), in its form with one row at a time.
func distribution(n, m int) []float64 {
	p := make([]float64, n*m+1)
	p[0] = 1
	for i := 1; i <= n; i++ { // the product over i of (1 - x^(m+i)) / (1 - x^i), each divided by C(m+i, i)/C(m+i-1, i-1)
		for k := len(p) - 1; k >= m+i; k-- {
			p[k] -= p[k-m-i]
		}
		for k := i; k < len(p); k++ {
			p[k] += p[k-i]
		}
		scale := float64(i) / float64(m+i)
		for k := range p {
			p[k] *= scale
		}
	}
	sum := 0.0
	for k, v := range p {
		sum += v
		p[k] = sum
	}
	return p
}

// normalQuantile returns the p-quantile of the normal distribution.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }
