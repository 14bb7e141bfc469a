package exo1

import (
	"cmp"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// corrupt is how exo words the end of a runner that cannot read its weights.
const corrupt = "signal=15 (Terminated)"

// runner takes an instance's runner through its phases.
type runner struct {
	*Node
	i       *instance
	booted  time.Time // when its process begins to listen
	stuckIn string    // the status that it never leaves
}

// enter moves the runner on, and stays there for ever if it has to.
func (r *runner) enter(tag string) error {
	r.setStatus(r.i, wire.Runner{Tag: tag})
	return r.hang(tag)
}

func (r *runner) hang(tag string) error {
	if r.stuckIn == tag {
		return r.awaitEnd(r.i)
	}
	return nil
}

// idle boots the process and fetches the weights. As long as it boots, a runner has no
// status of its own. When the weights are there, exo's worker waits for the boot to give the
// order to load.
func (r *runner) idle() error {
	if r.stuckIn == wire.RunnerIdle || !r.ready() {
		if err := r.waitRunner(r.i, r.booted, nil); err != nil {
			return err
		}
		if err := r.enter(wire.RunnerIdle); err != nil {
			return err
		}
		if err := r.download(r.i); err != nil {
			return err
		}
	}
	if err := r.turn(r.i); err != nil {
		return err
	}
	defer r.worker.release()
	if err := pace.SleepUntil(r.Context(), r.booted); err != nil {
		return err
	}
	select {
	case <-r.i.stop:
		return errDeleted
	default:
		return nil
	}
}

// ready reports whether the weights are there.
func (r *runner) ready() bool {
	_, fails := r.Faults.Active(faults.DownloadFails, r.i.profile.ExoID)
	return !fails && r.catalogue.download(r.i.profile).done
}

// load reads the weights, layer by layer.
func (r *runner) load() error {
	p := r.i.profile
	task := r.addTask(r.i, "LoadModel", nil)
	r.tasks.status(task, "Running")
	if r.i.raises {
		return &failure{cause: "exitcode=1"}
	}
	fails, failing := r.Faults.StrikeInstance(faults.RunnerFails, p.ExoID)
	for layer := range p.Layers {
		r.setStatus(r.i, wire.Runner{Tag: wire.RunnerLoading, Layers: layer, Total: p.Layers})
		if layer == p.Layers/2 {
			if failing {
				return &failure{cause: cmp.Or(fails.Message, corrupt)}
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
	r.tasks.status(task, "Complete")
	return r.enter(wire.RunnerLoaded)
}

// warmUp lets the runner generate a few tokens.
func (r *runner) warmUp() error {
	if err := r.turn(r.i); err != nil {
		return err
	}
	task := r.addTask(r.i, "StartWarmup", nil)
	r.tasks.status(task, "Running")
	r.worker.release()
	if err := r.enter(wire.RunnerWarmingUp); err != nil {
		return err
	}
	p := r.i.profile
	if err := r.pause(r.i, pace.Seconds(warmupTokens/p.DecodeTPS*r.Faults.Slowdown(p.ExoID))); err != nil {
		return err
	}
	r.tasks.status(task, "Complete")
	return nil
}
