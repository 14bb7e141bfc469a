package cluster

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// noMeter sees no memory.
type noMeter struct{}

func (noMeter) Begin(string) workload.Recording                     { return noMeter{} }
func (noMeter) Mark(workload.Phase)                                 {}
func (noMeter) End(context.Context, bool) (nothing workload.Memory) { return nothing }

// play puts f through a turn up to and including the phase.
func play(f *Feed, model string, phase workload.Phase) workload.Recording {
	rec := f.Meter(noMeter{}).Begin(model)
	for _, p := range []workload.Phase{workload.PhaseLoading, workload.PhaseMeasure, workload.PhaseReleasing, workload.PhaseReleased} {
		if phase == workload.PhaseBefore {
			break
		}
		rec.Mark(p)
		if p == phase {
			break
		}
	}
	return rec
}

func newTestFeed() *Feed { return NewFeed("v1", func() bool { return true }) }

func ask(f *Feed, query string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path+"?"+query, nil))
	return w
}

func TestFeedTellsTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTestFeed()
		expect := func(seq uint64, turn *Turn, last *Ended) {
			t.Helper()
			w := ask(f, "")
			var got State
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			want := State{Service: "exo-bench-exporter", Version: "v1", Run: f.run, Seq: seq, Simulated: true, Turn: turn, Last: last}
			if !reflect.DeepEqual(got, want) || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" ||
				w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, headers %v, body %s", w.Code, w.Header(), w.Body)
			}
		}
		expect(0, nil, nil)
		rec := play(f, "a", workload.PhaseBefore)
		expect(1, &Turn{Number: 1, Model: "a", Phase: "before"}, nil)
		rec.Mark(workload.PhaseLoading)
		time.Sleep(1500 * time.Millisecond)
		expect(2, &Turn{Number: 1, Model: "a", Phase: "loading", PhaseSeconds: 1.5}, nil)
		rec.Mark(workload.PhaseMeasure)
		rec.Mark(workload.PhaseReleasing)
		rec.End(t.Context(), true)
		f.TurnDone(workload.Turn{Model: "a", Outcome: workload.TurnPartial, Load: workload.Load{Loaded: true}})
		ended := &Ended{Number: 1, Model: "a", Outcome: "partial", Loaded: true}
		expect(5, nil, ended)
		play(f, "b", workload.PhaseMeasure)
		expect(8, &Turn{Number: 2, Model: "b", Phase: "measure"}, ended)
	})
}

func TestAnswersWait(t *testing.T) {
	for name, tt := range map[string]struct {
		query string // run and seq of the state are filled in for RUN and SEQ
		act   func(f *Feed)
		want  time.Duration
		code  int
	}{
		"until something changes":    {"run=RUN&seq=SEQ&wait=8s", func(f *Feed) { play(f, "b", workload.PhaseBefore) }, 3 * time.Second, 200},
		"until the time has passed":  {"run=RUN&seq=SEQ&wait=2s", nil, 2 * time.Second, 200},
		"not for ever":               {"run=RUN&seq=SEQ&wait=1h", nil, maxWait, 200},
		"until the program ends":     {"run=RUN&seq=SEQ&wait=8s", (*Feed).Close, 3 * time.Second, 503},
		"not of an older state":      {"run=RUN&seq=0&wait=8s", nil, 0, 200},
		"not of another run":         {"run=OTHER&seq=SEQ&wait=8s", nil, 0, 200},
		"not unless they are to":     {"run=RUN&seq=SEQ", nil, 0, 200},
		"not for nonsense":           {"run=RUN&seq=SEQ&wait=long", nil, 0, 400},
		"not for less than no time":  {"run=RUN&seq=SEQ&wait=-1s", nil, 0, 400},
		"not when others wait a lot": {"run=RUN&seq=SEQ&wait=8s", func(*Feed) {}, 0, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTestFeed()
				play(f, "a", workload.PhaseLoading)
				state, _ := f.State()
				query := strings.NewReplacer("RUN", state.Run, "SEQ", strconv.FormatUint(state.Seq, 10)).Replace(tt.query)
				var wg sync.WaitGroup
				if name == "not when others wait a lot" {
					for range maxWaiting {
						wg.Go(func() { ask(f, query) })
					}
					synctest.Wait()
				} else if tt.act != nil {
					time.AfterFunc(3*time.Second, func() { tt.act(f) })
				}
				start := time.Now()
				if w := ask(f, query); w.Code != tt.code || time.Since(start) != tt.want {
					t.Errorf("status %d after %v, want %d after %v", w.Code, time.Since(start), tt.code, tt.want)
				}
				wg.Wait()
			})
		})
	}
}

func TestAnswerIsGivenUpWhenTheAgentHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTestFeed()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, Path+"?seq=0&wait=8s&run="+f.run, nil))
		if w.Body.Len() > 0 || len(f.places) != 0 {
			t.Errorf("answered %s; %d places taken", w.Body, len(f.places))
		}
	})
}
