package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"exo-bench-exporter/workload"
)

const (
	// turnInterval is how often the known processes are read during a turn where that takes no program.
	turnInterval = 250 * time.Millisecond
	// psInterval is the same where every reading runs ps.
	psInterval = 2 * time.Second
)

// kernel is what macOS tells of processes. Errors are the system's own numbers; syscall.ESRCH
// stands for a process that is gone.
type kernel interface {
	processes() ([]task, error)
	process(pid int32) (task, error)
	// rusage has the kernel write a rusage_info of rusageFlavor into buf. It takes the same user or root
	// (syscall.EPERM).
	rusage(pid int32, buf *[rusageSize]byte) error
	// arguments returns kern.procargs2, for which it takes the same user or root (syscall.EINVAL).
	arguments(pid int32) ([]byte, error)
	// executable returns the path of the program that any user's process runs.
	executable(pid int32) (string, error)
}

// task is a line of macOS' process table, which has those of all users.
type task struct {
	pid, ppid int32
	created   int64 // ms since the epoch
	dead      bool  // not yet reaped
}

// macSource reads a Mac's processes by calls of its kernel, without running a program. Of another
// user's processes ps, which has the rights, tells the resident memory and the command line; their
// footprint nobody tells.
type macSource struct {
	kernel
	ps    psSource
	lsof  lsof
	buf   [rusageSize]byte
	ranPS bool // at the last Read
}

func newMacSource(k kernel, ps psSource, l lsof) *macSource {
	return &macSource{kernel: k, ps: ps, lsof: l}
}

func (m *macSource) Table(context.Context, bool) ([]Process, error) {
	all, err := m.processes()
	if err != nil {
		return nil, fmt.Errorf("read kern.proc: %w", err)
	}
	table := make([]Process, len(all))
	for i, t := range all {
		table[i] = Process{PID: t.pid, PPID: t.ppid}
	}
	return table, nil
}

func (m *macSource) Read(ctx context.Context, pids []int32, _ Detail) ([]Usage, error) {
	usages := make([]Usage, 0, len(pids))
	foreign := make(map[int32]int64) // when they were born, which ps knows less exactly
	for _, pid := range pids {
		t, err := m.process(pid)
		if err != nil {
			continue // gone
		}
		u := Usage{PID: pid, Created: t.created}
		if !t.dead { // of a dead one the kernel tells what it had
			switch r, err := m.weigh(pid); {
			case errors.Is(err, syscall.ESRCH):
				continue
			case errors.Is(err, syscall.EPERM):
				foreign[pid] = t.created
				continue
			case err != nil:
				u.Err = fmt.Errorf("proc_pid_rusage: %w", err)
			default:
				u.RSS, u.Footprint, u.FootprintPeak = r.resident, r.footprint, r.most
			}
		}
		usages = append(usages, u)
	}
	m.ranPS = len(foreign) > 0
	if !m.ranPS {
		return usages, nil
	}
	others, err := m.ps.Read(ctx, slices.Sorted(maps.Keys(foreign)), Detail{})
	for _, u := range others {
		u.Created = foreign[u.PID]
		usages = append(usages, u)
	}
	return usages, err
}

func (m *macSource) weigh(pid int32) (rusage, error) {
	if err := m.rusage(pid, &m.buf); err != nil {
		return rusage{}, err
	}
	return decodeRusage(&m.buf), nil
}

// born returns when the kernel says that a process was born, in ms since the epoch; false where there is none.
func (m *macSource) born(pid int32) (int64, bool) {
	t, err := m.process(pid)
	return t.created, err == nil
}

func (m *macSource) Commands(ctx context.Context, pids []int32) (map[int32][]string, error) {
	commands := make(map[int32][]string, len(pids))
	var foreign []int32
	for _, pid := range pids {
		argv, err := m.commandLine(pid)
		switch {
		case err != nil:
			foreign = append(foreign, pid) // another user's, gone, or not to be understood
		case len(argv) > 0:
			commands[pid] = argv
		}
	}
	if len(foreign) == 0 {
		return commands, nil
	}
	others, err := m.ps.Commands(ctx, foreign)
	for pid, words := range others {
		if path, err := m.executable(pid); err == nil {
			words = joinPath(words, path)
		}
		commands[pid] = words
	}
	return commands, err
}

func (m *macSource) commandLine(pid int32) ([]string, error) {
	raw, err := m.arguments(pid)
	if err != nil {
		return nil, err
	}
	return decodeArguments(raw)
}

// joinPath makes one word of those that a command line begins with, if they are the path of its
// program: ps parts arguments and blanks within them alike.
func joinPath(words []string, path string) []string {
	for i := range words {
		if strings.Join(words[:i+1], " ") == path {
			return append([]string{path}, words[i+1:]...)
		}
	}
	return words
}

func (m *macSource) listeners(ctx context.Context, _ place, port uint16) ([]listener, error) {
	return m.lsof.listeners(ctx, port)
}

// ResetPeaks does nothing: that of the footprint would be reset for every reader, and the peak of a
// turn does without.
func (*macSource) ResetPeaks(context.Context, []int32) {}

func (m *macSource) manner() manner {
	way := manner{by: byRusage, footprint: workload.FootprintPhysical, every: turnInterval}
	if m.ranPS { // a sample has no footprint then; those before, which may be of the same turn, are as good as they were
		way.by, way.every, way.doubt = byPS, psInterval, "some process of exo's is another user's, so that no footprint is known"
	}
	return way
}
