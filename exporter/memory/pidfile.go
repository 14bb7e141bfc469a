package memory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockSlack is what a process's creation time may be off: it is given in whole seconds, and
// counted from a boot time that is known to a second.
const clockSlack = 2 * time.Second

// pidFiles returns the paths where exo leaves its pid: below the cache directory on Linux,
// below ~/.exo elsewhere.
func pidFiles() []string {
	var paths []string
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		paths = append(paths, filepath.Join(dir, "exo", "exo.pid"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		paths = append(paths, filepath.Join(home, ".cache", "exo", "exo.pid"), filepath.Join(home, ".exo", "exo.pid"))
	}
	return paths
}

// readPIDFile returns the pid in a pid file and when it was written; false when there is none.
func readPIDFile(path string) (pid int32, written time.Time, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, time.Time{}, false
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, time.Time{}, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 32)
	if err != nil || n <= 0 {
		return 0, time.Time{}, false
	}
	return int32(n), info.ModTime(), true
}
