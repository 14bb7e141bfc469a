package instance

import (
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// TestPulse finds every short chat, on a node where one is in most of the windows, and takes
// nothing else for one.
func TestPulse(t *testing.T) {
	const tokens = 100
	own := cost([]workload.Result{{TokenEvents: tokens, PromptTokens: 30}})
	for _, c := range []struct {
		name  string
		nodes int
		rest  float64 // events a second
		every int     // a chat in one of so many windows; 0 for none
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
				late := int64(i%3) - 1 // an event counted in the window before or after
				events := own + late + int64(c.rest*took.Seconds())
				chat := c.every > 0 && i%c.every == 0
				if chat {
					events += c.chat
				}
				others := p.judge(events, own, took, cluster{nodes: c.nodes})
				if c.rest > 10 && i < windowsToLearn {
					continue
				}
				if (others > 0) != chat {
					t.Errorf("window %d of %s with %d events: others %d, want some: %v", i, took, events-own, others, chat)
				}
			}
		})
	}
	var p pulse
	if others := p.judge(30, own, 10*time.Second, cluster{nodes: 1}); others != 0 {
		t.Errorf("an exo that counts no tokens: %d", others)
	}
}

// TestPulseOfScans takes the events of a machine that reads its downloads again for nobody's, and
// no chat for that.
func TestPulseOfScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := cost([]workload.Result{{TokenEvents: 100}})
		c := cluster{nodes: 1, cards: 123}
		var p pulse
		for i := range 120 { // ten seconds each; a scan in each sixth, a chat in each seventh
			time.Sleep(10 * time.Second)
			events := own + 11
			scan, chat := i%6 == 5, i%7 == 6
			if scan {
				events += 123
			}
			if chat {
				events += 30
			}
			if others := p.judge(events, own, 10*time.Second, c); (others > 0) != chat {
				t.Errorf("window %d: others %d; a scan: %v, a chat: %v", i, others, scan, chat)
			}
		}
		if others := p.judge(own+11+123, own, 10*time.Second, c); others == 0 { // so soon after the last one
			t.Error("two scans within ten seconds")
		}
	})
}
