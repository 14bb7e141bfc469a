package rules

// Tuning holds the thresholds of the throughput and latency alarms. Their detection delay, power
// and rate of false alarms are what e2e/replay measures and prometheus/QUALITY.md says.
type Tuning struct {
	// MinHistory is the number of good cycles that a baseline, and then a noise, must rest on.
	MinHistory int
	// Settle is the age in cycles at which a cycle begins to count for the baseline: older than
	// any loss that an alarm is still making up its mind about.
	Settle int
	// HistoryPenalty widens the noise by √(1 + HistoryPenalty/n) when it rests on n cycles,
	// for the error of a young baseline.
	HistoryPenalty int

	// NoiseFloor is the least noise assumed, as a share of the baseline. Together with the
	// thresholds in units of noise it is the smallest loss that can raise an alarm.
	NoiseFloor, LatencyNoiseFloor, NodeNoiseFloor float64

	// SlowDeficit is the deficit from which a cycle counts as slow; SlowCycles of them running raise
	// the alarm, within SlowWindow cycles should one be missing. One that is not slow among them
	// breaks the run: of outliers in a hundred cycles, three come within four by chance.
	SlowDeficit            float64
	SlowCycles, SlowWindow int

	// Evidence over the last EvidenceWindow cycles raises the alarm above EvidenceThreshold. It is
	// the sum of deficits over the root of their number, plus OnsetWeight times the step from the
	// cycle before the window to the first in it and EdgeWeight times that to the newest. Noise that
	// carries over from cycle to cycle (lag-1 autocorrelation ρ) moves slowly, so that a step tells
	// more than a level. Generalized least squares weighs the cycle before by -2, the first by 3 and the
	// newest by 2 at ρ = 0.5, where those between count 1. With -1.5, 2 and 1.5 a loss stands out
	// 99 % as far there, and 88 % as far as at best at ρ = 0, where it stands out anyway.
	// A deficit counts as at most ScoreLimit, and not at all beyond OutlierDeficit: a single
	// cycle that bad says that something odd happened in it, and three are slow cycles.
	EvidenceWindow, EvidenceMin int
	EvidenceThreshold           float64
	OnsetWeight, EdgeWeight     float64
	ScoreLimit, OutlierDeficit  float64
	// EvidenceSpread is the standard deviation that evidence may have before it is held to
	// wander more than the noise explains. Thresholds then rise with its square: it lies above
	// the 1.77 that autocorrelation 0.5 gives, so as not to dull the alarms by a chance estimate,
	// and what exceeds it has that slack to make good too.
	EvidenceSpread float64

	// HoldDeficit ends an alarm when the median deficit of EvidenceWindow cycles falls below it
	// (and that of the last 3 below SlowDeficit).
	HoldDeficit float64

	// CollapseRatio is the share of the baseline below which CollapseCycles cycles are a collapse.
	CollapseRatio  float64
	CollapseCycles int

	// NodeSlowDeficit is SlowDeficit for the median over the models of a node.
	NodeSlowDeficit float64
	// NodeMinModels is the least number of models of which one may say that all are slow.
	NodeMinModels int
	// MostlyDeficit is the deficit of the latest cycle above which MostlyShare of the models
	// must be for alarms about single models to wait for the one about all.
	MostlyDeficit, MostlyShare float64

	// DriftWeek and DriftMonth are the losses against the same day one and four weeks before.
	DriftWeek, DriftMonth float64
}

// DefaultTuning is what the quality figures were measured with.
func DefaultTuning() Tuning {
	return Tuning{
		MinHistory:     24,
		Settle:         9,
		HistoryPenalty: 24,

		NoiseFloor:        0.0125,
		LatencyNoiseFloor: 0.03,
		NodeNoiseFloor:    0.0125,

		SlowDeficit: 3.5,
		SlowCycles:  3,
		SlowWindow:  4,

		EvidenceWindow:    8,
		EvidenceMin:       6,
		EvidenceThreshold: 7.7,
		OnsetWeight:       1,
		EdgeWeight:        0.5,
		ScoreLimit:        5,
		OutlierDeficit:    9,
		EvidenceSpread:    1.94,

		HoldDeficit: 1.2,

		CollapseRatio:  0.6,
		CollapseCycles: 2,

		NodeSlowDeficit: 3,
		NodeMinModels:   3,
		MostlyDeficit:   2.5,
		MostlyShare:     0.8,

		DriftWeek:  0.05,
		DriftMonth: 0.06,
	}
}
