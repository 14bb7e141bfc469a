package render

import (
	"time"

	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/stall"
)

// cached is the model of which prompts are found in a cache, and visited the one that somebody else uses meanwhile.
const (
	cached  = "deepseek-r1"
	visited = "llama-3.2-1b"
)

// disturbed is a node that others use, of which prompts are found in a cache, measured by an exporter that is held up now
// and then; answers are long enough for the energy of all of them to be known.
var disturbed = state{
	name: "disturbed", young: true, chosen: map[string]string{"model": cached},
	setting: setting{tokens: 96, held: heldUp},
	events:  visits(),
}

// visits are the generations of somebody else's that are in the way of every model in turn.
func visits() []event {
	all := []event{
		goesWrong(59*time.Minute, exosim.Fault{Kind: exosim.WarmBench, Model: cached}),
		{59 * time.Minute, func(r *run) error {
			_, err := r.node.PlaceStranger(visited)
			return err
		}},
	}
	for before := 57 * time.Minute; before > time.Minute; before -= time.Minute {
		all = append(all, event{before, func(r *run) error {
			_, err := r.node.StartStranger(visited, 1500) // for some seconds
			return err
		}})
	}
	return all
}

// heldUp tells of every ninth request that the exporter stood still meanwhile.
func heldUp() *stall.Watcher {
	requests := 0
	return stall.Told(func() stall.Report {
		requests++
		if requests%9 != 0 {
			return stall.Report{}
		}
		return stall.Report{Duration: 3 * time.Second, Longest: 400 * time.Millisecond}
	})
}
