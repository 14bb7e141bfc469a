package memory

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// weighing notes when proportional set sizes were read.
type weighing struct {
	Source
	during func() workload.Phase
	phases []workload.Phase
}

func (w *weighing) Read(ctx context.Context, pids []int32, d Detail) ([]Usage, error) {
	if d.PSS {
		w.phases = append(w.phases, w.during())
	}
	return w.Source.Read(ctx, pids, d)
}

// exo1Sharing is exo1 whose processes share pages: PSS is three quarters of RSS.
func exo1Sharing() []Simulated {
	procs := exo1()
	for i := range procs {
		procs[i].PSS = procs[i].RSS / 4 * 3
	}
	return procs
}

func TestProportionalSizeIsReadWhenNoRequestRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var phase workload.Phase
		w := &weighing{Source: SimulatedSource(exo1Sharing), during: func() workload.Phase { return phase }}
		s := New(Config{APIURL: api, Source: w, PSS: true, Interval: 250 * time.Millisecond, Logger: quiet()})
		s.hostMem = noHostMemory
		rec := s.Begin("m")
		run(t, s)
		for _, phase = range []workload.Phase{
			workload.PhaseLoading, workload.PhaseMeasure, workload.PhaseReleasing, workload.PhaseReleased,
		} {
			rec.Mark(phase)
			time.Sleep(30*time.Second + time.Millisecond)
		}
		m := rec.End(t.Context(), true)
		if m.Proportional != 4255*mib/4*3 || m.Median != 4255*mib {
			t.Errorf("memory: %+v", m)
		}
		if !slices.Equal(w.phases, []workload.Phase{workload.PhaseReleasing}) {
			t.Errorf("read in these phases of the turn: %v", w.phases)
		}
		phase = ""
		s.AllowPSS(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.phases) != 1 {
			t.Errorf("read although it was not allowed: %v", w.phases)
		}
		s.AllowPSS(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := len(w.phases); got < 11 {
			t.Errorf("%d readings, want one and then one every five seconds between turns", got)
		}
	})
}

func TestProportionalSizeIsUnknown(t *testing.T) {
	for name, change := range map[string]func(procs *[]Simulated){
		"where it cannot be read of every process": func(p *[]Simulated) { (*p)[3].PSS = 0 },
		"when a runner has gone":                   func(p *[]Simulated) { *p = (*p)[:5] },
		"when exo was started again":               func(p *[]Simulated) { (*p)[2].Created = epoch.Add(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			procs := exo1Sharing()
			s := simulated(&procs)
			s.pss = true
			rec := s.Begin("m")
			rec.Mark(workload.PhaseMeasure)
			change(&procs)
			rec.Mark(workload.PhaseReleasing)
			if m := rec.End(t.Context(), false); m.Proportional != 0 || m.Samples == 0 {
				t.Errorf("memory: %+v", m)
			}
		})
	}
}
