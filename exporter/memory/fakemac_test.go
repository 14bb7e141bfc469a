package memory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// fakeMac is a Mac that does not exist: its kernel, and the programs that tell of it.
type fakeMac struct {
	tasks []fakeTask
	// lie changes what the kernel says of a process's memory; nil to let it say what is.
	lie   func(values map[string]uint64)
	fails error // what proc_pid_rusage comes to
	psRan int   // how often ps ran
	psErr error // what running it comes to
	// hang is called while ps runs; nil for a ps that is quick.
	hang func(ctx context.Context) error
}

// fakeTask is a process of a fakeMac.
type fakeTask struct {
	pid, ppid             int32
	created               time.Time
	rss, footprint, most  uint64
	foreign, dead, psZero bool // another user's; not yet reaped; of which ps cannot tell either
	garbled               bool // whose command line is not laid out as is known
	path                  string
	argv                  []string
}

func newFakeMac(tasks ...fakeTask) *fakeMac { return &fakeMac{tasks: tasks} }

func (f *fakeMac) find(pid int32) (fakeTask, error) {
	for _, t := range f.tasks {
		if t.pid == pid {
			return t, nil
		}
	}
	return fakeTask{}, syscall.ESRCH
}

func (f *fakeMac) processes() (all []task, err error) {
	for _, t := range f.tasks {
		all = append(all, task{pid: t.pid, ppid: t.ppid, created: t.created.UnixMilli(), dead: t.dead})
	}
	return all, nil
}

func (f *fakeMac) process(pid int32) (task, error) {
	t, err := f.find(pid)
	return task{pid: t.pid, ppid: t.ppid, created: t.created.UnixMilli(), dead: t.dead}, err
}

func (f *fakeMac) rusage(pid int32, buf *[rusageSize]byte) error {
	t, err := f.find(pid)
	switch {
	case err != nil:
		return err
	case f.fails != nil:
		return f.fails
	case t.foreign:
		return syscall.EPERM
	}
	values := map[string]uint64{"resident_size": t.rss, "phys_footprint": t.footprint, "lifetime_max_phys_footprint": t.most}
	if f.lie != nil {
		f.lie(values)
	}
	copy(buf[:], writeRusage(rusageFlavor, values))
	return nil
}

func (f *fakeMac) arguments(pid int32) ([]byte, error) {
	t, err := f.find(pid)
	if err != nil || t.foreign {
		return nil, syscall.EINVAL
	}
	if t.garbled {
		return []byte{1}, nil
	}
	return procargs(t.path, t.argv, nil), nil
}

func (f *fakeMac) executable(pid int32) (string, error) {
	t, err := f.find(pid)
	return t.path, err
}

// ps is Apple's ps on this Mac.
func (f *fakeMac) ps() psSource {
	return psSource{run: func(ctx context.Context, args ...string) ([]byte, error) {
		f.psRan++
		if f.hang != nil {
			if err := f.hang(ctx); err != nil {
				return nil, err
			}
		}
		if f.psErr != nil {
			return nil, f.psErr
		}
		line := strings.Join(args, " ")
		_, asked, some := strings.Cut(line, "-p ")
		var out strings.Builder
		for _, t := range f.tasks {
			if some && !strings.Contains(","+asked+",", fmt.Sprintf(",%d,", t.pid)) {
				continue
			}
			switch rss := t.rss; {
			case strings.Contains(line, "lstart"):
				if t.dead || t.psZero {
					rss = 0
				}
				fmt.Fprintf(&out, "%5d %6d %-28s\n", t.pid, rss/1024, t.created.UTC().Format("Mon Jan _2 15:04:05 2006"))
			case strings.Contains(line, "command"):
				fmt.Fprintf(&out, "%5d %s\n", t.pid, strings.Join(t.argv, " "))
			default:
				fmt.Fprintf(&out, "%5d %5d\n", t.pid, t.ppid)
			}
		}
		return []byte(out.String()), nil
	}}
}

// lsof is the lsof of a Mac on which the first process of all listens.
func (f *fakeMac) lsof() lsof {
	return lsof{run: func(context.Context, ...string) ([]byte, error) {
		if len(f.tasks) == 0 {
			return nil, errors.New("nothing")
		}
		return fmt.Appendf(nil, "p%d\nu501\nf11\nn*:52415\n", f.tasks[0].pid), nil
	}}
}

// self is this process on a fakeMac.
const self = 900

// source returns the doubted Source of this Mac. The weight is what weigh has the process gain.
func (f *fakeMac) source(log *strings.Builder) *doubted {
	weigh := func(read func() (Usage, error)) error {
		before, err := read()
		if err != nil {
			return err
		}
		for i := range f.tasks {
			if t := &f.tasks[i]; t.pid == self {
				t.rss, t.footprint = t.rss+weight, t.footprint+weight
				t.most = max(t.most, t.footprint)
				defer func() { t.rss, t.footprint = t.rss-weight, t.footprint-weight }()
			}
		}
		with, err := read()
		if err != nil {
			return err
		}
		return weighed(before, with)
	}
	return newDoubted(newMacSource(f, f.ps(), f.lsof()), f.ps(), self, weigh, logTo(log))
}
