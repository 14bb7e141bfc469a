package app

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/judging"
)

// Answers that are accepted are worse no longer, at once and after a restart, whoever accepts them.
func TestAcceptAnswers(t *testing.T) {
	const worse = `exobench_answers_worse{by="canary",model="` + victim + `"}`
	for name, running := range map[string]bool{"a running exporter": true, "the command": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				node := exosim.New(exosim.Options{Profiles: profilesOf(victim)})
				t.Cleanup(func() { _ = node.Close() })
				_, err := node.Inject(exosim.Fault{Kind: exosim.Gibberish})
				noError(t, err)
				how := setting{
					node: node, suite: shortSuite(8, 48), seams: Seams{Listener: newQuietListener()},
					vars: []string{"MODELS", victim, "STATE_DIR", t.TempDir(), "CYCLE_INTERVAL", "10m", "WEB_ACCEPT", "true"},
				}
				s := newStack(t, how)
				end := s.serve(t)
				time.Sleep(15 * time.Minute)
				if all := s.scrape(t); all[worse] != 1 {
					t.Fatalf("a model that answers nothing from the beginning: %v", all[worse])
				}
				if len(saidOfAnswers(s)) != 2 {
					t.Errorf("the page says %q", saidOfAnswers(s))
				}
				if got := s.scrape(t)[`exobench_answer_degenerate_ratio{model="`+victim+`"}`]; got != 1 {
					t.Errorf("%g of the answers are nonsense", got)
				}
				cfg := s.Config
				if _, err := AcceptIn(cfg, victim); !errors.Is(err, ErrInUse) {
					t.Errorf("beside a running exporter: %v", err)
				}
				if running {
					w := httptest.NewRecorder()
					s.front.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/accept?model="+victim, nil))
					if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "present answers are") {
						t.Errorf("accepting is answered with %d %s", w.Code, w.Body)
					}
					accepted(t, s, worse)
				}
				noError(t, end())
				s.Close()
				if !running {
					a, err := AcceptIn(cfg, victim)
					if noError(t, err); !a.Answers || !a.Speed {
						t.Errorf("%+v", a)
					}
				}
				how.seams.Listener = newQuietListener()
				s = newStack(t, how)
				end = s.serve(t)
				synctest.Wait()
				accepted(t, s, worse) // before anything is measured
				time.Sleep(40 * time.Minute)
				accepted(t, s, worse)
				noError(t, end())
				s.Close()
			})
		})
	}
	if _, err := AcceptIn(exporter.Config{StateDir: t.TempDir()}, victim); !errors.Is(err, judging.ErrUnknown) {
		t.Errorf("where nothing is known: %v", err)
	}
}

// saidOfAnswers returns the notes of the status page about the quality of answers.
func saidOfAnswers(s *stack) (notes []string) {
	for _, m := range s.store.State().Models {
		for _, note := range m.Last.Notes {
			if strings.Contains(note, "answered rightly") || strings.Contains(note, "nonsense") {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

func accepted(t *testing.T, s *stack, worse string) {
	t.Helper()
	if is, shown := s.scrape(t)[worse]; is != 0 || !shown {
		t.Errorf("after it was accepted: %v, shown %v", is, shown)
	}
	if said := saidOfAnswers(s); len(said) > 0 {
		t.Errorf("after it was accepted the page says %q", said)
	}
}
