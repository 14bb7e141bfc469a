package memory

import (
	"os"
	"testing"
)

// TestWeightIsSeen puts the weight on this process, of which Linux tells by itself what it comes to.
func TestWeightIsSeen(t *testing.T) {
	s := newHostSource(quiet())
	read := func() (Usage, error) { return one(t.Context(), s, int32(os.Getpid())) }
	var err error
	for range maxAttempts { // other tests take memory beside this one
		if err = weighSelf(read); err == nil {
			return
		}
	}
	t.Error(err)
}
