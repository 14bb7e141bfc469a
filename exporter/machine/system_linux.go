package machine

// system returns the Source of this machine. In a container /proc/pressure and /sys are those of the machine as a whole.
func system() Source { return files("/proc", "/sys") }
