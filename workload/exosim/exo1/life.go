package exo1

import (
	"cmp"
	"errors"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// errDeleted ends a runner whose instance was deleted, errVanished one that #2120 struck.
var (
	errDeleted  = errors.New("instance deleted")
	errVanished = errors.New("runner vanished")
)

// failure is why a runner failed.
type failure struct{ cause string }

func (f *failure) Error() string { return f.cause }

// live is the life of an instance, from the command that places it until its last runner
// is gone.
func (n *Node) live(i *instance) {
	defer n.forget(i)
	if n.pause(i, commandDelay) != nil {
		return
	}
	n.cluster.setListed(i, true)
	n.runRunners(i)
	if n.Context().Err() == nil {
		n.remove(i, EndedByExo) // unless somebody else has
	}
	n.unlist(i)
	if n.hasProcess(i) && n.Tick() == nil {
		n.cluster.setStatus(i, wire.Runner{Tag: wire.RunnerShuttingDown})
		n.addTask(i, "Shutdown", map[string]any{"runnerId": i.runnerID})
		_ = n.Sleep(runnerStop)
	}
}

// runRunners lets one runner after the other live until the instance is to end.
func (n *Node) runRunners(i *instance) {
	for attempt := range maxRetries {
		err := n.runRunner(i)
		if f := (*failure)(nil); errors.As(err, &f) {
			n.Log.Info("runner failed", "model", i.profile.ExoID, "cause", f.cause)
			n.cluster.interrupt(i, &pace.Interruption{Event: "Runner shutdown before completing command (" + f.cause + ")"})
			n.cluster.setStatus(i, wire.Runner{Tag: wire.RunnerFailed, Message: "Terminated (" + f.cause + ")"})
			n.endProcess(i)
			if n.pause(i, min(500*time.Millisecond<<attempt, 10*time.Second)) == nil {
				continue
			}
			return
		}
		if errors.Is(err, errVanished) {
			n.cluster.interrupt(i, &pace.Interruption{Hang: true})
			n.cluster.setStatus(i, wire.Runner{})
			n.endProcess(i)
			n.awaitDelete(i)
		}
		return
	}
}

// unlist takes the instance from the state; its streams end without a word.
func (n *Node) unlist(i *instance) {
	n.cluster.setListed(i, false)
	n.cluster.interrupt(i, &pace.Interruption{Silent: true})
}

// forget ends what is left of an instance.
func (n *Node) forget(i *instance) {
	n.unlist(i)
	n.endProcess(i)
	if f, ok := n.Faults.StrikeInstance(faults.MemoryKept, i.profile.ExoID); ok {
		n.cluster.keep(f.Bytes)
	}
	n.cluster.setStatus(i, wire.Runner{})
	n.cluster.forget(i)
}

// runRunner is the life of one runner. It returns why the runner ended.
func (n *Node) runRunner(i *instance) error {
	if err := n.tick(i); err != nil {
		return err
	}
	n.addTask(i, "CreateRunner", nil)
	n.startProcess(i)
	if err := n.pause(i, runnerStart); err != nil {
		return err
	}
	stuck, isStuck := n.Faults.StrikeInstance(faults.RunnerStuck, i.profile.ExoID)
	r := runner{Node: n, i: i}
	if isStuck {
		r.stuckIn = cmp.Or(stuck.State, wire.RunnerIdle)
	}
	for _, phase := range []func() error{r.idle, n.tickOf(i), r.download, n.tickOf(i), r.load, n.tickOf(i), r.warmUp} {
		if err := phase(); err != nil {
			return err
		}
	}
	n.cluster.setStatus(i, wire.Runner{Tag: wire.RunnerReady})
	return n.awaitEnd(i)
}

// runner takes an instance's runner through its phases.
type runner struct {
	*Node
	i       *instance
	stuckIn string // the status that it never leaves
}

// enter moves the runner on, and stays there for ever if it has to.
func (r *runner) enter(tag string) error {
	r.cluster.setStatus(r.i, wire.Runner{Tag: tag})
	return r.hang(tag)
}

func (r *runner) hang(tag string) error {
	if r.stuckIn == tag {
		return r.awaitEnd(r.i)
	}
	return nil
}

func (r *runner) idle() error { return r.enter(wire.RunnerIdle) }

func (r *runner) download() error { return r.Node.download(r.i) }

// load reads the weights, layer by layer.
func (r *runner) load() error {
	p := r.i.profile
	r.addTask(r.i, "LoadModel", nil)
	if r.i.raises {
		return &failure{"exitcode=1"}
	}
	fails, failing := r.Faults.StrikeInstance(faults.RunnerFails, p.ExoID)
	for layer := range p.Layers {
		r.cluster.setStatus(r.i, wire.Runner{Tag: wire.RunnerLoading, Layers: layer, Total: p.Layers})
		if layer == p.Layers/2 {
			if failing {
				return &failure{cmp.Or(fails.Message, "exitcode=1")}
			}
			if err := r.hang(wire.RunnerLoading); err != nil {
				return err
			}
		}
		d := time.Duration(float64(p.LoadTime()) * r.Faults.Slowdown(p.ExoID) / float64(p.Layers))
		if err := r.pause(r.i, d); err != nil {
			return err
		}
		r.loadedShare(r.i, float64(layer+1)/float64(p.Layers))
	}
	return r.enter(wire.RunnerLoaded)
}

func (r *runner) warmUp() error {
	p := r.i.profile
	r.addTask(r.i, "StartWarmup", nil)
	if err := r.enter(wire.RunnerWarmingUp); err != nil {
		return err
	}
	return r.pause(r.i, pace.Seconds(warmupTokens/p.DecodeTPS*r.Faults.Slowdown(p.ExoID)))
}

// pause waits for a modelled duration; an error says why the runner must end before.
func (n *Node) pause(i *instance, d time.Duration) error { return n.waitRunner(i, n.Clock.After(d)) }

// tick waits until exo's worker plans next.
func (n *Node) tick(i *instance) error { return n.waitRunner(i, n.Clock.NextTick(time.Now())) }

func (n *Node) tickOf(i *instance) func() error { return func() error { return n.tick(i) } }

// awaitEnd waits until the runner must end.
func (n *Node) awaitEnd(i *instance) error { return n.waitRunner(i, time.Time{}) }

// waitRunner waits until t, or for ever when t is zero.
func (n *Node) waitRunner(i *instance, t time.Time) error {
	var due <-chan time.Time
	if !t.IsZero() {
		timer := time.NewTimer(time.Until(t))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return nil
	case <-i.stop:
		return n.settle()
	case cause := <-i.kill:
		if cause == "" {
			return errVanished
		}
		return &failure{cause}
	case <-n.Context().Done():
		return n.Context().Err()
	}
}

// settle lets the command that deletes an instance take effect.
func (n *Node) settle() error {
	if err := n.Sleep(commandDelay); err != nil {
		return err
	}
	return errDeleted
}

// awaitDelete waits until an instance without a runner is deleted.
func (n *Node) awaitDelete(i *instance) {
	select {
	case <-i.stop:
		_ = n.settle()
	case <-n.Context().Done():
	}
}
