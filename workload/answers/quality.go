package answers

import (
	"math"

	"exo-bench-exporter/workload"
)

const (
	// leastTurns is from how many on it is known what is usual, and mostTurns how many are remembered.
	leastTurns, mostTurns = 12, 48
	// loss is by how much a share lies below its usual one at least in a turn that is suspicious: three of ten; and sigmas by how
	// many standard deviations, for nodes whose answers scatter.
	loss, sigmas = 0.25, 3.5
	// hopeless is the share of right answers that is suspicious whatever is usual: one of ten.
	hopeless = 0.1
	// again is how many suspicious turns in a row make answers worse, and how many others end that.
	again = 2
	// fewAnswers is how many answers that could be judged a share is made of at least.
	fewAnswers = 8
)

// sample is how good a turn's answers are by one yardstick.
type sample struct {
	by    workload.Yardstick
	share float64
	epoch workload.Epoch
}

func samples(t workload.Turn) (all []sample) {
	if share, ok := t.Correct(); ok && t.Asked.Of >= fewAnswers {
		all = append(all, sample{workload.ByCanary, share, workload.Epoch{SHA256: t.Asked.Version}})
	}
	if share, seen := t.Degenerate(); seen >= fewAnswers {
		ok := t.OKResults()
		all = append(all, sample{workload.BySigns, 1 - share, ok[len(ok)-1].Epoch})
	}
	return all
}

// quality is what is known of a model's answers by one yardstick. Turns that are suspicious teach nothing.
type quality struct {
	Of    string    `json:"of"`
	Turn  int       `json:"turn"`   // when it was judged last
	Last  float64   `json:"last"`   // share of the last turn
	Usual []float64 `json:"shares"` // of turns, oldest first
	Low   int       `json:"low"`    // suspicious turns in a row
	Fine  int       `json:"fine"`   // other ones in a row
	Worse bool      `json:"worse"`
}

// usual returns the median share, and the share at which a turn is suspicious, which is below 0 where none is low enough to tell
// anything; false while too few turns are known.
func (q *quality) usual() (usual, low float64, known bool) {
	if len(q.Usual) < leastTurns {
		return 0, 0, false
	}
	usual, known = workload.Quantile(q.Usual, 0.5)
	return usual, usual - max(loss, sigmas*deviation(q.Usual)), known
}

// deviation returns the standard deviation of shares.
func deviation(shares []float64) float64 {
	var sum, squares float64
	for _, s := range shares {
		sum += s
		squares += s * s
	}
	n := float64(len(shares))
	return math.Sqrt(max(0, squares/n-sum*sum/n/n))
}

func (q *quality) judge(s sample) workload.Quality {
	usual, bound, known := q.usual()
	low := s.share <= bound
	if !known {
		low = s.by == workload.ByCanary && s.share <= hopeless
	}
	q.Last = s.share
	if low {
		q.Low, q.Fine = q.Low+1, 0
	} else {
		q.Low, q.Fine = 0, q.Fine+1
	}
	switch {
	case q.Low >= again:
		q.Worse = true
	case q.Fine >= again:
		q.Worse = false
	}
	if !low && !q.Worse {
		q.learn(s.share)
	}
	return workload.Quality{By: s.by, Now: s.share, Usual: usual, Learning: !known, Worse: q.Worse}
}

// standing returns what the last turn said that had a share.
func (q *quality) standing(by workload.Yardstick) workload.Quality {
	usual, _, known := q.usual()
	return workload.Quality{By: by, Now: q.Last, Usual: usual, Learning: !known, Worse: q.Worse}
}

func (q *quality) learn(share float64) {
	q.Usual = append(q.Usual, share)
	q.Usual = q.Usual[max(0, len(q.Usual)-mostTurns):]
}

// accept makes the last share the usual one.
func (q *quality) accept() {
	q.Usual = q.Usual[:0]
	for range leastTurns {
		q.learn(q.Last)
	}
	q.Low, q.Fine, q.Worse = 0, 0, false
}
