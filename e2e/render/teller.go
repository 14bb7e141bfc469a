package render

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judging"
	"exo-bench-exporter/workload/record"
)

// measuredCycle returns the turns of the last cycle that was measured in the past.
func measuredCycle(t *testing.T, p past) []workload.Turn {
	t.Helper()
	last := map[string]workload.Turn{}
	_, err := record.EachTurn(filepath.Join(p.program, "results.jsonl"), 1<<30, func(r record.Record) error {
		last[r.Turn.Model] = *r.Turn
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var turns []workload.Turn
	for _, m := range workload.DefaultModels() {
		turns = append(turns, last[m.Name])
	}
	return turns
}

// teller has the program believe a story: it puts the story's turns where those of a runner go.
type teller struct {
	story     story
	interval  time.Duration // from one cycle to the next
	measured  []workload.Turn
	metrics   *exporter.Metrics
	observers []workload.Observer
	rand      *rand.Rand
	next      int // cycle
	running   []workload.Turn
	away      bool
}

// tell tells a state's story, as far as Prometheus has been there to it. To be called in a bubble.
func tell(t *testing.T, s state, st *store, measured []workload.Turn) {
	t.Helper()
	shown := exporter.Options{
		Target: nodeURL, Models: workload.DefaultModels(), Suite: suiteOf(0), Interval: cmp.Or(s.interval, cycle), Memory: residents,
	}
	var names []string
	for _, m := range shown.Models {
		names = append(names, m.Name)
	}
	clerk := judging.NewClerk(judging.Options{Path: filepath.Join(t.TempDir(), judging.File), What: func() judging.What {
		return judging.What{Node: judging.Node{Target: nodeURL}, SHA256: shown.Suite.SHA256(), Models: names}
	}})
	shown.Judge = clerk.Verdicts
	registry := exporter.NewRegistry()
	metrics := exporter.NewMetrics(registry, shown)
	metrics.Reloaded(true, time.Now())
	front := exporter.NewFront(registry, exporter.NewStore(shown), slog.New(slog.DiscardHandler))

	ctx, cancel := context.WithCancel(t.Context())
	var judged sync.WaitGroup
	judged.Go(func() { clerk.Run(ctx) })
	defer func() {
		cancel()
		judged.Wait()
	}()
	teller := &teller{
		story: *s.story, interval: shown.Interval, measured: measured, metrics: metrics,
		observers: []workload.Observer{exporter.NewObserver(metrics), clerk},
		rand:      rand.New(rand.NewPCG(1, 2)),
	}
	metrics.SetStatus(reachable())
	for unwatched := s.now().Add(-s.story.watched); time.Now().Before(unwatched); time.Sleep(s.story.pace.scrape) {
		teller.until(time.Now())
	}
	measure(t, &http.Client{Transport: inside{front}}, st, s.now(), s.story.pace, func(at time.Time) error {
		teller.until(at)
		synctest.Wait() // until they are judged
		return nil
	})
}

// until tells what has happened up to a moment.
func (p *teller) until(at time.Time) {
	end := epoch.Add(p.story.long)
	if away := p.story.away != nil && p.story.away(end.Sub(at)); away != p.away {
		p.away = away
		status := reachable()
		if away {
			status = workload.Status{Err: errors.New(refused)}
		}
		p.metrics.SetStatus(status)
	}
	for {
		start := epoch.Add(time.Duration(p.next)*p.interval + p.story.late)
		i := len(p.running)
		if at.Before(start.Add(time.Duration(i+1) * p.story.each)) {
			return
		}
		if i == 0 {
			p.tell(func(o workload.Observer) { o.CycleStarted(p.next, workload.DefaultModels(), start) })
		}
		m := moment{before: end.Sub(start), ago: int((end.Sub(start) - 1) / p.interval)}
		// The order of the models rotates, as a runner's does.
		measured := p.measured[workload.Order(len(p.measured), p.next)[i]]
		turn := p.story.told(measured, p.next, start.Add(time.Duration(i)*p.story.each), m, p.rand)
		p.running = append(p.running, turn)
		p.tell(func(o workload.Observer) {
			o.TurnStarted(turn.Model, turn.Start)
			for _, r := range turn.Results {
				o.RequestDone(r)
			}
			o.TurnDone(turn)
		})
		if len(p.running) == len(p.measured) {
			c := workload.Cycle{
				Number: p.next, Start: start, Duration: time.Duration(len(p.measured)) * p.story.each, Turns: p.running,
				Outcome: workload.CycleOutcome(p.running),
			}
			p.tell(func(o workload.Observer) { o.CycleDone(c) })
			p.next, p.running = p.next+1, nil
		}
	}
}

func (p *teller) tell(f func(workload.Observer)) {
	for _, o := range p.observers {
		f(o)
	}
}

// reachable is what a node says of itself.
func reachable() workload.Status {
	total, available, watts, gpu, celsius := uint64(48<<30), uint64(38<<30), 11.0, 0.02, 41.0
	return workload.Status{
		Up: true, Dialect: workload.DialectExo1, RTT: 400 * time.Microsecond,
		Nodes: []workload.NodeStatus{{
			Name: "studio", Machine: "Mac mini", Chip: "Apple M4 Pro", OS: "macOS", MemoryTotal: &total, MemoryAvailable: &available,
			PowerWatts: &watts, GPUUtilization: &gpu, TemperatureCelsius: &celsius,
		}},
	}
}

// residents are exo's processes.
func residents() (exporter.ExoMemory, bool) {
	return exporter.ExoMemory{
		Roles: map[string]exporter.RoleMemory{"node": {Bytes: 350 << 20, Processes: 2}}, By: "rusage", Footprint: workload.FootprintPhysical,
	}, true
}

// inside calls a handler without a network.
type inside struct{ http.Handler }

func (h inside) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result(), nil
}
