package machine

import (
	"context"
	"sync"
)

// files is the Source of a machine that tells in files below proc and sys. Which CPUs tell of themselves is found out at the
// first reading: there may be hundreds, of which on many machines none does.
func files(proc, sys string) Source {
	known := sync.OnceValue(func() []cpu { return cpus(sys) })
	return SourceFunc(func(context.Context) Reading {
		all := known()
		r := Reading{Pressure: readPressure(proc), FrequencyLimit: readFrequencyLimit(all)}
		r.CoreThrottles, r.PackageThrottles = readThrottles(all)
		return r
	})
}
