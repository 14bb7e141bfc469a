package instance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/state"
)

// watch is what a lease knows of other people's work. It is used by one goroutine at a time.
//
// A request costs three looks: at the tasks before it, at the tasks and the number of events
// after it; and a few more where exo is in the middle of what it does by itself. As long as no
// errand turns up in them the instances and runners stand as they were seen last: exo's worker
// makes a task of everything that it does to them.
type watch struct {
	seen  state.Snapshot  // instances and runners at the last look at them
	tasks *state.TaskList // at the last look, nil when there was none
	calm  bool            // instances and runners stand as in seen, and nobody else's work was under way
	doubt string          // why no request can be said to reach our instance alone; empty for nothing

	beside bool          // others' work does not end: measured beside it
	waited time.Duration // for others' work to end, in this turn
	begun  string        // what others were at when the request began; empty for nothing

	mark mark // at the last look at the number of events that can be counted from
}

// bounds of the looks round a request.
const (
	justNow   = 400 * time.Millisecond // a look at instances so young is as good as a new one
	lastLook  = 2 * time.Second        // what the looks after a request may take
	readyPoll = retryInterval
)

// Watch is WatchUntil without an end.
func (l *Lease) Watch(ctx context.Context) (stop func(results ...workload.Result) (contended bool, why string)) {
	return l.WatchUntil(ctx, time.Time{})
}

// WatchUntil waits until a request can be put, and watches over it: until nobody else's work is
// under way, for at most BusyTimeout in a turn, and until the model is ready, since exo starts
// a runner that has failed again, and a request that is put meanwhile would take the load for
// its time to first token. It does not wait longer for an instance that is gone or stays dead,
// nor for a load than LoadTimeout,
// and not beyond until, unless that is zero.
//
// stop takes the results of the request, in the order in which they came, and tells whether it
// was contended, and by what: somebody else's request or load ran beside it, or exo may have
// given it to another instance. What cannot be looked at is taken for nothing.
func (l *Lease) WatchUntil(ctx context.Context, until time.Time) (stop func(results ...workload.Result) (contended bool, why string)) {
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if !until.IsZero() {
		waiting, cancel = context.WithDeadline(ctx, until)
	}
	l.ready(waiting)
	cancel()
	return func(results ...workload.Result) (bool, string) {
		for _, r := range results {
			l.m.Mine(r.ResponseID)
		}
		if ctx.Err() != nil {
			return false, ""
		}
		last, cancel := context.WithTimeout(ctx, lastLook)
		defer cancel()
		why := l.ran(ctx, last, results)
		return why != "", why
	}
}

