package memory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"exo-bench-exporter/exporter/program"
	"exo-bench-exporter/workload"
)

// psSource reads processes by running ps, once for all pids of a call. On macOS ps runs with the
// rights to see those of all users; it tells no footprint.
type psSource struct {
	run func(ctx context.Context, args ...string) ([]byte, error)
}

// runPS runs ps so that times are in UTC and names of months in English.
func runPS(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "/bin/ps", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	return program.Output(cmd)
}

// columns returns ps's arguments for headerless columns. Each is an option of its own: BSD's
// ps takes everything after the first "=" of an option for the header.
func columns(names ...string) []string {
	var args []string
	for _, name := range names {
		args = append(args, "-o", name+"=")
	}
	return args
}

func (s psSource) Table(ctx context.Context, _ bool) ([]Process, error) {
	var table []Process
	err := s.lines(ctx, append([]string{"-ax"}, columns("pid", "ppid")...), func(pid int32, rest []string) {
		if len(rest) != 1 {
			return
		}
		if ppid, err := strconv.ParseInt(rest[0], 10, 32); err == nil {
			table = append(table, Process{PID: pid, PPID: int32(ppid)})
		}
	})
	return table, err
}

func (s psSource) Read(ctx context.Context, pids []int32, _ Detail) ([]Usage, error) {
	if len(pids) == 0 {
		return nil, nil
	}
	var usages []Usage
	args := append(columns("pid", "rss", "lstart"), "-p", join(pids))
	err := s.lines(ctx, args, func(pid int32, rest []string) {
		if len(rest) != 6 {
			return
		}
		kib, err := strconv.ParseUint(rest[0], 10, 54)
		if err != nil {
			return
		}
		created, err := time.Parse("Mon Jan 2 15:04:05 2006", strings.Join(rest[1:], " "))
		if err != nil {
			return
		}
		usages = append(usages, Usage{PID: pid, RSS: kib * 1024, Created: created.UnixMilli()})
	})
	return usages, err
}

func (s psSource) Commands(ctx context.Context, pids []int32) (map[int32][]string, error) {
	if len(pids) == 0 {
		return nil, nil
	}
	args := append(append([]string{"-ww"}, columns("pid", "command")...), "-p", join(pids))
	commands := make(map[int32][]string)
	err := s.lines(ctx, args, func(pid int32, rest []string) {
		if len(rest) > 0 {
			commands[pid] = rest
		}
	})
	return commands, err
}

func (psSource) listeners(context.Context, place, uint16) ([]listener, error) {
	return nil, fmt.Errorf("ps knows no sockets: %w", errors.ErrUnsupported)
}

func (psSource) manner() manner {
	return manner{by: byPS, footprint: workload.FootprintNone, every: psInterval}
}

func (psSource) ResetPeaks(context.Context, []int32) {}

// lines calls f with the fields of each line that begins with a pid. ps fails when one of
// several processes is gone, which is no error here.
func (s psSource) lines(ctx context.Context, args []string, f func(pid int32, rest []string)) error {
	out, err := s.run(ctx, args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("run ps: %w", err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("run ps: %w", ctx.Err())
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 4<<20) // command lines can be long
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		pid, err := strconv.ParseInt(fields[0], 10, 32)
		if err != nil || pid < 0 {
			continue
		}
		f(int32(pid), fields[1:])
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the output of ps: %w", err)
	}
	return nil
}

func join(pids []int32) string {
	var b strings.Builder
	for i, pid := range pids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(pid)))
	}
	return b.String()
}
