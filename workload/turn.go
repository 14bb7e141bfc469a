package workload

import (
	"slices"
	"time"
)

// TurnOutcome says how one model's part of a cycle, or a cycle, ended.
type TurnOutcome string

// The outcomes of a turn. They are label values and therefore a contract.
const (
	TurnOK          TurnOutcome = "ok"          // every request succeeded
	TurnPartial     TurnOutcome = "partial"     // some requests failed
	TurnFailed      TurnOutcome = "failed"      // no request succeeded
	TurnUnavailable TurnOutcome = "unavailable" // exo does not know the model or cannot place it
	TurnSkipped     TurnOutcome = "skipped"     // node busy, or not enough memory
	TurnCanceled    TurnOutcome = "canceled"    // the exporter itself gave up, usually to stop
)

// TurnOutcomes lists every outcome of a turn.
func TurnOutcomes() []TurnOutcome {
	return []TurnOutcome{TurnOK, TurnPartial, TurnFailed, TurnUnavailable, TurnSkipped, TurnCanceled}
}

// Good reports whether the turn yielded figures.
func (o TurnOutcome) Good() bool { return o == TurnOK || o == TurnPartial }

// Load describes how a model came to be ready.
type Load struct {
	// Loaded is true when this turn loaded the model, false when it was ready already.
	Loaded bool
	// Owned is true when closing the session unloads the model again.
	Owned bool
	// Shared is true when other people's instances were loaded too.
	Shared bool
	// Duration is from asking for the instance to its being ready, download excluded; 0 where
	// nothing tells (legacy exo loads within the first request).
	Duration time.Duration
	// Download is the time spent downloading weights before that.
	Download time.Duration
}

// Memory is what exo's process tree occupied during a turn, in bytes; of RSS unless said otherwise.
type Memory struct {
	Samples    int    // samples that Median is taken from; 0 means that nothing was seen
	Median     uint64 // median over the turn, model loaded
	Peak       uint64 // maximum over the turn
	PeakSource string // "samples" or "vmhwm"
	Before     uint64 // just before the load; valid when HasBefore
	HasBefore  bool   // false where the model was loaded already
	After      uint64 // after unload and settling; valid when HasAfter
	HasAfter   bool
	// Proportional is the proportional set size (PSS), in which a page that several processes
	// share counts in parts, once after the last measured request with the model still loaded;
	// 0 where it is not known.
	Proportional uint64
	// Footprint is, by FootprintKind, what the processes' own memory comes to with the model loaded: of
	// a physical footprint the median over the turn, of one that is read when no request runs that
	// one value. FootprintPeak is the maximum over the turn. Each is 0 where it is not known.
	Footprint, FootprintPeak uint64
	FootprintKind            FootprintKind
	// GPU is what the processes hold of the memory of NVIDIA's GPUs on this machine, once after the
	// last measured request with the model still loaded; 0 where it is not known.
	GPU    uint64
	Shared bool // other instances were loaded too, so RSS is not this model's alone
}

// FootprintKind says what a footprint is, which systems tell in ways of their own. Kinds are label
// values and therefore a contract.
type FootprintKind string

const (
	// FootprintPhysical is macOS' physical footprint: memory that is the process's own, also where it is
	// compressed, with the GPU's buffers and without the pages of files. Activity Monitor shows it.
	FootprintPhysical FootprintKind = "physical"
	// FootprintPSS is Linux' proportional set size and what is swapped out in proportion. Pages of
	// files that are in memory count; a GPU's own memory does not.
	FootprintPSS FootprintKind = "pss_swap"
	// FootprintNone is where nothing tells.
	FootprintNone FootprintKind = "none"
)

// Turn is the immutable record of one model's part of a cycle.
type Turn struct {
	Cycle    int
	Model    string
	ExoModel string // id that was asked for; empty when none was found
	Start    time.Time
	Duration time.Duration
	Outcome  TurnOutcome
	// Reason says, for people, why Outcome is not ok and what to do; empty when it is.
	Reason string
	// Fix is the command that mends it, as it is to be typed; empty where there is none.
	Fix    string
	Load   Load
	Memory Memory
	Host   Host
	// Conditions are those of the exporter's machine while Results were measured.
	Conditions Conditions
	Asked      *Asked    // what became of the questions; nil where none were due
	Quality    []Quality // of the answers, by each yardstick of which anything is known
	Results    []Result  // measured requests in suite order, without the warm-up
}

// OKResults returns the results that succeeded.
func (t Turn) OKResults() []Result {
	var ok []Result
	for _, r := range t.Results {
		if r.OK() {
			ok = append(ok, r)
		}
	}
	return ok
}

// Epoch returns the method of the turn's last clean result; the zero Epoch when there is none.
func (t Turn) Epoch() Epoch {
	for _, r := range slices.Backward(t.Results) {
		if r.Clean() {
			return r.Epoch
		}
	}
	return Epoch{}
}

