package machine

// readLinux returns what Linux tells in files below proc and sys.
func readLinux(proc, sys string) Reading {
	dirs := cpus(sys)
	r := Reading{Pressure: readPressure(proc), FrequencyLimit: readFrequencyLimit(dirs)}
	r.CoreThrottles, r.PackageThrottles = readThrottles(dirs)
	return r
}
