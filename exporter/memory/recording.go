package memory

import (
	"context"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// recording is the memory of one turn. Sampler.mu guards it.
type recording struct {
	s        *Sampler
	model    string
	phase    workload.Phase
	released time.Time // when phase became PhaseReleased
	root     key       // exo's main process at the first sample
	moved    bool      // exo was started again meanwhile
	before   *uint64
	totals   []uint64 // of PhaseMeasure
	peak     peak
	// footprints are of those samples of PhaseMeasure that have one. weighed is the one that was read when
	// the requests were over, 0 where it is not known.
	footprints    []uint64
	weighed       uint64
	gpu           uint64 // after the last measured request; 0 where it is not known
	footprintPeak peak
	runners       int    // most runners at once in PhaseMeasure
	pss           uint64 // after the last measured request; 0 where it is not known
	ended         bool
}

// Begin starts the recording of model's turn and samples exo's tree once. It replaces a
// recording that has not ended.
func (s *Sampler) Begin(model string) workload.Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &recording{
		s: s, model: model, phase: workload.PhaseBefore, peak: peak{of: residentOf}, footprintPeak: peak{of: footprintOf},
	}
	s.rec = r
	if seen, ok := s.observe(searchRoot, false); ok {
		r.add(seen)
	}
	s.rouse()
	return r
}

// rouse makes Run look at the clock again: the interval between samples has changed.
func (s *Sampler) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Mark samples exo's tree once, as the end of the phase under way and the start of the next
// one. High-water marks start afresh when the turn leaves PhaseBefore. Proportional set sizes
// are read when PhaseReleasing follows PhaseMeasure: the requests are over and the model is still loaded.
// So is the GPU memory, for which a program is run: other samples are taken meanwhile.
func (r *recording) Mark(phase workload.Phase) {
	if pids := r.enter(phase); len(pids) > 0 && r.s.gpu.run != nil {
		r.weighGPU(pids)
	}
}

// enter does what Mark does without running nvidia-smi, and returns the processes to ask it of.
func (r *recording) enter(phase workload.Phase) (onGPU []int32) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.ended || r.s.rec != r || phase == r.phase {
		return nil
	}
	if r.phase == workload.PhaseBefore {
		if t := r.s.tree; t != nil {
			r.s.resetPeaks(t.pids)
		}
	}
	measured := r.phase == workload.PhaseMeasure && phase == workload.PhaseReleasing
	seen, ok := r.s.observe(searchTree, measured)
	if ok {
		r.edge(seen)
	}
	// With a runner less the model has died, or is being unloaded already.
	if ok && measured && seen.runners >= r.runners && !r.moved {
		r.pss, r.weighed = seen.pssTotal(), seen.footprint
		onGPU = slices.Clone(r.s.tree.pids)
	}
	r.phase = phase
	if phase == workload.PhaseReleased {
		r.released = time.Now()
	}
	if ok && phase == workload.PhaseMeasure {
		r.add(seen)
	}
	return onGPU
}

// edge takes a sample of the moment in which a phase ends. It counts neither as one of
// PhaseMeasure, where the model may be gone already, nor as one of the next phase.
func (r *recording) edge(seen sample) {
	r.follow()
	switch r.phase {
	case workload.PhaseBefore:
		r.before = &seen.total
		r.peak.start(seen)
		if seen.footprint > 0 {
			r.footprintPeak.start(seen)
		}
	case workload.PhaseLoading, workload.PhaseMeasure:
		r.raise(seen)
	}
}

// raise takes a sample for the peaks.
func (r *recording) raise(seen sample) {
	r.peak.add(seen)
	if seen.footprint > 0 {
		r.footprintPeak.add(seen)
	}
}

// add takes a sample from within the phase under way.
func (r *recording) add(seen sample) {
	r.follow()
	switch r.phase {
	case workload.PhaseBefore:
		r.before = &seen.total
	case workload.PhaseLoading:
		r.raise(seen)
	case workload.PhaseMeasure:
		r.raise(seen)
		if seen.footprint > 0 {
			r.footprints = append(r.footprints, seen.footprint)
		}
		r.totals = append(r.totals, seen.total)
		r.runners = max(r.runners, seen.runners)
	}
}

// follow notices that exo was started again. There has just been a sample.
func (r *recording) follow() {
	root := r.s.tree.members[0].key
	if r.root == (key{}) {
		r.root = root
	}
	r.moved = r.moved || r.root != root
}

// End returns what the turn occupied. When the model was released it waits out the settling
// time first, unless ctx or Run ends meanwhile.
//
// Median is taken over the samples of PhaseMeasure; Peak from the start of loading to the
// release, as described at peak. Before is the last sample of PhaseBefore. Before and After
// are unknown when exo was started again in between: they would compare two processes.
// Shared tells that more than one runner was there while requests ran.
func (r *recording) End(ctx context.Context, loaded bool) workload.Memory {
	r.settle(ctx, loaded)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.ended {
		return workload.Memory{}
	}
	r.ended = true
	var after *uint64
	if r.s.rec == r {
		if seen, ok := r.s.observe(searchTree, false); ok {
			r.follow()
			after = &seen.total
		}
		r.s.rec = nil
		r.s.rouse()
	}
	if len(r.totals) == 0 {
		return workload.Memory{}
	}
	m := workload.Memory{Samples: len(r.totals), Median: median(r.totals), Proportional: r.pss, Shared: r.runners > 1}
	m.Peak, m.PeakSource = r.peak.result()
	m.GPU = r.gpu
	r.weigh(&m)
	if loaded && !r.moved && r.before != nil {
		m.Before, m.HasBefore = *r.before, true
		if after != nil && r.phase == workload.PhaseReleased {
			m.After, m.HasAfter = *after, true
		}
	}
	if m.Shared {
		r.s.log.Info("Memory of the turn is shared: other instances were loaded", "model", r.model, "runners", r.runners)
	}
	return m
}

// weigh adds the footprint. Where no sample but the last has one, there is no telling what it came to meanwhile.
func (r *recording) weigh(m *workload.Memory) {
	kind := r.s.src.manner().footprint
	if kind == workload.FootprintNone {
		return // what was read before the way of reading was given up is as doubtful
	}
	switch {
	case len(r.footprints) > 0:
		m.Footprint, m.FootprintKind = median(r.footprints), kind
		m.FootprintPeak, _ = r.footprintPeak.result()
	case r.weighed > 0:
		m.Footprint, m.FootprintKind = r.weighed, kind
	}
}

// settle waits until what was released has had its time to go.
func (r *recording) settle(ctx context.Context, loaded bool) {
	r.s.mu.Lock()
	wait := r.s.settle - time.Since(r.released)
	idle := !loaded || r.phase != workload.PhaseReleased || r.ended || r.s.rec != r
	r.s.mu.Unlock()
	if idle || wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-r.s.done:
	}
}

// median returns the median of values, which must not be empty; of two middle ones the mean.
func median(values []uint64) uint64 {
	slices.Sort(values)
	lo, hi := values[(len(values)-1)/2], values[len(values)/2]
	return lo + (hi-lo)/2
}
