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

	"exo-bench-exporter/exporter/program"
)

// gpuTimeout bounds how long a turn waits for nvidia-smi, which runs once in it.
const gpuTimeout = 2 * time.Second

// nvidiaSMI are the places of nvidia-smi: of distributions, the container toolkit, WSL, NixOS and GKE.
var nvidiaSMI = []string{
	"/usr/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi", "/run/current-system/sw/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi",
}

// gpu tells what processes hold of the memory of NVIDIA's GPUs, by running the driver's own program: its
// library would bind the exporter to glibc.
type gpu struct {
	run func(ctx context.Context, args ...string) ([]byte, error) // nil where there is no such program
}

// newGPU looks for nvidia-smi on this machine.
func newGPU() gpu {
	if runtime.GOOS != "linux" {
		return gpu{}
	}
	for _, path := range nvidiaSMI {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return gpu{run: func(ctx context.Context, args ...string) ([]byte, error) {
				return program.Output(exec.CommandContext(ctx, path, args...))
			}}
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
	out, err := g.run(ctx, "--query-compute-apps=pid,used_gpu_memory", "--format=csv,noheader,nounits")
	if err != nil {
		return 0, fmt.Errorf("run nvidia-smi: %w", err)
	}
	return parseGPU(out, pids)
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

// weighGPU takes in the GPU memory of pids, unless the turn has ended, or one of them, meanwhile.
func (r *recording) weighGPU(pids []int32) {
	used, err := r.s.gpu.used(context.Background(), pids)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.ended || r.s.rec != r {
		return
	}
	if err == nil && !r.s.allAlive(pids) {
		used, err = 0, errEnding
	}
	r.gpu = used
	r.s.noteGPU(err)
}

// allAlive reports whether every one of pids is still there. s.mu is held.
func (s *Sampler) allAlive(pids []int32) bool {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	usages, err := s.src.Read(ctx, pids, Detail{})
	return err == nil && len(usages) == len(pids) &&
		!slices.ContainsFunc(usages, func(u Usage) bool { return u.Err == nil && u.RSS == 0 })
}

// noteGPU logs why the GPU memory is not known when that changes. s.mu is held.
func (s *Sampler) noteGPU(err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	if why != s.noGPU && why != "" {
		s.log.Info("The GPU memory of exo's processes is not known", "reason", why)
	}
	s.noGPU = why
}
