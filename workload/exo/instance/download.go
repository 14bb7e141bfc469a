package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

// download is the state of a model's weights on the nodes of an instance, summed up.
type download struct {
	active      bool // not complete on some node
	done, total uint64
	speed       float64 // bytes per second, exo's own figure
	failed      string  // exo's reason
}

func (d download) String() string {
	switch {
	case d.failed != "":
		return "failed"
	case !d.active:
		return "none"
	case d.total == 0:
		return "pending"
	}
	return fmt.Sprintf("%s of %s at %.1f MB/s", gib(d.done), gib(d.total), d.speed/1e6)
}

// downloadOf reads the download of a model on nodes.
func (n *node) downloadOf(ctx context.Context, model string, nodes []string) (download, error) {
	var sum download
	s, err := n.look(ctx, state.Query{Parts: state.Downloads})
	for _, d := range s.Downloads {
		if d.Model == model && slices.Contains(nodes, d.Node) {
			sum.add(d)
		}
	}
	return sum, err
}

func (d *download) add(one state.Download) {
	switch {
	case one.Failed():
		d.failed = cmp.Or(one.Reason, "exo does not say why")
	case one.Ongoing(), one.Pending(): // a variant that nobody knows says nothing about progress
		d.active = true
		d.done, d.total, d.speed = d.done+one.Done, d.total+one.Total, d.speed+one.Speed
	}
}

// Whenever an instance is deleted, exo (since v1.0.68) cancels every download that none of the
// remaining instances needs, also one that somebody started by hand. So nothing is placed
// while there is such a download, and an instance of ours stays for as long.

// errDownload says that an instance of ours cannot be deleted without doing harm.
var errDownload = errors.New("deleting the instance would make exo cancel somebody else's download")

// advance is how far a download had come, and since when.
type advance struct {
	done  uint64
	since time.Time
}

// othersDownload returns the model of a download under way that no instance needs, and that is
// not of our own model; "" when there is none. exo may go on listing one that nobody works on,
// so that one without a new byte for downloadStall does not count.
func (m *Manager) othersDownload(ctx context.Context, look looker, own string) (string, error) {
	s, err := look(ctx, state.Query{Parts: state.Instances | state.Downloads})
	if err != nil {
		return "", err
	}
	now, alive := map[string]advance{}, ""
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range s.Downloads {
		if !d.Ongoing() || d.Model == own || needed(s, d.Model, d.Node) {
			continue
		}
		key := d.Node + " " + d.Model
		a := advance{d.Done, time.Now()}
		if before, seen := m.downloads[key]; seen && before.done == a.done {
			a.since = before.since
		}
		now[key] = a
		if time.Since(a.since) < downloadStall {
			alive = orSome(d.Model)
		}
	}
	m.downloads = now
	return alive, nil
}

// looker is node.look or node.glance.
type looker func(context.Context, state.Query) (state.Snapshot, error)

// harmless returns errDownload when deleting the instance of rec would make exo cancel a
// download of somebody else's. When exo does not tell in time, or not at all, the look at the
// placing has to do: there was none then.
func (m *Manager) harmless(ctx context.Context, rec *record, leaving bool) error {
	bound := harmBound
	if leaving {
		bound = harmBoundLeaving
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	model, err := m.othersDownload(ctx, m.node.glance, rec.Model)
	if err != nil {
		m.log.Debug("exo does not tell what it downloads; the instance is deleted all the same", "instance", rec.Instance, "err", err)
	}
	if model == "" {
		return nil
	}
	return fmt.Errorf("%w, of %s: the instance stays until that is over", errDownload, model)
}

// needed reports whether an instance of the model runs on the node, or may.
func needed(s state.Snapshot, model, node string) bool {
	return slices.ContainsFunc(s.Of(model), func(in state.Instance) bool { return in.OnNode(node) })
}

// waitDownloads waits until nothing is downloaded that a later DELETE would make exo cancel.
func (m *Manager) waitDownloads(ctx context.Context) error {
	for start := time.Now(); ; {
		model, err := m.othersDownload(ctx, m.node.look, "")
		switch {
		case err != nil:
			return answered(ctx, err, "exo's downloads cannot be read")
		case model == "":
			return nil
		case time.Since(start) >= m.opts.BusyTimeout:
			return skipped(nil, "exo is downloading %s for somebody else, still after %s, and would cancel that when an instance is deleted, "+
				"as ours is at the end of a turn; the turn is left out", model, m.opts.BusyTimeout)
		}
		m.progress(Progress{Stage: "waiting", Elapsed: time.Since(start)})
		if err := sleep(ctx, downloadLook); err != nil {
			return answered(ctx, err, "waiting for somebody else's download of %s", model)
		}
	}
}
