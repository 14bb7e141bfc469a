package memory

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// newHostSource returns this Mac's processes.
func newHostSource(log *slog.Logger) Source {
	ps := psSource{run: runPS}
	return newDoubted(newMacSource(xnu{}, ps, lsof{run: runLsof}), ps, selfPID(), weighSelf, log)
}

// xnu asks macOS' kernel, by calls that need no C compiler.
type xnu struct{}

// zombie is the state of a process that is dead and not yet reaped (SZOMB of bsd/sys/proc.h).
const zombie = 5

func taskOf(k *unix.KinfoProc) task {
	at := k.Proc.P_starttime
	return task{
		pid: k.Proc.P_pid, ppid: k.Eproc.Ppid, dead: k.Proc.P_stat == zombie,
		created: time.Unix(at.Sec, int64(at.Usec)*1000).UnixMilli(),
	}
}

func (xnu) processes() ([]task, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, err
	}
	tasks := make([]task, len(all))
	for i := range all {
		tasks[i] = taskOf(&all[i])
	}
	return tasks, nil
}

func (xnu) process(pid int32) (task, error) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", int(pid))
	if err != nil {
		return task{}, syscall.ESRCH // the kernel gives nothing, which x/sys calls EIO
	}
	return taskOf(k), nil
}

func (xnu) arguments(pid int32) ([]byte, error) { return unix.SysctlRaw("kern.procargs2", int(pid)) }

// symbols are functions of libSystem, which is in every process on macOS.
var symbols = sync.OnceValues(func() (s struct{ rusage, path uintptr }, err error) {
	lib, err := purego.Dlopen("/usr/lib/libSystem.B.dylib", purego.RTLD_LAZY|purego.RTLD_GLOBAL)
	if err != nil {
		return s, fmt.Errorf("open libSystem: %w", err)
	}
	if s.rusage, err = purego.Dlsym(lib, "proc_pid_rusage"); err != nil {
		return s, fmt.Errorf("find proc_pid_rusage: %w", err)
	}
	if s.path, err = purego.Dlsym(lib, "proc_pidpath"); err != nil {
		return s, fmt.Errorf("find proc_pidpath: %w", err)
	}
	return s, nil
})

func (xnu) rusage(pid int32, buf *[rusageSize]byte) error {
	s, err := symbols()
	if err != nil {
		return err
	}
	ret, _, errno := purego.SyscallN(s.rusage, uintptr(pid), rusageFlavor, uintptr(unsafe.Pointer(buf)))
	return failure(int32(ret), errno)
}

// pathMax is the longest path that proc_pidpath gives (PROC_PIDPATHINFO_MAXSIZE).
const pathMax = 4096

func (xnu) executable(pid int32) (string, error) {
	s, err := symbols()
	if err != nil {
		return "", err
	}
	buf := make([]byte, pathMax)
	n, _, errno := purego.SyscallN(s.path, uintptr(pid), uintptr(unsafe.Pointer(&buf[0])), pathMax)
	if int32(n) <= 0 {
		return "", failure(-1, errno)
	}
	path, _, _ := bytes.Cut(buf, []byte{0})
	return string(path), nil
}

// failure returns the error of a call that returns 0 when all is well.
func failure(ret int32, errno uintptr) error {
	switch {
	case ret == 0:
		return nil
	case errno == 0:
		return errors.New("failed without a reason")
	}
	return syscall.Errno(errno)
}
