package memory

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// finder finds the root of exo's process tree. The ways to it are tried in this order: the
// configured pid; a pid file whose process is alive, looks like exo and is not contradicted by
// the port's listener; the listener of the API's port; the one process that looks like exo.
// A way that could lead to another exo than the one under measurement is not taken.
type finder struct {
	src       Source
	pid       int32    // configured; 0 when not
	self      int32    // this process, never exo's; 0 when it is not among the processes
	api       *url.URL // exo's API; nil when there is no telling where it is
	locate    func(ctx context.Context, host string) place
	listeners func(ctx context.Context, port uint16) ([]int32, error)
	pidFiles  []string
}

// notFound says why exo's processes cannot be seen and what to do about it.
type notFound struct{ reason, fix string }

func (e *notFound) Error() string { return e.reason + ": " + e.fix }

const (
	fixPID     = "set EXOBENCH_EXO_PID to the pid of exo's main process, as seen from here"
	fixVisible = "run the exporter on exo's machine as exo's user or root; in a container on Linux with \"pid: host\", or " +
		"with the host's /proc mounted and HOST_PROC set to it; or " + fixPID
)

// search is one attempt to find exo: the process table and what was read on the way.
type search struct {
	*finder
	parent   map[int32]int32
	commands map[int32][]string
	hidden   bool // the API's port has a listener that cannot be inspected
}

// find returns the root's pid and the way that led to it.
func (f *finder) find(ctx context.Context, table []Process) (pid int32, how string, err error) {
	s := search{finder: f, parent: make(map[int32]int32, len(table))}
	for _, p := range table {
		s.parent[p.PID] = p.PPID
	}
	if f.pid != 0 {
		return s.configured()
	}
	at := here
	if f.api != nil {
		at = f.locate(ctx, f.api.Hostname())
	}
	if at == elsewhere {
		return 0, "", &notFound{
			reason: fmt.Sprintf("exo's API is on another machine (%s)", f.api.Hostname()),
			fix:    "run the exporter beside exo; if that name is this machine after all, " + fixPID,
		}
	}
	if s.commands, err = f.src.Commands(ctx, nil); err != nil {
		return 0, "", fmt.Errorf("read command lines: %w", err)
	}
	var listener int32
	if at == here && f.listeners != nil {
		listener = s.listener(ctx)
	}
	if pid, how, ok := s.pidFile(ctx, table, listener); ok {
		return pid, how, nil
	}
	if listener != 0 {
		return s.topmost(listener), fmt.Sprintf("the listener of port %d", portOf(f.api)), nil
	}
	return s.match()
}

func (s *search) exists(pid int32) bool {
	_, ok := s.parent[pid]
	return ok
}

func (s *search) configured() (int32, string, error) {
	switch {
	case s.pid == s.self:
		return 0, "", &notFound{fmt.Sprintf("EXOBENCH_EXO_PID=%d is the exporter itself", s.pid), fixPID}
	case !s.exists(s.pid):
		return 0, "", &notFound{
			fmt.Sprintf("there is no process %d (EXOBENCH_EXO_PID) among the %d that can be seen", s.pid, len(s.parent)),
			"correct or unset EXOBENCH_EXO_PID; in a container on Linux share exo's pid namespace (\"pid: host\")",
		}
	}
	return s.pid, "EXOBENCH_EXO_PID", nil
}

// listener returns the process that serves the API's port; 0 when it cannot be told.
func (s *search) listener(ctx context.Context) int32 {
	pids, err := s.listeners(ctx, portOf(s.api))
	if err != nil {
		return 0
	}
	s.hidden = slices.Contains(pids, 0)
	pids = slices.DeleteFunc(pids, func(pid int32) bool {
		return pid == 0 || pid == s.self || !s.exists(pid) || isForwarder(s.commands[pid])
	})
	if len(pids) > 1 {
		pids = slices.DeleteFunc(pids, func(pid int32) bool { return !isExo(s.commands[pid]) })
	}
	if len(pids) != 1 {
		return 0
	}
	return pids[0]
}

func (s *search) pidFile(ctx context.Context, table []Process, listener int32) (int32, string, bool) {
	for _, path := range s.pidFiles {
		pid, written, ok := readPIDFile(path)
		if !ok || pid == s.self || !s.exists(pid) || !isExo(s.commands[pid]) || s.bornAfter(ctx, pid, written) {
			continue
		}
		if isExo(s.commands[listener]) && !slices.ContainsFunc(descendants(children(table), pid, s.self),
			func(p Process) bool { return p.PID == listener }) {
			continue // another exo serves the port
		}
		return pid, "pid file " + path, true
	}
	return 0, "", false
}

// bornAfter reports whether pid was created after t, and so was not the process whose pid was
// written down at t.
func (s *search) bornAfter(ctx context.Context, pid int32, t time.Time) bool {
	usages, err := s.src.Read(ctx, []int32{pid}, Detail{})
	if err != nil || len(usages) != 1 {
		return true
	}
	return time.UnixMilli(usages[0].Created).After(t.Add(clockSlack))
}

// topmost climbs from pid as long as the parent looks like exo, too.
func (s *search) topmost(pid int32) int32 {
	for range len(s.parent) {
		up := s.parent[pid]
		if up == s.self || !s.exists(up) || !isExo(s.commands[up]) {
			break
		}
		pid = up
	}
	return pid
}

func (s *search) match() (int32, string, error) {
	var roots []int32
	for pid, argv := range s.commands {
		if pid == s.self || !s.exists(pid) || !isExo(argv) {
			continue
		}
		if root := s.topmost(pid); !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	slices.Sort(roots)
	switch len(roots) {
	case 0:
		reason := fmt.Sprintf("none of the %d visible processes is exo's by pid file, listener of the API's port or command line", len(s.parent))
		if s.hidden {
			reason += fmt.Sprintf("; what listens on port %d may not be inspected by this user", portOf(s.api))
		}
		return 0, "", &notFound{reason, fixVisible}
	case 1:
		return roots[0], "its command line", nil
	}
	return 0, "", &notFound{fmt.Sprintf("%d processes look like exo (pids %s)", len(roots), join(roots)), fixPID}
}
