package memory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// gpuTimeout bounds how long a turn waits for nvidia-smi, which runs once in it.
	gpuTimeout = 2 * time.Second
	// maxGPUOutput bounds what is read of it: a line for each process on the machine's GPUs.
	maxGPUOutput = 256 << 10
)

// nvidiaSMI are the places of nvidia-smi: of distributions, the container toolkit, WSL, NixOS and GKE.
var nvidiaSMI = []string{
	"/usr/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi", "/run/current-system/sw/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi",
}

// gpu tells what processes hold of the memory of NVIDIA's GPUs, by running the driver's own program: its
// library would bind the exporter to glibc.
type gpu struct {
	command []string // program and first arguments; none where there is no such program
}

// newGPU looks for nvidia-smi on this machine.
func newGPU() gpu {
	if runtime.GOOS != "linux" {
		return gpu{}
	}
	for _, path := range nvidiaSMI {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return gpu{command: []string{path}}
		}
	}
	return gpu{}
}

// errNoGPU says that none of the processes is on a GPU, as far as nvidia-smi can see.
var errNoGPU = errors.New("nvidia-smi lists none of exo's processes")

// errEnding says that a part of what nvidia-smi was asked for may have been given back by then.
var errEnding = errors.New("a process of exo's ended meanwhile")

// used returns the GPU memory of pids together, in bytes. What it cannot tell of one of them it
// cannot tell of all.
func (g gpu) used(ctx context.Context, pids []int32) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, gpuTimeout)
	defer cancel()
	args := append(g.command[1:len(g.command):len(g.command)], "--query-compute-apps=pid,used_gpu_memory", "--format=csv,noheader,nounits")
	cmd := exec.CommandContext(ctx, g.command[0], args...)
	out := &bounded{left: maxGPUOutput}
	cmd.Stdout, cmd.WaitDelay = out, 100*time.Millisecond
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("run nvidia-smi: %w", err)
	}
	return parseGPU(out.Bytes(), pids)
}

// parseGPU adds up what nvidia-smi says of pids: a line "pid, MiB" for each process on each GPU, or a word in
// brackets where the driver does not tell.
func parseGPU(out []byte, pids []int32) (uint64, error) {
	ours := make(map[string]bool, len(pids))
	for _, pid := range pids {
		ours[strconv.Itoa(int(pid))] = true
	}
	var sum uint64
	found := false
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		pid, value, ok := strings.Cut(s.Text(), ",")
		if !ok || !ours[strings.TrimSpace(pid)] {
			continue
		}
		value = strings.TrimSpace(value)
		mib, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return 0, fmt.Errorf("nvidia-smi says %q of process %s", value, pid)
		}
		sum += mib << 20
		found = true
	}
	if !found {
		return 0, errNoGPU
	}
	return sum, nil
}

// bounded is a buffer that refuses to grow beyond a size.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("too much output")
	}
	return b.Buffer.Write(p)
}

// allAlive reports whether every process of the tree is still there. s.mu is held.
func (s *Sampler) allAlive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	usages, err := s.src.Read(ctx, s.tree.pids, Detail{})
	return err == nil && len(usages) == len(s.tree.pids) &&
		!slices.ContainsFunc(usages, func(u Usage) bool { return u.Err == nil && u.RSS == 0 })
}

// readGPU returns the GPU memory of exo's tree in bytes; 0 where it is not known, for which the log has the reason
// when that changes. s.mu is held.
func (s *Sampler) readGPU() uint64 {
	if len(s.gpu.command) == 0 || s.tree == nil {
		return 0
	}
	used, err := s.gpu.used(context.Background(), s.tree.pids)
	if err == nil && !s.allAlive() {
		used, err = 0, errEnding
	}
	why := ""
	if err != nil {
		why = err.Error()
	}
	if why != s.noGPU && why != "" {
		s.log.Info("The GPU memory of exo's processes is not known", "reason", why)
	}
	s.noGPU = why
	return used
}