// CleanResults returns the clean results under the turn's Epoch: those that figures of the turn
// may be made of.
func (t Turn) CleanResults() []Result {
	var clean []Result
	epoch := t.Epoch()
	for _, r := range t.Results {
		if r.Clean() && r.Epoch == epoch {
			clean = append(clean, r)
		}
	}
	return clean
}

// DecodeRate returns Σ decode tokens / Σ decode seconds over the turn's clean requests whose
// rate the server's own does not contradict, in tokens per second; false when there are none.
func (t Turn) DecodeRate() (float64, bool) {
	var tokens int
	var decode time.Duration
	for _, r := range t.CleanResults() {
		if r.DecodeTokens() == 0 || r.RateDisagrees() {
			continue
		}
		tokens += r.DecodeTokens()
		decode += r.Decode
	}
	if tokens == 0 {
		return 0, false
	}
	return float64(tokens) / decode.Seconds(), true
}

// MedianTTFT returns the median time to first token over the turn's clean requests; false when
// there are none.
func (t Turn) MedianTTFT() (time.Duration, bool) {
	var all []time.Duration
	for _, r := range t.CleanResults() {
		if r.Timed {
			all = append(all, r.TTFT)
		}
	}
	return Quantile(all, 0.5)
}

// PeakReported returns the highest peak_memory_usage that exo reported in the turn's clean
// requests, in bytes as reported; false when it reported none.
func (t Turn) PeakReported() (uint64, bool) {
	var peak uint64
	for _, r := range t.CleanResults() {
		if r.Server != nil {
			peak = max(peak, r.Server.PeakMemoryBytes)
		}
	}
	return peak, peak > 0
}

// Energy returns the energy in joules of the turn's clean requests of which it and the number of their tokens are known,
// these tokens, and where it was taken from; no tokens when it is known of none.
func (t Turn) Energy() (joules float64, tokens int, from EnergySource) {
	for _, r := range t.CleanResults() {
		if n := r.CountedTokens(); n > 0 && r.EnergyJoules > 0 {
			joules, tokens, from = joules+r.EnergyJoules, tokens+n, r.EnergySource
		}
	}
	return joules, tokens, from
}

// EnergyPerToken returns the energy in joules per output token over the turn's clean requests of which it is known;
// false when it is known of none.
func (t Turn) EnergyPerToken() (float64, bool) {
	joules, tokens, _ := t.Energy()
	if tokens == 0 {
		return 0, false
	}
	return joules / float64(tokens), true
}

// mostBandwidth is the utilization beyond which either the bandwidth or what is read for a token is not what it is taken for: a
// mixture of experts reads a part of its weights, speculative decoding reads them once for several tokens.
const mostBandwidth = 1.1

// BandwidthUtilization returns the share of the memory's peak bandwidth that decoding used (MBU): of one stream each token reads all
// weights once, so it is DecodeRate · Host.WeightsBytes / Host.MemoryBandwidth. The cache of keys and values is left out: of a token
// of the context it holds 2 · layers · heads · width of a head · bytes of a value, and exo's card of a model tells neither of the
// last two. Of the table of embeddings, which is among the weights, a token reads one row. False where a part is not known or they do
// not fit together.
func (t Turn) BandwidthUtilization() (float64, bool) {
	rate, ok := t.DecodeRate()
	if !ok || t.Host.WeightsBytes == 0 || t.Host.MemoryBandwidth <= 0 {
		return 0, false
	}
	used := rate * float64(t.Host.WeightsBytes) / t.Host.MemoryBandwidth
	return used, used <= mostBandwidth
}

// Cycle is the immutable record of one pass over all models.
type Cycle struct {
	Number   int // counts from RunnerOptions.First
	Start    time.Time
	Duration time.Duration // without the time in which the machine slept
	// Slept is how long the machine slept meanwhile, 0 when it did not.
	Slept   time.Duration
	Outcome TurnOutcome // CycleOutcome of Turns, or canceled
	Turns   []Turn      // in the order in which they were run
}

// CycleOutcome returns the outcome of a cycle of these turns: ok when every turn was, failed when none yielded figures, partial otherwise.
func CycleOutcome(turns []Turn) TurnOutcome {
	good, ok := 0, 0
	for _, t := range turns {
		if t.Outcome.Good() {
			good++
		}
		if t.Outcome == TurnOK {
			ok++
		}
	}
	switch {
	case ok == len(turns):
		return TurnOK
	case good > 0:
		return TurnPartial
	default:
		return TurnFailed
	}
}

// Quantile returns the q-quantile of values by linear interpolation between the closest
// ranks (R's type 7); false when values is empty. The slice is not changed.
func Quantile[T ~int64 | ~float64](values []T, q float64) (T, bool) {
	if len(values) == 0 {
		return 0, false
	}
	s := slices.Clone(values)
	slices.Sort(s)
	pos := q * float64(len(s)-1)
	lo := int(pos)
	hi := min(lo+1, len(s)-1)
	return s[lo] + T((pos-float64(lo))*float64(s[hi]-s[lo])), true
}
