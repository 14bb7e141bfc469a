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
		u.Peak = readFields(pidPath(u.PID, "status"), "VmHWM:")[0].bytes
	}
	if d.PSS {
		f := readFields(pidPath(u.PID, "smaps_rollup"), "Pss:", "SwapPss:")
		u.PSS = f[0].bytes
		if f[0].known && f[1].known {
			u.Footprint = f[0].bytes + f[1].bytes
		}
	}
}

// field is the value of a line in bytes; 0 where it is not known.
type field struct {
	bytes uint64
	known bool
}

// readFields reads a file once and returns the values of its lines "name: N kB" below the first line, one for each name.
func readFields(path string, names ...string) []field {
	fields := make([]field, len(names))
	content, err := os.ReadFile(path)
	if err != nil {
		return fields
	}
	for i, name := range names {
		_, rest, ok := bytes.Cut(content, []byte("\n"+name))
		if !ok {
			continue
		}
		value, _, _ := bytes.Cut(rest, []byte("kB"))
		if kib, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 54); err == nil {
			fields[i] = field{kib * 1024, true}
		}
	}
	return fields
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
