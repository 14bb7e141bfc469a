package judgesim

import "exo-bench-exporter/workload/judge"

// Episode is an alarm from its first to its last cycle.
type Episode struct {
	Model    int // Node for the node
	Kind     judge.Kind
	From, To int // cycles
	Open     bool
}

// Node stands in place of a model.
const Node = -1

// Incident is the begin of alarms where there was none.
type Incident struct {
	Model, Cycle int
	Kind         judge.Kind // worst of them
}

type key struct {
	model int
	kind  judge.Kind
}

// look notes what the judge says of model m and of the node after a turn.
func (r *Run) look(m int) {
	if v, ok := r.Judge.Model(names[m], r.Quantity()); ok {
		r.note(m, v)
	}
	if v, ok := r.Judge.Node(r.Quantity()); ok {
		r.note(Node, v)
	}
}

// note notes the alarms of v. What the node explains is no alarm of the model.
func (r *Run) note(m int, v judge.Verdict) {
	alarmed := false
	for _, k := range judge.Kinds() {
		var now *judge.Alarm
		for i, a := range v.Alarms {
			if a.Kind == k && !a.Shared {
				now = &v.Alarms[i]
			}
		}
		if now != nil && !k.Info() && !alarmed {
			alarmed = true
			if !r.alarmed[m+1] && !now.Since.Equal(r.counted[m+1]) {
				r.counted[m+1] = now.Since
				r.incidents = append(r.incidents, Incident{m, r.Cycle, k})
			}
		}
		id := key{m, k}
		ep := r.open[id]
		switch {
		case now != nil:
			if ep == nil {
				ep = &Episode{Model: m, Kind: k, From: r.Cycle}
				r.open[id] = ep
			}
			ep.To = r.Cycle
		case ep != nil:
			r.closed = append(r.closed, *ep)
			delete(r.open, id)
		}
	}
	r.alarmed[m+1] = alarmed
}

// Incidents returns the incidents from the cycle after on, info aside.
func (r *Run) Incidents(after int) []Incident {
	var all []Incident
	for _, i := range r.incidents {
		if i.Cycle >= after {
			all = append(all, i)
		}
	}
	return all
}

// Episodes returns all episodes so far. Alarms that hold still are open.
func (r *Run) Episodes() []Episode {
	all := append([]Episode(nil), r.closed...)
	for m := Node; m < Models; m++ {
		for _, k := range judge.Kinds() {
			if ep := r.open[key{m, k}]; ep != nil {
				open := *ep
				open.Open = true
				all = append(all, open)
			}
		}
	}
	return all
}

// first returns the first cycle from the cycle after on in which an alarm of one of the kinds held for m,
// and whether there was any. An alarm that changes its kind does not begin anew.
func (r *Run) first(m, after int, kinds ...judge.Kind) (int, bool) {
	found, first := false, 0
	for _, ep := range r.Episodes() {
		for _, k := range kinds {
			if ep.Model == m && ep.Kind == k && ep.To >= after && (!found || max(after, ep.From) < first) {
				found, first = true, max(after, ep.From)
			}
		}
	}
	return first, found
}
