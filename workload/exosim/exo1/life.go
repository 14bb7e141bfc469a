package exo1

import (
	"cmp"
	"errors"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// errDeleted ends a runner whose instance was deleted.
var errDeleted = errors.New("instance deleted")

// failure is why a runner ended. After one exo starts another.
type failure struct {
	cause    string
	killed   bool // from outside: it takes exo a while to notice
	vanished bool // exo #2120: nobody ever notices
}

func (f *failure) Error() string { return f.cause }

// live is the life of an instance, from the command that places it until its last runner
// is gone.
func (n *Node) live(i *instance) {
	defer n.forget(i)
	delay := commandDelay
	if f, ok := n.Faults.StrikeInstance(faults.PlacementLate, i.profile.ExoID); ok {
		delay = cmp.Or(pace.Seconds(f.Seconds), 20*time.Second)
	}
	if n.pause(i, delay) != nil {
		return
	}
	n.cluster.setListed(i, true)
	n.event()
	n.runRunners(i)
	if n.Context().Err() != nil {
		return
	}
	if n.cluster.end(i, EndedByExo) { // unless somebody else has
		n.unlist(i)
	}
	if i.kept && n.worker.turn(waitIn(n.Context())) == nil {
		n.shutDown(i)
	}
}

// runRunners lets one runner after the other live until the instance is to end.
func (n *Node) runRunners(i *instance) {
	for attempt := range maxRetries {
		err := n.runRunner(i)
		f := (*failure)(nil)
		switch {
		case !errors.As(err, &f):
			return
		case f.vanished:
			n.cluster.interrupt(i, &pace.Interruption{Hang: true})
			n.setStatus(i, wire.Runner{})
			n.endProcess(i)
			n.awaitDelete(i)
			return
		case n.fail(i, f) != nil || n.turn(i) != nil:
			return
		}
		n.shutDown(i)
		if n.pause(i, min(500*time.Millisecond<<attempt, 10*time.Second)) != nil {
			return
		}
	}
}

// fail ends a runner that has failed. Of one that was killed nothing is heard until exo has
// a look at its process.
func (n *Node) fail(i *instance, f *failure) error {
	n.Log.Info("Runner failed", "model", i.profile.ExoID, "cause", f.cause)
	n.endProcess(i)
	if f.killed {
		n.cluster.interruptBegun(i, &pace.Interruption{Hang: true})
		if err := n.pause(i, deathNoticed); err != nil {
			return err
		}
	}
	n.cluster.interruptBegun(i, &pace.Interruption{Event: "Runner shutdown before completing command (" + f.cause + ")"})
	n.setStatus(i, wire.Runner{Tag: wire.RunnerFailed, Message: "Terminated (" + f.cause + ")"})
	return nil
}

// unlist takes the instance from the state; its streams end without a word.
func (n *Node) unlist(i *instance) {
	n.cluster.setListed(i, false)
	n.event()
	n.cluster.interrupt(i, &pace.Interruption{Silent: true})
}

// shutDown ends a runner whose instance is gone, or that has failed and is to be followed by
// another: by no other errand does exo's worker forget one. The worker is taken. A runner that is at
// work does not hear of it: exo waits, holding up everything else, and kills it. In all cases
// exo forgets to take the runner's last status from the state; which that is, is a matter of
// what exo hears of the runner before it stops listening.
func (n *Node) shutDown(i *instance) {
	i.kept = false
	task := n.addTask(i, "Shutdown", map[string]any{"runnerId": i.runnerID})
	if !n.hasProcess(i) {
		n.tasks.status(task, "Running")
		n.worker.release()
		return
	}
	if n.cluster.working(i) {
		_ = n.Sleep(shutdownTimeout)
		n.tasks.status(task, "TimedOut")
		n.worker.release()
		return
	}
	n.tasks.status(task, "Running") // and so it stays
	last := wire.Runner{Tag: wire.RunnerShuttingDown}
	if f, ok := n.Faults.StrikeInstance(faults.RecordLeft, i.profile.ExoID); ok {
		last.Tag = cmp.Or(f.State, wire.RunnerReady)
	}
	n.setStatus(i, last)
	n.worker.release()
	_ = n.Sleep(runnerStop)
}

// forget ends what is left of an instance.
func (n *Node) forget(i *instance) {
	n.endProcess(i)
	if f, ok := n.Faults.StrikeInstance(faults.MemoryKept, i.profile.ExoID); ok {
		n.cluster.keep(f.Bytes)
	}
	n.cluster.forget(i)
}

// runRunner is the life of one runner. It returns why the runner ended.
func (n *Node) runRunner(i *instance) error {
	if err := n.turn(i); err != nil {
		return err
	}
	n.addTask(i, "CreateRunner", nil)
	i.kept = true
	n.startProcess(i)
	n.worker.release()
	boot := n.opts.Boot
	if f, ok := n.Faults.StrikeInstance(faults.BootSlow, i.profile.ExoID); ok {
		boot += cmp.Or(pace.Seconds(f.Seconds), 30*time.Second)
	}
	r := runner{Node: n, i: i, booted: n.Clock.After(boot)}
	if stuck, ok := n.Faults.StrikeInstance(faults.RunnerStuck, i.profile.ExoID); ok {
		r.stuckIn = cmp.Or(stuck.State, wire.RunnerIdle)
	}
	for _, phase := range []func() error{r.idle, r.load, r.warmUp} {
		if err := phase(); err != nil {
			return err
		}
	}
	n.setStatus(i, wire.Runner{Tag: wire.RunnerReady})
	return n.awaitEnd(i)
}

// setStatus moves the runner on.
func (n *Node) setStatus(i *instance, s wire.Runner) {
	n.cluster.setStatus(i, s)
	n.event()
}

// turn takes the worker for the instance.
func (n *Node) turn(i *instance) error {
	return n.worker.turn(func(t time.Time, freed <-chan struct{}) error { return n.waitRunner(i, t, freed) })
}

// pause waits for a modelled duration; an error says why the runner must end before.
func (n *Node) pause(i *instance, d time.Duration) error {
	return n.waitRunner(i, n.Clock.After(d), nil)
}

// awaitEnd waits until the runner must end.
func (n *Node) awaitEnd(i *instance) error { return n.waitRunner(i, time.Time{}, nil) }

// awaitDelete waits until an instance without a runner is deleted.
func (n *Node) awaitDelete(i *instance) {
	select {
	case <-i.stop:
	case <-n.Context().Done():
	}
}

// waitRunner waits until t unless that is zero, or until woken is closed.
func (n *Node) waitRunner(i *instance, t time.Time, woken <-chan struct{}) error {
	var due <-chan time.Time
	if !t.IsZero() {
		timer := time.NewTimer(time.Until(t))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return nil
	case <-woken:
		return nil
	case <-i.stop:
		if err := n.Sleep(commandDelay); err != nil {
			return err
		}
		return errDeleted
	case f := <-i.kill:
		return &f
	case <-n.Context().Done():
		return n.Context().Err()
	}
}
