//go:build !darwin

package memory

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"runtime"
	"sync"
	"syscall"

	"github.com/shirou/gopsutil/v3/process"

	"exo-bench-exporter/workload"
)

// Creation times are relative to the boot time. Computing that anew for every process is slow
// and lets it flap by a second, so that a process would seem to be another one.
var cacheBootTime = sync.OnceFunc(func() { process.EnableBootTimeCache(true) })

func newHostSource(*slog.Logger) Source {
	cacheBootTime()
	return &hostSource{}
}

// hostSource reads this machine's processes; on Linux those under HOST_PROC when it is set.
type hostSource struct {
	parents map[int32]int32 // of the last table
}

func (h *hostSource) Table(ctx context.Context, anew bool) ([]Process, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, err
	}
	parents := make(map[int32]int32, len(pids))
	table := make([]Process, 0, len(pids))
	for _, pid := range pids {
		ppid, known := h.parents[pid]
		if anew || !known {
			// NewProcess would check existence and creation time of every process beforehand.
			p := process.Process{Pid: pid}
			if ppid, err = p.PpidWithContext(ctx); err != nil {
				continue // gone, or hidden
			}
		}
		parents[pid] = ppid
		table = append(table, Process{PID: pid, PPID: ppid})
	}
	h.parents = parents
	return table, nil
}

func (*hostSource) Read(ctx context.Context, pids []int32, d Detail) ([]Usage, error) {
	usages := make([]Usage, 0, len(pids))
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		created, err := p.CreateTimeWithContext(ctx)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			continue
		}
		u := Usage{PID: pid, Created: created, Err: err}
		if err == nil {
			info, err := p.MemoryInfoWithContext(ctx)
			switch {
			case gone(err):
				continue
			case err != nil:
				u.Err = err
			default:
				u.RSS = info.RSS
				readProcfs(&u, d)
			}
		}
		usages = append(usages, u)
	}
	return usages, nil
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

func (*hostSource) Commands(ctx context.Context, pids []int32) (map[int32][]string, error) {
	commands := make(map[int32][]string, len(pids))
	for _, pid := range pids {
		p := process.Process{Pid: pid}
		if argv, err := p.CmdlineSliceWithContext(ctx); err == nil && len(argv) > 0 {
			commands[pid] = argv
		}
	}
	return commands, nil
}

func (*hostSource) listeners(ctx context.Context, at place, port uint16) ([]listener, error) {
	return listeners(ctx, at, port)
}

func (*hostSource) manner() manner {
	if runtime.GOOS == "linux" {
		return manner{by: byProcfs, footprint: workload.FootprintPSS, every: turnInterval}
	}
	return manner{by: byGopsutil, footprint: workload.FootprintNone, every: turnInterval}
}

func (*hostSource) ResetPeaks(_ context.Context, pids []int32) {
	for _, pid := range pids {
		resetPeak(pid)
	}
}
