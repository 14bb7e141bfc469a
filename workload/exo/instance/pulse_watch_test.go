package instance

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// manyCards returns as many models as a release of exo has cards of.
func manyCards() []exosim.Profile {
	all := exosim.Profiles()
	for i := range 117 {
		all = append(all, exosim.Profile{ExoID: fmt.Sprint("org/", i), Catalogue: true, WeightsBytes: 1 << 30, DecodeTPS: 50, Layers: 16})
	}
	return all
}

// TestEveryChatAndNothingElse puts request after request to an exo that does what it does by
// itself, for hours: nothing of that is taken for somebody's chat, and every chat is told.
func TestEveryChatAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		machine exosim.Machine
		false   int // marks at most: of what comes at once some may be taken for a chat
	}{{exosim.Linux, 0}, {exosim.Mac, 0}, {exosim.QuickMac, 10}} {
		t.Run(string(c.machine), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, start := newSim(t, exosim.Options{Machine: c.machine, Profiles: manyCards()}), time.Now()
				s.load(t, llama)
				m := newTestManager(t, s, t.TempDir())
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				rnd := rand.New(rand.NewPCG(1, 2))
				request := func(tokens, chat int, took time.Duration) (bool, string) {
					stop := lease.Watch(t.Context())
					if chat > 0 {
						s.chat(t, llama, chat)
					}
					pass(took / 2)
					id := s.chat(t, llama, tokens)
					pass(took / 2)
					for s.RunningTasks() > 0 {
						pass(20 * time.Millisecond)
					}
					pass(20 * time.Millisecond) // exo deletes its tasks
					return stop(workload.Result{Outcome: workload.OutcomeOK, ResponseID: id, TokenEvents: tokens, OutputTokens: tokens})
				}
				for range 5 {
					request(64, 0, 3*time.Second)
				}
				wrong := 0
				for i := range 500 {
					pass(time.Duration(rnd.IntN(500)) * time.Millisecond)
					tokens, chat := []int{64, 256, 128}[rnd.IntN(3)], 0
					if i%5 == 4 {
						chat = 6 + rnd.IntN(60)
					}
					took, at := time.Duration(rnd.IntN(12000))*time.Millisecond, time.Since(start)
					contended, why := request(tokens, chat, took)
					if contended && chat == 0 {
						wrong++
					}
					if contended != (chat > 0) && c.false == 0 || !contended && chat > 0 {
						t.Errorf("request %d, %s after the start, took %s: contended %v (%s), a chat of %d tokens", i, at, took, contended, why, chat)
					}
				}
				if wrong > c.false {
					t.Errorf("%d requests were marked beside which nobody chatted", wrong)
				}
			})
		})
	}
}
