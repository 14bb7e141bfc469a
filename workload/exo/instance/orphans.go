package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"exo-bench-exporter/workload/statefile"
)

// leftovers returns the records of this node whose instances nobody uses: our own that were
// let go, and those of owners that are dead, which become ours.
func (s *store) leftovers() ([]*record, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.list()
	errs := []error{err}
	var out []*record
	byOwner := map[string][]*record{}
	for _, r := range all {
		if r.Owner != s.owner {
			byOwner[r.Owner] = append(byOwner[r.Owner], r)
		} else if r.Node == s.node && !s.held[r.file] {
			out = append(out, r)
		}
	}
	errs = append(errs, s.forgetOwners(byOwner))
	for owner, records := range byOwner {
		adopted, err := s.adopt(owner, records)
		out, errs = append(out, adopted...), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// siblings returns the instances of this node that living exporters with the same directory are using and
// will delete: those that are recorded for others once leftovers has adopted what the dead have left.
func (s *store) siblings() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, _ := s.list() // what cannot be read was said by leftovers
	out := map[string]bool{}
	for _, r := range all {
		if r.Owner != s.owner && r.Node == s.node && !r.Kept {
			out[r.Instance] = true
		}
	}
	return out
}

// forgetOwners removes lock files of dead owners that left no record.
func (s *store) forgetOwners(withRecords map[string][]*record) error {
	names, err := filepath.Glob(filepath.Join(s.dir, ownerPrefix+"*.lock"))
	for _, n := range names {
		name := filepath.Base(n)
		if name == s.owner || len(withRecords[name]) > 0 {
			continue
		}
		_, e := s.adopt(name, nil)
		err = errors.Join(err, e)
	}
	return err
}

// adopt takes over the records of this node that a dead owner left, and none of a living one's.
func (s *store) adopt(owner string, records []*record) ([]*record, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, owner), os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist): // its lock went with the process, for example on a restored disk
	case err != nil:
		return nil, fmt.Errorf("look whether the owner of a record lives: %w", err)
	default:
		defer f.Close()
		if ok, err := statefile.TryLock(f); !ok || err != nil {
			return nil, err
		}
	}
	var out []*record
	others := false
	for _, r := range records {
		if r.Node != s.node {
			others = true
			continue
		}
		r.Owner = s.owner
		if err := s.write(r); err != nil {
			return out, err
		}
		out = append(out, r)
	}
	if f != nil && !others {
		if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, fmt.Errorf("remove lock of a dead owner: %w", err)
		}
	}
	return out, nil
}
