package instance

import (
	"context"
	"sync"
	"time"
)

// Watch looks for work of others during one request of ours: now, every five seconds, and
// when stop is called. stop takes the command ids of the request (the id of its chunks) and
// tells whether the request was contended, and by what. It was too when exo gave the request
// to another instance of the model than the one that was placed for it. Work that begins and
// ends between two looks goes unseen; a look that fails is left out. The looks between the
// first and the last read the tasks alone, because each part read may cost a token some
// milliseconds.
//
// Watch returns only when the model is ready: exo starts a runner that has failed again, and
// a request that is put meanwhile would take the load for its time to first token. It does
// not wait longer for an instance that is gone or stays dead, nor for a load than LoadTimeout.
func (l *Lease) Watch(ctx context.Context) (stop func(own ...string) (contended bool, why string)) {
	w := l.watchReady(ctx)
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for sleep(ctx, watchInterval) == nil {
			w.look(ctx, "tasks")
		}
	})
	return func(own ...string) (bool, string) {
		cancel()
		done.Wait()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		w.look(last, "instances", "runners", "tasks")
		l.m.Mine(own...)
		return w.verdict(own)
	}
}

// watchReady returns a watch that has looked once and found the model ready, or that gives up
// waiting for it.
func (l *Lease) watchReady(ctx context.Context) *watch {
	var deadSince time.Time
	for start := time.Now(); ; {
		w := &watch{l: l, at: map[string]string{}}
		w.look(ctx, "instances", "runners", "tasks")
		ready, dead := w.state()
		if !dead {
			deadSince = time.Time{}
		} else if deadSince.IsZero() {
			deadSince = time.Now()
		}
		if ready || dead && time.Since(deadSince) >= runnerBound || time.Since(start) >= l.m.opts.LoadTimeout || sleep(ctx, retryInterval) != nil {
			return w
		}
	}
}

// uses reports whether requests of ours may be at work on in: of somebody else's instances
// of the model exo may take any, for all of them were ready.
func (l *Lease) uses(in inst) bool {
	if l.Owned {
		return in.id == l.in.id
	}
	return in.model == l.in.model
}

// watch is used by one goroutine at a time: the caller's, the ticker's, and the caller's again.
type watch struct {
	l     *Lease
	first state
	seen  []foreign
	at    map[string]string // instance by command id
}

func (w *watch) look(ctx context.Context, parts ...string) {
	s, err := w.l.m.node.glance(ctx, parts...)
	if err != nil {
		w.l.m.log.Debug("A look for other people's work failed", "err", err)
		return
	}
	if w.first.Instances == nil {
		w.first = s
	} else if s.Instances == nil {
		s.Instances, s.Runners = w.first.Instances, w.first.Runners
	}
	w.seen = append(w.seen, foreignWork(s, w.l.uses)...)
	if s.Tasks != nil {
		for _, t := range *s.Tasks {
			w.at[t.command] = t.instance
		}
	}
}

// state tells whether the instances that a request may reach were ready at the first look,
// and whether one of them was dead. Where there is none, or nothing was seen, the request
// will show what is the matter: that counts as ready.
func (w *watch) state() (ready, dead bool) {
	ready = true
	v := newView(w.first)
	for _, in := range v.instances {
		if w.l.uses(in) {
			h := v.health(in)
			ready, dead = ready && h.ready, dead || h.dead
		}
	}
	return ready, dead
}

func (w *watch) verdict(own []string) (bool, string) {
	for _, f := range w.seen {
		if !w.l.m.mine(f.command) {
			return true, f.what
		}
	}
	for _, command := range own {
		if at := w.at[command]; w.l.Owned && at != "" && at != w.l.in.id {
			return true, "exo gave the request to another instance of " + w.l.in.model
		}
	}
	return false, ""
}
