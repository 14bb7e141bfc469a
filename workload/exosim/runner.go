package exosim

import (
	"cmp"
	"context"
	"errors"
	"time"
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
	n.mu.Lock()
	i.listed = true
	n.mu.Unlock()

	for attempt := 0; attempt < maxRetries; attempt++ {
		err := n.runRunner(i)
		if f := (*failure)(nil); errors.As(err, &f) {
			n.opts.Log.Info("runner failed", "model", i.profile.ExoID, "cause", f.cause)
			n.interrupt(i, &interruption{event: "Runner shutdown before completing command (" + f.cause + ")"})
			n.setStatus(i, runnerStatus{tag: runnerFailed, message: "Terminated (" + f.cause + ")"})
			n.endProcess(i)
			backoff := min(500*time.Millisecond<<attempt, 10*time.Second)
			if n.pause(i, backoff) == nil {
				continue
			}
			break
		}
		if errors.Is(err, errVanished) {
			n.interrupt(i, &interruption{hang: true})
			n.setStatus(i, runnerStatus{})
			n.endProcess(i)
			n.awaitDelete(i)
		}
		break
	}
	if n.ctx.Err() == nil {
		n.remove(i, EndedByExo) // unless somebody else has
	}
	n.unlist(i)
	n.mu.Lock()
	running := i.proc != nil
	n.mu.Unlock()
	if running && n.pauseTick() == nil {
		n.setStatus(i, runnerStatus{tag: runnerShuttingDown})
		n.addTask(i, "Shutdown", map[string]any{"runnerId": i.runnerID})
		_ = n.sleep(runnerStop)
	}
}

// unlist takes the instance from the state; its streams end without a word.
func (n *Node) unlist(i *instance) {
	n.mu.Lock()
	i.listed = false
	n.mu.Unlock()
	n.interrupt(i, &interruption{silent: true})
}

// forget ends what is left of an instance.
func (n *Node) forget(i *instance) {
	n.unlist(i)
	n.endProcess(i)
	if f, ok := n.strikeInstance(MemoryKept, i.profile.ExoID); ok {
		n.mu.Lock()
		n.leaked += f.Bytes
		n.mu.Unlock()
	}
	n.setStatus(i, runnerStatus{})
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.instances, i.id)
	i.ended = time.Now()
	if len(n.deleted) == deletedKept {
		n.deleted = n.deleted[1:]
	}
	n.deleted = append(n.deleted, i.info())
}

// runRunner is the life of one runner. It returns why the runner ended.
func (n *Node) runRunner(i *instance) error {
	p := i.profile
	if err := n.tick(i); err != nil {
		return err
	}
	n.addTask(i, "CreateRunner", nil)
	n.startProcess(i)
	if err := n.pause(i, runnerStart); err != nil {
		return err
	}
	n.setStatus(i, runnerStatus{tag: runnerIdle})

	stuck, isStuck := n.strikeInstance(RunnerStuck, p.ExoID)
	stuckIn := cmp.Or(stuck.State, runnerIdle)
	hang := func(tag string) error {
		if isStuck && stuckIn == tag {
			return n.awaitEnd(i)
		}
		return nil
	}
	if err := hang(runnerIdle); err != nil {
		return err
	}
	if err := n.tick(i); err != nil {
		return err
	}
	if err := n.download(i); err != nil {
		return err
	}
	if err := n.tick(i); err != nil {
		return err
	}
	n.addTask(i, "LoadModel", nil)
	if i.raises {
		return &failure{"exitcode=1"}
	}
	fails, failing := n.strikeInstance(RunnerFails, p.ExoID)
	for layer := range p.Layers {
		n.setStatus(i, runnerStatus{tag: runnerLoading, layers: layer, total: p.Layers})
		if failing && layer == p.Layers/2 {
			return &failure{cmp.Or(fails.Message, "exitcode=1")}
		}
		if layer == p.Layers/2 {
			if err := hang(runnerLoading); err != nil {
				return err
			}
		}
		d := time.Duration(float64(p.loadTime()) * n.slowdown(p.ExoID) / float64(p.Layers))
		if err := n.pause(i, d); err != nil {
			return err
		}
		n.loadedShare(i, float64(layer+1)/float64(p.Layers))
	}
	n.setStatus(i, runnerStatus{tag: runnerLoaded})
	if err := hang(runnerLoaded); err != nil {
		return err
	}
	if err := n.tick(i); err != nil {
		return err
	}
	n.addTask(i, "StartWarmup", nil)
	n.setStatus(i, runnerStatus{tag: runnerWarmingUp})
	if err := hang(runnerWarmingUp); err != nil {
		return err
	}
	warmup := seconds(warmupTokens / p.DecodeTPS * n.slowdown(p.ExoID))
	if err := n.pause(i, warmup); err != nil {
		return err
	}
	n.setStatus(i, runnerStatus{tag: runnerReady})
	return n.awaitEnd(i)
}

// pause waits for a modelled duration; an error says why the runner must end before.
func (n *Node) pause(i *instance, d time.Duration) error {
	return n.waitRunner(i, time.Now().Add(n.scaled(d)))
}

// tick waits until exo's worker plans next.
func (n *Node) tick(i *instance) error { return n.waitRunner(i, n.nextTick(time.Now())) }

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
		return n.settle(i)
	case cause := <-i.kill:
		if cause == "" {
			return errVanished
		}
		return &failure{cause}
	case <-n.ctx.Done():
		return n.ctx.Err()
	}
}

// settle lets the command that deletes an instance take effect.
func (n *Node) settle(*instance) error {
	if err := n.sleep(commandDelay); err != nil {
		return err
	}
	return errDeleted
}

// awaitDelete waits until an instance without a runner is deleted.
func (n *Node) awaitDelete(i *instance) {
	select {
	case <-i.stop:
		_ = n.settle(i)
	case <-n.ctx.Done():
	}
}

// sleep waits for a modelled duration, or until the node is closed.
func (n *Node) sleep(d time.Duration) error {
	return sleepUntil(n.ctx, time.Now().Add(n.scaled(d)))
}

func (n *Node) pauseTick() error { return sleepUntil(n.ctx, n.nextTick(time.Now())) }

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
