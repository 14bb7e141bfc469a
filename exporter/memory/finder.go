package memory

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
)

// finder finds the root of exo's process tree: the configured process, or else what listens on
// the port of exo's API. Whatever looks like exo without listening there may be another exo, and
// is never taken for it.
type finder struct {
	src    Source
	pid    int32    // configured; 0 when not
	self   int32    // this process, never exo's; 0 when it is not among the processes
	api    *url.URL // exo's API; nil when there is no telling where it is
	locate func(ctx context.Context, host string) site
}

// notFound says why exo's processes cannot be seen and what to do about it.
type notFound struct{ reason, fix string }

func (e *notFound) Error() string { return e.reason + ": " + e.fix }

const (
	fixPID     = "set EXOBENCH_EXO_PID to the pid of exo's main process, as seen from here"
	fixVisible = "run the exporter on exo's machine as exo's user or root; in a container on Linux with \"pid: host\", or " +
		"with the host's /proc mounted and HOST_PROC set to it; or " + fixPID
)

// search is one attempt to find exo, and what was read on the way.
type search struct {
	*finder
	port     uint16
	parent   map[int32]int32 // of the process table
	holders  []int32         // processes that hold a socket listening on the port
	commands map[int32][]string
}

// find returns the root's pid and the way that led to it.
func (f *finder) find(ctx context.Context, table []Process) (pid int32, how string, err error) {
	s := search{finder: f, parent: make(map[int32]int32, len(table))}
	for _, p := range table {
		s.parent[p.PID] = p.PPID
	}
	switch {
	case f.pid != 0:
		return s.configured()
	case f.api == nil:
		return 0, "", &notFound{"it is not known where exo's API is", fixPID}
	}
	s.port = portOf(f.api)
	if pid, err = s.listener(ctx); err != nil {
		return 0, "", err
	}
	return pid, fmt.Sprintf("the listener of port %d", s.port), nil
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

// listener returns the root of the processes that serve the API's port.
func (s *search) listener(ctx context.Context) (int32, error) {
	at := s.locate(ctx, s.api.Hostname())
	switch {
	case at.err != nil:
		return 0, &notFound{
			fmt.Sprintf("where exo's API is cannot be found out: %v", at.err), "correct EXOBENCH_EXO_URL; if exo is on this machine, " + fixPID,
		}
	case at.place == elsewhere:
		return 0, &notFound{
			fmt.Sprintf("exo's API is on another machine (%s)", s.api.Hostname()),
			"run the exporter beside exo; if that name is this machine after all, " + fixPID,
		}
	case at.place == outside:
		return 0, &notFound{fmt.Sprintf("exo's API (%s) is outside of this container", s.api.Hostname()), fixVisible}
	}
	sockets, err := s.src.listeners(ctx, at.place, s.port)
	if err != nil {
		return 0, &notFound{fmt.Sprintf("who listens on port %d cannot be found out: %v", s.port, err), fixPID}
	}
	if err := s.hold(reached(sockets, at.addrs)); err != nil {
		return 0, err
	}
	if s.commands, err = s.src.Commands(ctx, s.holders); err != nil {
		return 0, fmt.Errorf("read command lines: %w", err)
	}
	return s.root(ctx)
}

// hold takes the processes that hold the sockets, and fails unless each socket has one.
func (s *search) hold(sockets []listener) error {
	if len(sockets) == 0 {
		return &notFound{
			fmt.Sprintf("nothing that can be seen listens on port %d (%s)", s.port, s.api.Host),
			"start exo, or correct EXOBENCH_EXO_URL; if exo is another user's, run the exporter as that user or root",
		}
	}
	for _, l := range sockets {
		seen := slices.DeleteFunc(slices.Clone(l.pids), func(pid int32) bool { return !s.exists(pid) })
		if len(seen) == 0 {
			return s.outOfSight(l)
		}
		s.holders = append(s.holders, seen...)
	}
	return nil
}

// outOfSight says that it cannot be told whose a socket is.
func (s *search) outOfSight(l listener) error {
	if l.uid == noUser {
		return &notFound{fmt.Sprintf("what listens on port %d cannot be inspected by this user", s.port), fixVisible}
	}
	return &notFound{
		fmt.Sprintf("port %d is served by a process of user %d, which cannot be inspected from here", s.port, l.uid),
		fmt.Sprintf("run the exporter as user %d (in the compose file EXPORTER_USER) or root; or %s", l.uid, fixVisible),
	}
}

// root returns the topmost of the processes that hold the port, or of the exo that started them.
func (s *search) root(ctx context.Context) (int32, error) {
	var roots []int32
	var forwarder int32
	for _, pid := range s.holders {
		if !s.serves(pid) {
			forwarder = pid // or, as systemd does, it handed the socket on
			continue
		}
		if pid = s.topmost(ctx, pid); !slices.Contains(roots, pid) {
			roots = append(roots, pid)
		}
	}
	slices.Sort(roots)
	switch {
	case len(roots) == 0:
		return 0, &notFound{
			fmt.Sprintf("%s (pid %d) listens on port %d and only passes on what comes there",
				path.Base(s.commands[forwarder][0]), forwarder, s.port),
			"where exo runs on this machine, name its own port in EXOBENCH_EXO_URL, or " + fixPID,
		}
	case len(roots) > 1:
		return 0, &notFound{fmt.Sprintf("%d processes listen on port %d (pids %s)", len(roots), s.port, join(roots)), fixPID}
	case roots[0] == s.self:
		return 0, &notFound{fmt.Sprintf("the exporter itself listens on port %d", s.port), "correct EXOBENCH_EXO_URL"}
	}
	return roots[0], nil
}

// topmost climbs from pid as long as the parent holds the port, too, or is exo's: exo's API may
// be served by a child.
func (s *search) topmost(ctx context.Context, pid int32) int32 {
	for range len(s.parent) {
		up := s.parent[pid]
		if up == s.self || !s.exists(up) || !s.serves(up) && !s.isExo(ctx, up) {
			break
		}
		pid = up
	}
	return pid
}

// serves reports whether pid holds the port for itself.
func (s *search) serves(pid int32) bool {
	return slices.Contains(s.holders, pid) && !isForwarder(s.commands[pid])
}

func (s *search) isExo(ctx context.Context, pid int32) bool {
	commands, err := s.src.Commands(ctx, []int32{pid})
	return err == nil && isExo(commands[pid])
}
