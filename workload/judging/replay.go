package judging

import (
	"math"
	"time"

	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/record"
)

// Replayed is what a Judge made of the records of one node.
type Replayed struct {
	Node
	Turns    int // with figures
	From, To time.Time
	Verdicts []judge.Verdict // at the end
}

// Replay puts the records that are kept at path to a Judge for each node, as if they were measured now. told
// hears what began or was over with the turn that began at that time. broken counts lines that are no
// records. Errors are those of record.Each.
func Replay(path string, told func(Node, time.Time, judge.News)) (all []*Replayed, broken int, err error) {
	sheets := map[Node]*sheet{}
	of := map[Node]*Replayed{}
	broken, err = record.EachTurn(path, math.MaxInt64, func(r record.Record) error {
		turn := judge.Of(*r.Turn)
		if turn.Model == "" || len(turn.Samples) == 0 {
			return nil
		}
		n := Node{r.Target, r.Simulated}
		at := of[n]
		if at == nil {
			at = &Replayed{Node: n, From: turn.Time}
			of[n], sheets[n] = at, newSheet(n)
			all = append(all, at)
		}
		sheets[n].add(turn, r.Suite.SHA256)
		before := at.Verdicts
		at.Verdicts = sheets[n].judge.Verdicts()
		at.Turns, at.To = at.Turns+1, turn.Time
		for _, news := range judge.Compare(before, at.Verdicts) {
			told(n, turn.Time, news)
		}
		return nil
	})
	return all, broken, err
}
