//go:build darwin && !cgo

package memory

import "time"

// turnInterval is how often the known processes are read during a turn; every reading runs ps.
const turnInterval = 2 * time.Second

func newHostSource() Source { return psSource{run: runPS} }
