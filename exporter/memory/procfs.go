package memory

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// procPath returns a path below Linux's procfs, which HOST_PROC may have moved.
func procPath(elem ...string) string {
	return filepath.Join(append([]string{cmp.Or(os.Getenv("HOST_PROC"), "/proc")}, elem...)...)
}

func pidPath(pid int32, file string) string { return procPath(strconv.Itoa(int(pid)), file) }

// readProcfs adds what only Linux's procfs tells; fields stay 0 where it does not.
func readProcfs(u *Usage, d Detail) {
	if runtime.GOOS != "linux" {
		return
	}
	if d.Peak {
		u.Peak = readField(pidPath(u.PID, "status"), "VmHWM:")
	}
	if d.PSS {
		u.PSS = readField(pidPath(u.PID, "smaps_rollup"), "Pss:")
	}
}

// readField returns the value in bytes of a line "name: N kB" below the first line; 0 when there is none.
func readField(path, name string) uint64 {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(content, []byte("\n"+name))
	if !ok {
		return 0
	}
	value, _, _ := bytes.Cut(rest, []byte("kB"))
	kib, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 54)
	if err != nil {
		return 0
	}
	return kib * 1024
}

// resetPeak sets VmHWM of pid to its current RSS. It takes the same user or root; without
// that the mark stays what it was.
func resetPeak(pid int32) {
	if runtime.GOOS != "linux" {
		return
	}
	f, err := os.OpenFile(pidPath(pid, "clear_refs"), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	_, _ = f.WriteString("5")
	_ = f.Close()
}

// selfPID returns this process's pid as the process table has it, which under HOST_PROC may
// be another namespace's; 0 when it is not in there.
func selfPID() int32 {
	if runtime.GOOS != "linux" {
		return int32(os.Getpid())
	}
	target, err := os.Readlink(procPath("self"))
	if err != nil {
		return 0
	}
	pid, err := strconv.ParseInt(target, 10, 32)
	if err != nil {
		return 0
	}
	return int32(pid)
}
