package memory

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// exo1 is exo 1.x with one runner among other processes of a machine.
func exo1() []Simulated {
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	return []Simulated{
		{PID: 1, Created: at(0), RSS: 1 * mib, Command: []string{"/sbin/init"}},
		{PID: 50, PPID: 1, Created: at(5), RSS: 30 * mib, Command: []string{"uv", "run", "exo"}},
		{
			PID: 51, PPID: 50, Created: at(6), RSS: 200 * mib, Command: []string{"/exo/.venv/bin/python3", "/exo/.venv/bin/exo", "-v"},
			Listens: true,
		},
		{
			PID: 52, PPID: 51, Created: at(7), RSS: 10 * mib,
			Command: []string{"python3", "-c", "from multiprocessing.resource_tracker import main;main(9)"},
		},
		{PID: 53, PPID: 51, Created: at(8), RSS: 5 * mib, Command: []string{"macmon", "pipe", "--interval", "1000"}},
		{
			PID: 60, PPID: 51, Created: at(90), RSS: 4000 * mib,
			Command: []string{"python3", "-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork"},
		},
		{
			PID: 61, PPID: 60, Created: at(91), RSS: 40 * mib,
			Command: []string{"python3", "-c", "from multiprocessing.resource_tracker import main;main(5)"},
		},
		{PID: 70, PPID: 1, Created: at(9), RSS: 999 * mib, Command: []string{"postgres"}},
	}
}

func simulated(list *[]Simulated) *Sampler {
	return New(Config{APIURL: api, Source: SimulatedSource(func() []Simulated { return *list })})
}

func TestRoles(t *testing.T) {
	procs := exo1()
	s := simulated(&procs)
	v := s.Look()
	if v.PID != 51 || v.Processes != 5 {
		t.Fatalf("visibility: %v", v)
	}
	c, ok := s.Current()
	node, runner := c.Roles[RoleNode], c.Roles[RoleRunner]
	if !ok || node != (RoleUsage{Processes: 3, RSS: 215 * mib}) || runner != (RoleUsage{Processes: 2, RSS: 4040 * mib}) {
		t.Errorf("roles: %+v", c.Roles)
	}
}

func TestLegacyExoIsOneNode(t *testing.T) {
	procs := []Simulated{{PID: 9, RSS: mib, Created: epoch, Command: []string{"python3.12", "-m", "exo.main", "--disable-tui"}, Listens: true}}
	s := simulated(&procs)
	s.Look()
	c, ok := s.Current()
	if !ok || c.Roles[RoleNode].Processes != 1 || len(c.Roles) != 2 || c.Roles[RoleRunner] != (RoleUsage{}) {
		t.Errorf("roles: %+v", c.Roles)
	}
}

func TestDescendantsSurviveLoopsAndLeaveOutSelf(t *testing.T) {
	table := []Process{{1, 0}, {2, 1}, {3, 2}, {4, 3}, {2, 4}, {5, 2}, {6, 5}, {7, 7}}
	var got []int32
	for _, p := range descendants(children(table), 2, 5) {
		got = append(got, p.PID)
	}
	if join(got) != "2,3,4" {
		t.Errorf("descendants of 2 without 5 are %v", got)
	}
}

func TestZombieAndChangelingAreNotRead(t *testing.T) {
	procs := exo1()
	s := simulated(&procs)
	s.Look()
	procs[5].RSS = 0                      // runner died, not reaped yet
	procs[6].Created = epoch.Add(1 << 40) // its child's pid belongs to somebody else
	s.tick()
	if c, ok := s.Current(); !ok || c.Roles[RoleRunner].Processes != 0 || c.Roles[RoleNode].Processes != 3 {
		t.Errorf("roles: %+v", c.Roles)
	}
}

func TestChildOlderThanItsParentIsNone(t *testing.T) {
	procs := exo1()
	procs[5].Created = epoch
	s := simulated(&procs)
	if v := s.Look(); v.Processes != 4 {
		t.Errorf("visibility: %v", v)
	}
}

// denying refuses the memory of some processes.
type denying struct {
	Source
	denied map[int32]bool
}

func (d denying) Read(ctx context.Context, pids []int32, detail Detail) ([]Usage, error) {
	usages, err := d.Source.Read(ctx, pids, detail)
	for i, u := range usages {
		if d.denied[u.PID] {
			usages[i] = Usage{PID: u.PID, Created: u.Created, Err: &fs.PathError{Op: "open", Path: "statm", Err: fs.ErrPermission}}
		}
	}
	return usages, err
}

func TestDeniedProcessDoesNotLoseTheOthers(t *testing.T) {
	d := denying{SimulatedSource(exo1), map[int32]bool{60: true}}
	s := New(Config{APIURL: api, Source: d})
	v := s.Look()
	if !v.Visible || v.Processes != 4 || v.Unreadable != 1 || v.Fix == "" {
		t.Errorf("visibility: %+v", v)
	}
	if c, ok := s.Current(); !ok || c.Roles[RoleRunner].RSS != 40*mib || c.Roles[RoleNode].RSS != 215*mib {
		t.Errorf("roles: %+v", c.Roles)
	}
	for _, p := range exo1() {
		d.denied[p.PID] = true
	}
	s.tick()
	if c, ok := s.Current(); ok {
		t.Errorf("nothing can be read, but the roles are %+v", c.Roles)
	}
	if v, _ := s.Visibility(); v.Visible || v.Reason == "" {
		t.Errorf("visibility: %+v", v)
	}
}

// broken fails as a whole.
type broken struct {
	Source
	err error
}

func (b *broken) Table(ctx context.Context, anew bool) ([]Process, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Source.Table(ctx, anew)
}

func TestBrokenSourceHidesAndComesBack(t *testing.T) {
	b := &broken{SimulatedSource(exo1), errors.New("no /proc")}
	s := New(Config{APIURL: api, Source: b})
	if v := s.Look(); v.Visible || v.Reason != "no /proc" || v.Fix == "" {
		t.Errorf("visibility: %+v", v)
	}
	b.err = nil
	if v := s.Look(); !v.Visible {
		t.Errorf("visibility: %+v", v)
	}
}