// ready looks, and waits where there is something to wait for.
func (l *Lease) ready(ctx context.Context) {
	w := &l.watch
	var busy time.Time // when others' work was seen last
	for start := time.Now(); ; {
		why, h, err := l.before(ctx)
		if !busy.IsZero() {
			w.waited += time.Since(busy)
		}
		busy = time.Time{}
		if err != nil {
			l.m.log.Debug("A look for other people's work failed", "err", err)
			return
		}
		if w.begun = why; w.calm || w.beside {
			return
		}
		wait := readyPoll
		switch {
		case !h.Ready && !h.Dead && time.Since(start) < l.m.opts.LoadTimeout:
		case why == "":
			return
		case w.waited >= l.m.opts.BusyTimeout:
			w.beside = true
			l.m.log.Warn("exo stays busy with other people's work; measuring beside it", "model", l.in.Model, "because", why)
			return
		default:
			wait, busy = busyPoll, time.Now()
		}
		l.m.progress(Progress{Model: l.in.Model, Stage: "waiting", Elapsed: time.Since(start)})
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// before looks at the tasks and, unless nothing stirs in them, at everything. It returns what
// others work on and the health of the instances that a request may reach.
func (l *Lease) before(ctx context.Context) (why string, h state.Health, err error) {
	w := &l.watch
	if w.calm || w.beside {
		s, err := l.m.node.glance(ctx, state.Query{Parts: state.Tasks, Since: w.tasks})
		if err != nil {
			return "", h, err
		}
		w.tasks = s.Tasks
		if why = cmp.Or(l.open(s.Tasks), l.errand(s.Tasks)); why == "" || w.beside {
			return why, h, nil
		}
	}
	s, err := l.m.node.glance(ctx, state.Query{Parts: atWork | state.Events})
	if err != nil {
		return "", h, err
	}
	l.m.noteDead(s)
	w.seen, w.tasks = s, s.Tasks
	w.mark = marked(s)
	h = l.health()
	why = l.m.othersWork(s, l.uses)
	w.doubt = l.rival()
	w.calm = why == "" && h.Ready
	return why, h, nil
}

// ran looks after a request and says what ran beside it; "" for nothing. After one that has
// failed the instances say more than the tasks. last is for looks that should take no time.
func (l *Lease) ran(ctx, last context.Context, results []workload.Result) string {
	w := &l.watch
	if !slices.ContainsFunc(results, workload.Result.OK) {
		w.calm = false
		s, err := l.m.node.glance(last, state.Query{Parts: lifecycle})
		if err != nil {
			return ""
		}
		l.m.noteDead(s)
		return l.m.othersWork(s, l.uses)
	}
	s, err := l.m.node.glance(last, state.Query{Parts: state.Tasks | state.Events, Since: w.tasks})
	if err != nil {
		w.calm = false
		l.m.log.Debug("A look for other people's work failed", "err", err)
		return ""
	}
	w.tasks = s.Tasks
	errand := l.errand(s.Tasks)
	w.calm = w.calm && errand == ""
	if why := cmp.Or(w.doubt, w.begun, errand, l.open(s.Tasks), l.passed(s.Tasks)); why != "" {
		w.mark = marked(s)
		return why
	}
	return l.count(ctx, s, results)
}

// count compares the events since the last look with what the request cost. One of which the
// end was not read may go on: nothing can be told, and the next is counted from a look of its own.
func (l *Lease) count(ctx context.Context, s state.Snapshot, results []workload.Result) string {
	w := &l.watch
	own, known := cost(results)
	if !known {
		w.calm = false
		return ""
	}
	others, upTo := l.m.others(ctx, w.mark, marked(s), own)
	w.mark = upTo
	if others == 0 {
		return ""
	}
	return fmt.Sprintf("exo's state has changed %d times more than by our request and by itself: somebody's request came and went", others)
}

// open says which request of somebody else's is under way; "" for none.
func (l *Lease) open(tasks *state.TaskList) string {
	if tasks == nil {
		return ""
	}
	return l.foreign(tasks.Open)
}

// passed says which request of somebody else's has come and gone and left its task behind, as
// canceled ones do; "" for none.
func (l *Lease) passed(tasks *state.TaskList) string {
	if tasks == nil {
		return ""
	}
	return l.foreign(tasks.New)
}

func (l *Lease) foreign(tasks []state.Task) string {
	for _, t := range tasks {
		if t.Request() && !l.m.mine(t.Command) && !l.m.stuck(l.watch.seen, t) {
			l.m.pulse.sighted()
			return request(l.watch.seen, t)
		}
	}
	return ""
}

// errand says what exo has done meanwhile that holds a node of ours up; "" for nothing.
func (l *Lease) errand(tasks *state.TaskList) string {
	if tasks == nil {
		return ""
	}
	for _, t := range tasks.New {
		if t.Heavy() && l.meets(t) {
			return fmt.Sprintf("exo loaded or unloaded %s (%s)", orSome(l.watch.seen.Instances[t.Instance].Model), t.Kind)
		}
	}
	return ""
}

// meets reports whether an errand runs on a node of ours, or may.
func (l *Lease) meets(t state.Task) bool {
	if t.Node != "" {
		return l.in.OnNode(t.Node)
	}
	in, listed := l.watch.seen.Instances[t.Instance]
	return !listed || l.in.Meets(in)
}

// uses reports whether requests of ours may be at work on in: of somebody else's instances
// of the model exo may take any, for all of them were ready.
func (l *Lease) uses(in state.Instance) bool {
	if l.Owned {
		return in.ID == l.in.ID
	}
	return in.Model == l.in.Model
}

// health sums up the instances that a request may reach. Where there is none the request will
// show what is the matter: that counts as ready.
func (l *Lease) health() state.Health {
	sum := state.Health{Ready: true}
	for _, in := range l.watch.seen.Instances {
		if l.uses(in) {
			h := l.watch.seen.Health(in)
			sum.Ready, sum.Dead = sum.Ready && h.Ready, sum.Dead || l.m.isDead(in.ID)
		}
	}
	return sum
}

// rival says that somebody has an instance of the model beside ours: exo gives a request to
// the one with the fewest tasks.
func (l *Lease) rival() string {
	for _, in := range l.watch.seen.Of(l.in.Model) {
		if l.Owned && in.ID != l.in.ID {
			return "exo may have given the request to another instance of " + l.in.Model
		}
	}
	return ""
}
