package memory

import "fmt"

// Runners names the runners' processes in exo's tree as they are now; false when they cannot be
// seen. A name is never used again for another process.
func (s *Sampler) Runners() ([]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.observe(searchTree, false); !ok {
		return nil, false
	}
	var names []string
	for _, m := range s.tree.members {
		if m.role == RoleRunner && m.branch == m.pid {
			names = append(names, fmt.Sprintf("%d@%d", m.pid, m.created))
		}
	}
	return names, true
}
