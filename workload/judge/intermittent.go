package judge

import "math"

// intermittent watches for cycles that are slow again and again with normal ones in between: a
// cumulative sum of the likelihood ratio between a share of slow cycles that concerns somebody and
// the model's usual one (Page).
type intermittent struct {
	N, Slow float64 // cycles learnt from, and how many of them were slow
	Sum     float64
	Runs    int  // of slow cycles since Sum left zero
	Last    bool // the newest cycle was slow
	Since   int64
	Level   float64 // mean loss of slow cycles
	Quiet   int     // newest cycles without a slow one
	Active  bool

	Run     int   // newest cycles in a row that were slow
	Longest int   // run that went away by itself
	LongAt  int64 // when it was over
}

const (
	leastRuns  = 4  // fewer are no pattern
	quietAgain = 24 // cycles without a slow one after which it is over
	leastShare = 0.25
)

// usual returns the share of slow cycles that the model has without anything having changed.
func (m *intermittent) usual() float64 { return clamp((m.Slow+0.5)/(m.N+50), 0, 0.5) }

func (m *intermittent) learn(slow bool) {
	if m.N >= noiseMemory {
		m.N, m.Slow = m.N*(1-1.0/noiseMemory), m.Slow*(1-1.0/noiseMemory)
	}
	m.N++
	if slow {
		m.Slow++
	}
}

// step takes a cycle. Within a loss every cycle is slow, which is something else.
func (m *intermittent) step(c context, slow bool, x float64, at int64, lost bool) {
	if lost {
		m.Run = 0
		return
	}
	m.count(slow, at)
	usual := m.usual()
	share := clamp(4*usual, leastShare, 0.9)
	llr := math.Log((1 - share) / (1 - usual))
	limit := runLimit(c)
	m.Quiet++
	if slow {
		llr = 0 // slow cycles in a row are one event
		m.Quiet = 0
		if !m.Last {
			llr = math.Log(share / usual)
			m.Runs++
		}
	}
	m.Last = slow
	if m.Sum == 0 && slow {
		m.Since, m.Runs, m.Level = at, 1, x
	} else if slow {
		toward(&m.Level, x, 8)
	}
	m.Sum = clamp(m.Sum+llr, 0, 1.5*limit)
	if m.Sum == 0 {
		m.Runs = 0
	}
	switch {
	case !m.Active:
		// Slow cycles that last are a loss, which is for others to tell.
		m.Active = m.Sum >= limit && m.Runs >= leastRuns && !slow
	case m.Quiet >= quietAgain || m.Sum == 0:
		*m = intermittent{N: m.N, Slow: m.Slow, Longest: m.Longest, LongAt: m.LongAt}
	case at-m.Since > stale:
		*m = intermittent{N: 4 * quietAgain, Slow: 4 * quietAgain * min(0.5, share)}
	}
}

// count takes a cycle for the runs of slow ones.
func (m *intermittent) count(slow bool, at int64) {
	if slow {
		m.Run++
		return
	}
	if at-m.LongAt > rememberIt {
		m.Longest = 0
	}
	if m.Run > 1 && m.Run >= m.Longest {
		m.Longest, m.LongAt = m.Run, at
	}
	m.Run = 0
}

// runLimit returns the evidence that it takes.
func runLimit(c context) float64 { return c.strict * math.Log(10*falseAlarmDays*day/c.interval) }

// suspicious reports whether nothing should be learnt now.
func (m *intermittent) suspicious(c context) bool { return m.Active || m.Sum > runLimit(c)/2 }
