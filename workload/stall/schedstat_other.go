//go:build !linux

package stall

import "time"

// runDelay is not known here.
func runDelay() (time.Duration, bool) { return 0, false }
