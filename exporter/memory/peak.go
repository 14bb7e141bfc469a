package memory

// Sources of a peak, as workload.Memory names them.
const (
	peakFromSamples = "samples" // the largest sample
	peakFromMarks   = "vmhwm"   // a process's high-water mark (VmHWM on Linux)
)

// peak finds the largest sum of one quantity that a tree of processes reached, also between two
// samples, from each process's high-water mark: of resident sets (VmHWM on Linux) or of footprints
// (lifetime_max_phys_footprint on macOS).
//
// High-water marks of several processes must not be added up: they need not have been
// reached at the same time. But a mark that has risen since the last sample was reached
// since then. So, for each sample, the tree held at least
//
//	mark of the process that rose + Σ smaller of the last two values of every other process
//
// The peak is the largest of these sums and of the plain samples. It does not overstate, as
// long as the others did not shrink and grow again between two samples, and it misses a
// peak only if several processes have theirs in the same interval, or if an earlier mark of
// the same process was higher while the others were smaller.
//
// Of a process that is new in the tree, which may have been there for a few intervals, the
// mark is put beside the smallest value of every other process so far. The first sample only
// says from where the marks rise: they may be older than the turn where nothing resets them.
type peak struct {
	of    func(reading) level
	last  map[key]level
	least map[key]uint64 // smallest value since start
	sum   uint64
	mark  bool // sum came from a high-water mark
}

func residentOf(r reading) level { return r.rss }

func footprintOf(r reading) level { return r.footprint }

// start takes the sample that the others are compared with. It is no part of the peak.
func (p *peak) start(s sample) {
	p.last = make(map[key]level, len(s.readings))
	p.least = make(map[key]uint64, len(s.readings))
	p.keep(s)
}

// add takes the next sample.
func (p *peak) add(s sample) {
	if p.last == nil {
		p.start(s)
	}
	var total uint64
	for _, r := range s.readings {
		total += p.of(r).now
	}
	p.raise(total, false)
	for _, r := range s.readings {
		last, known := p.last[r.key]
		mark := p.of(r).mark
		if mark <= last.mark {
			continue
		}
		sum := mark
		for _, other := range s.readings {
			if other.key == r.key {
				continue
			}
			if known {
				sum += min(p.last[other.key].now, p.of(other).now)
			} else {
				sum += p.least[other.key]
			}
		}
		p.raise(sum, true)
	}
	p.keep(s)
}

func (p *peak) raise(sum uint64, mark bool) {
	if sum > p.sum || mark && sum == p.sum {
		p.sum, p.mark = sum, mark
	}
}

func (p *peak) keep(s sample) {
	clear(p.last)
	least := make(map[key]uint64, len(s.readings))
	for _, r := range s.readings {
		v := p.of(r)
		p.last[r.key] = v
		least[r.key] = v.now
		if before, ok := p.least[r.key]; ok {
			least[r.key] = min(before, v.now)
		}
	}
	p.least = least
}

// result returns the peak in bytes and where it came from.
func (p *peak) result() (bytes uint64, source string) {
	if p.mark {
		return p.sum, peakFromMarks
	}
	return p.sum, peakFromSamples
}
