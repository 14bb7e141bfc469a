package main

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"

	"exo-bench-exporter/workload/exosim"
)

func TestDefaults(t *testing.T) {
	c, err := parse(nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if c.listen != "127.0.0.1:52416" || c.memoryScale != 0.02 || c.node.Speed != 1 ||
		c.node.Dialect != exosim.Exo1 || c.node.Variant != exosim.HEAD || c.node.MemoryTotal != 48<<30 {
		t.Errorf("defaults are %+v", c)
	}
}

func TestWrongFlagsAreAllNamed(t *testing.T) {
	var stderr bytes.Buffer
	_, err := parse([]string{
		"-dialect", "x", "-variant", "y", "-engine", "z", "-speed", "0", "-memory-scale", "2",
		"-max-generate-tokens", "0", "-answer-tokens", "-1", "-memory-gib", "0", "-boot", "0s", "-catalogue-in", "-1s", "stray",
	}, &stderr)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`-dialect "x"`, `-variant "y"`, `-engine "z"`, "-speed 0", "-memory-scale 2",
		"-max-generate-tokens 0", "-answer-tokens -1", "-memory-gib 0", "-boot 0s, -catalogue-in -1s", `unexpected argument "stray"`,
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%s is not named in:\n%s", want, stderr.String())
		}
	}
}

func TestHelp(t *testing.T) {
	var stderr bytes.Buffer
	if _, err := parse([]string{"-h"}, &stderr); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	for _, want := range []string{
		"Usage: exo-sim", "It computes nothing", "-pid-file file", "-variant string", "Faults that strike the life of one instance",
		"runner_stuck",
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("help lacks %q", want)
		}
	}
	if status := run([]string{"exo-sim", "-h"}, &stderr); status != exitOK {
		t.Errorf("status of -h is %d", status)
	}
	if status := run([]string{"exo-sim", "-nope"}, &stderr); status != exitUsage {
		t.Errorf("status of a wrong flag is %d", status)
	}
	if status := run([]string{"exo-sim", "-listen", "nowhere:x"}, &stderr); status != exitFailed {
		t.Errorf("status of a wrong address is %d", status)
	}
}
