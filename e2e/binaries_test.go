package e2e

import (
	"os"
	"testing"

	"exo-bench-exporter/e2e/internal/stack"
)

func TestMain(m *testing.M) { os.Exit(stack.Main(m, "..")) }
