package memory

import (
	"context"
	"errors"
	"time"
)

// searching says how much of exo's tree is looked for before a sample.
type searching int

const (
	searchDue  searching = iota // what is due by the clock
	searchTree                  // the tree, because a turn came to another phase
	searchRoot                  // the root as well, because a turn begins
)

// observe takes a sample and publishes it; false when nothing could be seen. undisturbed says
// that no request is being measured, so that proportional set sizes can be read, which happens
// when there is a search. s.mu is held.
func (s *Sampler) observe(how searching, undisturbed bool) (sample, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	now := time.Now()
	searched := how != searchDue || !now.Before(s.nextSearch)
	if searched {
		s.nextSearch = now.Add(searchInterval)
		s.readHost(ctx)
		if err := s.look(ctx, how); err != nil {
			return sample{}, s.hide(err)
		}
	}
	if s.tree == nil {
		return sample{}, false
	}
	d := Detail{Peak: s.rec != nil, PSS: s.pss && searched && undisturbed}
	seen, alive, err := s.tree.read(ctx, s.src, d)
	if err == nil && !alive {
		// exo ended, or was started again: there is no reason to wait with looking for it.
		s.tree = nil
		if err = s.look(ctx, searchRoot); err == nil {
			seen, alive, err = s.tree.read(ctx, s.src, d)
		}
		if err == nil && !alive {
			s.tree = nil
			err = &notFound{"exo's main process has just ended", "it is looked for again"}
		}
	}
	if err != nil {
		return sample{}, s.hide(err)
	}
	if seen.lost > 0 {
		s.lost = true
		if soon := now.Add(lostInterval); soon.Before(s.nextSearch) {
			s.nextSearch = soon
		}
	}
	if len(seen.readings) == 0 {
		return sample{}, s.hide(&notFound{"no process of exo's tree can be read", fixVisible})
	}
	s.publish(now, seen, d)
	return seen, true
}

// look finds the root when that is called for and then all that descends from it.
func (s *Sampler) look(ctx context.Context, how searching) error {
	now := time.Now()
	if s.tree == nil && how == searchDue && now.Before(s.nextFind) {
		return nil
	}
	anew := how != searchDue || s.tree == nil || s.lost
	table, err := s.src.Table(ctx, anew)
	if err != nil {
		return err
	}
	var root key
	var known map[int32]int64
	if s.tree != nil {
		root = s.tree.members[0].key
		if !anew {
			known = s.tree.known()
		}
	}
	if s.tree == nil || how == searchRoot {
		pid, by, err := s.finder.find(ctx, table)
		if err != nil {
			s.tree = nil
			s.findPause = min(max(searchInterval, 2*s.findPause), maxFindInterval)
			s.nextFind = now.Add(s.findPause)
			return err
		}
		if pid != root.pid {
			root = key{pid: pid}
		}
		s.how, s.findPause = by, 0
	}
	t, err := buildTree(ctx, s.src, table, root, known, s.finder.self)
	if err != nil {
		return err
	}
	s.tree, s.lost = t, false
	return nil
}

// publish makes a sample readable for Current and Visibility.
func (s *Sampler) publish(now time.Time, seen sample, d Detail) {
	if s.rec != nil {
		s.pssOf = nil
	} else if d.PSS {
		s.pssOf = seen.pss()
	}
	m := s.src.manner()
	c := &Current{At: now, Roles: make(map[Role]RoleUsage, len(seen.roles)), By: m.by, Footprint: m.footprint, every: s.every()}
	for role, usage := range seen.roles {
		usage.PSS = s.pssOf[role]
		c.Roles[role] = usage
	}
	s.current.Store(c)
	v := &Visibility{
		Visible: true, PID: s.tree.members[0].pid, How: s.how,
		Processes: len(seen.readings), Unreadable: seen.unreadable, By: m.by, Doubt: m.doubt,
	}
	if v.Unreadable > 0 {
		v.Fix = "run the exporter as exo's user or root"
	}
	if old := s.visibility.Swap(v); old == nil || !old.Visible || old.PID != v.PID {
		s.log.Info("Watching the memory of exo's processes", "pid", v.PID, "found_by", v.How, "processes", v.Processes, "read_by", v.By)
	}
}

// hide makes the last sample unreadable and says why. It returns false.
func (s *Sampler) hide(err error) bool {
	v := &Visibility{Reason: err.Error(), Fix: fixVisible}
	var missing *notFound
	if errors.As(err, &missing) {
		v.Reason, v.Fix = missing.reason, missing.fix
	}
	s.current.Store(nil)
	if old := s.visibility.Swap(v); old == nil || old.Visible {
		s.log.Warn("exo's processes cannot be seen; its memory is not measured", "reason", v.Reason, "fix", v.Fix)
	}
	return false
}

func (s *Sampler) readHost(ctx context.Context) {
	h, err := s.hostMem(ctx)
	if err != nil {
		s.host.Store(nil)
		return
	}
	s.host.Store(&h)
}

func (s *Sampler) resetPeaks(pids []int32) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	s.src.ResetPeaks(ctx, pids)
}
