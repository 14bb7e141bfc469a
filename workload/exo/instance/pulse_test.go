package instance

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// heard judges and learns a span that ends now.
func (p *pulse) heard(events, own int64, took time.Duration, c cluster) verdict {
	now := time.Now()
	s := span{mark{1, now.Add(-took)}, mark{1 + events, now}, own}
	v := p.judge(s, c)
	p.learn(s, v, c)
	return v
}

// costOf is what one request costs.
func costOf(r workload.Result) int64 {
	events, _ := cost([]workload.Result{r})
	return events
}

// TestPulse finds every short chat, on a node where one is in most of the spans, and takes
// nothing else for one.
func TestPulse(t *testing.T) {
	const tokens = 100
	own := costOf(workload.Result{TokenEvents: tokens, PromptTokens: 30})
	for _, c := range []struct {
		name  string
		nodes int
		rest  float64 // events a second
		every int     // a chat in one of so many spans; 0 for none
		chat  int64   // its events
	}{
		{"alone on Linux", 1, 1.1, 0, 0},
		{"alone on macOS", 1, 1.8, 0, 0},
		{"alone on four machines", 4, 7, 0, 0},
		{"now and then", 1, 1.1, 3, 12},
		{"mostly", 1, 1.1, 1, 14},
		{"without events at rest", 1, 0, 2, 12},
		{"an exo that nobody has seen yet", 1, 50, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p pulse
			for i := range 100 {
				took := time.Duration(1+i%9) * time.Second
				late := int64(i%3) - 1 // an event counted in the span before or after
				events := own + late + int64(c.rest*took.Seconds())
				chat := c.every > 0 && i%c.every == 0
				if chat {
					events += c.chat
				}
				v := p.heard(events, own, took, cluster{nodes: c.nodes})
				if c.rest > 10 && i < spansKept {
					continue
				}
				if (v.others > 0) != chat {
					t.Errorf("span %d of %s with %d events: %+v, want some of others: %v", i, took, events-own, v, chat)
				}
			}
		})
	}
	var p pulse
	if v := p.heard(30, own, 10*time.Second, cluster{nodes: 1}); v != (verdict{}) {
		t.Errorf("an exo that counts no tokens: %+v", v)
	}
}

// TestPulseOfSomebodyWhoNeverStops never takes the events of somebody who chats all the time, also
// before the first request, for exo's own.
func TestPulseOfSomebodyWhoNeverStops(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	own := costOf(workload.Result{TokenEvents: 100})
	chats := func(took time.Duration) (events int64) {
		for range int(took / (1700 * time.Millisecond)) {
			events += int64(2 + rnd.IntN(11) + ownEvents)
		}
		return events + int64(1.1*took.Seconds())
	}
	for _, seen := range []bool{true, false} {
		var p pulse
		for range 3 * spansKept {
			p.heard(chats(5*time.Second), 0, 5*time.Second, cluster{nodes: 1})
			if seen && rnd.IntN(8) == 0 {
				p.sighted()
			}
		}
		for i := range 100 {
			took := time.Duration(2+i%4) * time.Second
			if v := p.heard(own+chats(took), own, took, cluster{nodes: 1}); v.others == 0 {
				t.Errorf("seen %v, request %d of %s: nobody's", seen, i, took)
			}
		}
	}
}

// TestCost counts of our own requests what exo has made for them, whatever was asked for.
func TestCost(t *testing.T) {
	ok := workload.OutcomeOK
	for _, c := range []struct {
		name    string
		results []workload.Result
		events  int64
		unknown bool
	}{
		{"none", nil, 0, false},
		{"one", []workload.Result{{Outcome: ok, TokenEvents: 64, OutputTokens: 64, FinishReason: "length"}}, 64 + ownEvents, false},
		{"an end that is a token without text", []workload.Result{{Outcome: ok, TokenEvents: 63, OutputTokens: 64}}, 64 + ownEvents, false},
		{"as one document", []workload.Result{{Outcome: ok, OutputTokens: 64}}, 64 + ownEvents, false},
		{"with a long prompt", []workload.Result{{Outcome: ok, TokenEvents: 64, PromptTokens: 5000}}, 64 + ownEvents + 2, false},
		{
			"refused, then answered", []workload.Result{{Outcome: workload.OutcomeHTTPError}, {Outcome: ok, TokenEvents: 64}}, 64 + ownEvents, false,
		},
		{"longer than asked for", []workload.Result{
			{Outcome: ok, TokenEvents: 64, ExtraEvents: 200, OutputTokens: 64, Overran: true, FinishReason: "stop"},
		}, 264 + ownEvents, false},
		{
			"much longer, and not read to its end",
			[]workload.Result{{Outcome: ok, TokenEvents: 64, ExtraEvents: 300, Overran: true}},
			364 + ownEvents, true,
		},
	} {
		if events, known := cost(c.results); events != c.events || known == c.unknown {
			t.Errorf("%s: %d, known %v; want %d, %v", c.name, events, known, c.events, !c.unknown)
		}
	}
}

// TestScans takes the events of a machine that reads its downloads again for nobody's, however
// long the spans are that they are in, and no chat for that; also after exo has been started
// again, when they come at another time.
func TestScans(t *testing.T) {
	const cards, lasts = 123, 400 * time.Millisecond
	c := cluster{nodes: 1, cards: cards}
	own := costOf(workload.Result{TokenEvents: 100})
	for _, took := range []time.Duration{1500 * time.Millisecond, 10 * time.Second, 23 * time.Second, 45 * time.Second} {
		t.Run(took.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p pulse
				begin := time.Now()
				next, wrong, scans := begin.Add(30*time.Second), 0, 0
				for i, restarted := 0, false; time.Since(begin) < 80*time.Minute; i++ {
					if i%5 == 4 { // between two turns nobody counts
						time.Sleep(17 * time.Second)
					}
					for next.Before(time.Now()) {
						next = next.Add(scanEvery + lasts)
					}
					if !restarted && time.Since(begin) > 40*time.Minute {
						next, restarted = time.Now().Add(time.Until(next)/2), true
					}
					time.Sleep(took)
					events := own + int64(1.1*took.Seconds())
					scan, chat := next.Before(time.Now()), i%7 == 6
					if scan {
						events, scans = events+cards, scans+1
					}
					if chat {
						events += 30
					}
					v := p.heard(events, own, took, c)
					if (v.others > 0) == chat {
						continue
					}
					if wrong++; chat || !scan || !restarted {
						t.Errorf("span %d: %+v; a scan: %v, a chat: %v", i, v, scan, chat)
					}
				}
				if wrong > 1 || scans < 20 {
					t.Errorf("%d of %d scans were taken for somebody's work: one after the restart is enough to learn from", wrong, scans)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		time.Sleep(time.Hour)
		if v := p.heard(own+11+cards, own, 10*time.Second, c); v.others > 0 || !v.scan {
			t.Errorf("a scan: %+v", v)
		}
		time.Sleep(10 * time.Second)
		if v := p.heard(own+11+cards, own, 10*time.Second, c); v.others == 0 || v.open { // so soon after the last one
			t.Errorf("two scans within ten seconds: %+v", v)
		}
		time.Sleep(10 * time.Second)
		if v := p.heard(own+11+cards/2, own, 10*time.Second, c); v.others == 0 || !v.open {
			t.Errorf("half a scan, at what may be its time: %+v", v)
		}
	})
}
