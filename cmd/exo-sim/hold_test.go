package main

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test binary stand for the program: as a runner, and as exo-sim.
func TestMain(m *testing.M) {
	switch {
	case isRunner(os.Args):
		os.Exit(hold(os.Stdin))
	case os.Getenv("EXO_SIM_TEST_MAIN") != "":
		os.Exit(run(os.Args, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestResize(t *testing.T) {
	held := resize(nil, 3)
	if len(held) != 3 || held[2][block-4096] != 255 {
		t.Errorf("%d blocks", len(held))
	}
	if held = resize(held, 1); len(held) != 1 {
		t.Errorf("%d blocks", len(held))
	}
}

func TestHoldEndsWithItsOrders(t *testing.T) {
	if status := hold(strings.NewReader("1048576\n0\n")); status != exitOK {
		t.Errorf("status %d", status)
	}
	if status := hold(strings.NewReader("much\n")); status != exitFailed {
		t.Errorf("status %d after nonsense", status)
	}
}
