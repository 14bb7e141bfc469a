package memory

import (
	"context"
	"slices"
)

// key names a process for good: a pid alone is used again.
type key struct {
	pid     int32
	created int64
}

// member is a process of exo's tree.
type member struct {
	key          // created is 0 until the first reading
	parent int32 // 0 for the root
	role   Role
	branch int32 // the runner that it is or descends from; 0 for the others
}

// tree is exo's process tree as it was last looked for; the root comes first.
type tree struct {
	members []member
	pids    []int32
}

// children maps every process to those that name it as parent.
func children(table []Process) map[int32][]int32 {
	m := make(map[int32][]int32)
	for _, p := range table {
		if p.PPID != p.PID {
			m[p.PPID] = append(m[p.PPID], p.PID)
		}
	}
	return m
}

// descendants returns root and all below it, parents first, without self and what is below that.
func descendants(byParent map[int32][]int32, root, self int32) []Process {
	found := []Process{{PID: root}}
	seen := map[int32]bool{root: true, self: true}
	for i := 0; i < len(found); i++ {
		for _, pid := range byParent[found[i].PID] {
			if !seen[pid] {
				seen[pid] = true
				found = append(found, Process{PID: pid, PPID: found[i].PID})
			}
		}
	}
	return found
}

// buildTree finds the descendants of root in table and gives them their roles. Those of
// known, which names pids with their creation times, are taken for the same processes still.
func buildTree(ctx context.Context, src Source, table []Process, root key, known map[int32]int64, self int32) (*tree, error) {
	byParent := children(table)
	found := descendants(byParent, root.pid, self)
	commands, err := src.Commands(ctx, byParent[root.pid])
	if err != nil {
		return nil, err
	}
	t := &tree{members: []member{{key: root, role: RoleNode}}, pids: []int32{root.pid}}
	at := map[int32]int{root.pid: 0}
	for _, p := range found[1:] {
		m := member{key: key{p.PID, known[p.PID]}, parent: p.PPID}
		if p.PPID == root.pid {
			m.role = roleOf(commands[p.PID])
			if m.role == RoleRunner {
				m.branch = p.PID
			}
		} else {
			up := t.members[at[p.PPID]]
			m.role, m.branch = up.role, up.branch
		}
		at[p.PID] = len(t.members)
		t.members = append(t.members, m)
		t.pids = append(t.pids, p.PID)
	}
	return t, nil
}

// known returns the creation times of the tree's processes by pid.
func (t *tree) known() map[int32]int64 {
	m := make(map[int32]int64, len(t.members))
	for _, member := range t.members {
		m[member.pid] = member.created
	}
	return m
}

// reading is one process at one moment.
type reading struct {
	key
	rss, footprint level
}

// level is a quantity of one process now and at its high-water mark; 0 where that is not known.
type level struct{ now, mark uint64 }

// sample is the tree at one moment.
type sample struct {
	readings    []reading
	total       uint64 // of resident sets
	footprint   uint64 // 0 where some process's is not known
	roles       map[Role]RoleUsage
	runners     int  // runners with their descendants counted as one
	unreadable  int  // processes whose memory could not be read
	lost        int  // processes that have gone since the tree was looked for
	noPSS       bool // PSS was asked for and is missing of some process
	noFootprint bool // the footprint is missing of some process
}

// read reads the memory of the tree's processes and drops those that are gone, or whose pid
// belongs to another process by now. It returns false when the root is among them, or when
// nothing could be read.
func (t *tree) read(ctx context.Context, src Source, d Detail) (sample, bool, error) {
	usages, err := src.Read(ctx, t.pids, d)
	if err != nil {
		return sample{}, true, err
	}
	byPID := make(map[int32]Usage, len(usages))
	for _, u := range usages {
		byPID[u.PID] = u
	}
	s := sample{roles: map[Role]RoleUsage{RoleNode: {}, RoleRunner: {}}}
	branches := make(map[int32]bool)
	kept := t.members[:0]
	for _, m := range t.members {
		u, ok := byPID[m.pid]
		if !ok || !m.accept(u, kept) {
			s.lost++
			if m.parent == 0 {
				return s, false, nil
			}
			continue
		}
		m.created = u.Created
		kept = append(kept, m)
		if m.branch != 0 {
			branches[m.branch] = true
		}
		if u.Err != nil {
			s.unreadable++
			s.noFootprint = true
			continue
		}
		s.add(m, u, d)
	}
	t.members = kept
	t.pids = t.pids[:0]
	for _, m := range kept {
		t.pids = append(t.pids, m.pid)
	}
	s.runners = len(branches)
	if s.noFootprint {
		s.footprint = 0
	}
	return s, true, nil
}

// accept reports whether u is the process that was taken for m: the same as before, or, at
// the first reading, not older than its parent. Without resident pages it is dead.
func (m member) accept(u Usage, kept []member) bool {
	if u.Err == nil && u.RSS == 0 {
		return false
	}
	if m.created != 0 {
		return m.created == u.Created
	}
	if m.parent == 0 {
		return true
	}
	i := slices.IndexFunc(kept, func(k member) bool { return k.pid == m.parent })
	return i < 0 || u.Created >= kept[i].created
}

func (s *sample) add(m member, u Usage, d Detail) {
	s.readings = append(s.readings, reading{
		key: key{u.PID, u.Created}, rss: level{u.RSS, u.Peak}, footprint: level{u.Footprint, u.FootprintPeak},
	})
	s.total += u.RSS
	s.footprint += u.Footprint
	s.noFootprint = s.noFootprint || u.Footprint == 0
	r := s.roles[m.role]
	r.Processes++
	r.RSS += u.RSS
	r.PSS += u.PSS
	s.roles[m.role] = r
	if d.PSS && u.PSS == 0 {
		s.noPSS = true
	}
}

// pssTotal returns the proportional set size of the tree; 0 where some process's is unknown.
func (s *sample) pssTotal() uint64 {
	var sum uint64
	for _, bytes := range s.pss() {
		sum += bytes
	}
	return sum
}

// pss returns the proportional set size of each role; none where some process's is unknown.
func (s *sample) pss() map[Role]uint64 {
	if s.noPSS {
		return nil
	}
	m := make(map[Role]uint64, len(s.roles))
	for role, usage := range s.roles {
		m[role] = usage.PSS
	}
	return m
}
