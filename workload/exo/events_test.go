package exo_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// visit is a session on a simulated node.
type visit struct {
	*testing.T
	node    *exosim.Node
	session workload.Session
}

// visitNode opens a session and puts requests to it until the client knows how many events the
// node has at rest.
func visitNode(t *testing.T, o exosim.Options) *visit {
	t.Helper()
	node, s := openSim(t, o, "llama-3.2-1b")
	v := &visit{t, node, s}
	for range 3 {
		v.ask(64)
	}
	return v
}

func (v *visit) ask(tokens int) workload.Result {
	return v.session.Measure(v.Context(), workload.Request{Model: "llama-3.2-1b", Prompt: workload.Prompt{
		ID: "p", MaxTokens: tokens, Messages: []workload.Message{{Role: "user", Content: "Hi"}},
	}})
}

// chat lets somebody chat after a while.
func (v *visit) chat(after time.Duration, tokens int) {
	time.AfterFunc(after, func() {
		if _, err := v.node.StartStranger("llama-3.2-1b", tokens); err != nil {
			v.Error(err)
		}
	})
}

// What exo generates beyond what was asked for is our own, too, whether its end is read or not.
func TestOverrunIsNobodyElses(t *testing.T) {
	for name, o := range map[string]exosim.Options{"HEAD": {}, "v1.0.71": {Variant: exosim.V1071}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o.Profiles = manyModels()
				v := visitNode(t, o)
				for _, f := range []struct{ asked, length int }{{64, 300}, {64, 70}, {32, 2000}, {16, 100}} {
					id, err := v.node.Inject(exosim.Fault{Kind: exosim.IgnoresLimit, Tokens: f.length})
					if err != nil {
						t.Fatal(err)
					}
					if r := v.ask(f.asked); !r.OK() || !r.Overran || r.OutputTokens != f.asked || r.Contended {
						t.Errorf("%d of %d tokens: %s %s, overran %v, %d tokens, contended %v",
							f.length, f.asked, r.Outcome, r.Err, r.Overran, r.OutputTokens, r.Contended)
					}
					v.node.Clear(id)
					if r := v.ask(64); !r.OK() || r.Overran || r.Contended {
						t.Errorf("after %d tokens: %s %s, overran %v, contended %v", f.length, r.Outcome, r.Err, r.Overran, r.Contended)
					}
					v.chat(100*time.Millisecond, 3)
					if r := v.ask(64); !r.OK() || !r.Contended {
						t.Errorf("beside a chat, after %d tokens: %s %s, contended %v", f.length, r.Outcome, r.Err, r.Contended)
					}
				}
			})
		})
	}
}

// manyModels are the simulator's, and others that exo has cards of, of a real node's number.
func manyModels() []exosim.Profile {
	all := exosim.Profiles()
	for i := range 117 {
		p := all[1]
		p.Name, p.LegacyID, p.ExoID = "", "", fmt.Sprintf("mlx-community/Other-%d", i)
		all = append(all, p)
	}
	return all
}

// exo reads its downloads again once a minute, with as many events as it knows models, in the
// middle of a request or between two: that is nobody's work. A chat at the same moment is.
func TestScansAreNobodysWork(t *testing.T) {
	for name, o := range map[string]exosim.Options{"HEAD": {}, "v1.0.71": {Variant: exosim.V1071}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				o.Profiles = manyModels()
				v := visitNode(t, o)
				const every, takes = time.Minute + 400*time.Millisecond, 400 * time.Millisecond
				for i := range 12 {
					// The first of two requests meets the whole of it, the beginning, the end, or nothing.
					early := []time.Duration{takes / 4, takes / 2, takes, -takes / 2, 3 * takes}[i%5]
					next := (time.Since(start)/every + 1) * every
					time.Sleep(next - early - 2*time.Second - time.Since(start))
					v.ask(16) // so that no long time lies between two looks
					time.Sleep(next - early - time.Since(start))
					chat := i%3 == 2
					if chat {
						v.chat(20*time.Millisecond, 8)
					}
					if r := v.ask(128); !r.OK() || r.Contended != chat {
						t.Errorf("minute %d, %v before: %s %s, contended %v, a chat: %v", i, early, r.Outcome, r.Err, r.Contended, chat)
					}
					if r := v.ask(64); !r.OK() || r.Contended {
						t.Errorf("minute %d, after: %s %s, contended %v", i, r.Outcome, r.Err, r.Contended)
					}
				}
			})
		})
	}
}
