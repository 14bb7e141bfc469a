package stall

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childEnv turns the test binary into a process of its own: one that watches itself while it
// looks up every five milliseconds, or one that keeps a processor busy.
const childEnv = "EXOBENCH_STALL_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "watch":
		childWatch()
	case "spin":
		for { //nolint:staticcheck // a busy loop is what it is for
		}
	default:
		goleak.VerifyTestMain(m)
	}
}

// childWatch watches itself until its standard input ends and writes its report.
func childWatch() {
	ended := make(chan struct{})
	watch := New().Begin()
	fmt.Println("watching")
	go func() {
		defer close(ended)
		_, _ = os.Stdin.Read(make([]byte, 1))
	}()
	for {
		select {
		case <-ended:
			_ = json.NewEncoder(os.Stdout).Encode(watch.End())
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
