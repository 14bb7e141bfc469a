package memory

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/exporter/program"
	"exo-bench-exporter/workload"
)

// smi is a program that prints what nvidia-smi is to have printed, and ends with a status. It is read by the
// shell rather than run, so that no other process can hold it open for writing.
func smi(t *testing.T, script string) gpu {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	asked := `[ "$*" = "--query-compute-apps=pid,used_gpu_memory --format=csv,noheader,nounits" ] || exit 97` + "\n"
	if err := os.WriteFile(path, []byte(asked+script), 0o600); err != nil {
		t.Fatal(err)
	}
	return runs("/bin/sh", path)
}

// runs is an nvidia-smi that is started as the given words.
func runs(name string, first ...string) gpu {
	return gpu{run: func(ctx context.Context, args ...string) ([]byte, error) {
		return program.Output(exec.CommandContext(ctx, name, append(slices.Clone(first), args...)...))
	}}
}

func TestGPUMemory(t *testing.T) {
	const failed = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. " +
		"Make sure that the latest NVIDIA driver is installed and running."
	for name, c := range map[string]struct {
		script string
		want   uint64 // MiB
		err    string
	}{
		"one process":      {script: "echo '60, 5120'", want: 5120},
		"several GPUs":     {script: "printf '60, 5120\\n60, 4096\\n51, 300\\n'", want: 9516},
		"others beside it": {script: "printf '6, 100\\n600, 100\\n60, 5\\n4711, [N/A]\\n'", want: 5},
		"nobody":           {script: "true", err: "lists none of exo's processes"},
		"only others":      {script: "echo '4711, 5120'", err: "lists none of exo's processes"},
		"not told":         {script: "echo '60, [N/A]'", err: `"[N/A]" of process 60`},
		"not supported":    {script: "echo '60, [Not Supported]'", err: `"[Not Supported]" of process 60`},
		"not allowed":      {script: "echo '60, [Insufficient Permissions]'", err: `"[Insufficient Permissions]" of process 60`},
		"not told of one":  {script: "printf '51, 300\\n60, [N/A]\\n'", err: `"[N/A]" of process 60`},
		"no driver":        {script: `echo "` + failed + `"; exit 9`, err: "exit status 9"},
		"no device":        {script: "echo 'No devices were found'; exit 6", err: "exit status 6"},
		"other text":       {script: "echo 'Field \"used_gpu_memory\" is not a valid field to query.'", err: "lists none"},
		"without end":      {script: "exec cat /dev/zero", err: "run nvidia-smi: it printed more than"},
	} {
		got, err := smi(t, c.script).used(t.Context(), []int32{51, 60})
		if got != c.want*mib || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d bytes (error %v), want %d MiB, %q", name, got, err, c.want, c.err)
		}
	}
}

func TestGPUThatHangs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got, err := smi(t, "read -r line < /dev/zero").used(ctx, []int32{60}); err == nil || got != 0 {
		t.Errorf("%d bytes (error %v)", got, err)
	}
	missing := runs("/nowhere/nvidia-smi")
	if got, err := missing.used(t.Context(), []int32{60}); !errors.Is(err, os.ErrNotExist) || got != 0 {
		t.Errorf("without the program: %d bytes (error %v)", got, err)
	}
}

// TestWhileTheGPUIsAsked has things happen while nvidia-smi runs, which other samples do not wait for.
func TestWhileTheGPUIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(s *Sampler, r workload.Recording, procs *[]Simulated)
		want      uint64
		reason    string // why it is not known
	}{
		"nothing":          {func(*Sampler, workload.Recording, *[]Simulated) {}, 4000 * mib, ""},
		"a sample":         {func(s *Sampler, _ workload.Recording, _ *[]Simulated) { s.tick() }, 4000 * mib, ""},
		"the runner's end": {func(_ *Sampler, _ workload.Recording, procs *[]Simulated) { *procs = (*procs)[:5] }, 0, errEnding.Error()},
		"the turn's end":   {func(_ *Sampler, r workload.Recording, _ *[]Simulated) { r.End(context.Background(), false) }, 0, ""},
		"another turn":     {func(s *Sampler, _ workload.Recording, _ *[]Simulated) { s.Begin("n") }, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			procs := exo1()
			s := simulated(&procs)
			rec := s.Begin("m")
			asked := 0
			s.gpu = gpu{run: func(context.Context, ...string) ([]byte, error) {
				asked++
				if !s.mu.TryLock() {
					t.Fatal("nvidia-smi runs, and no sample can be taken")
				}
				s.mu.Unlock()
				c.meanwhile(s, rec, &procs)
				return []byte("60, 4000\n"), nil
			}}
			rec.Mark(workload.PhaseMeasure)
			rec.Mark(workload.PhaseReleasing)
			if r := rec.(*recording); r.gpu != c.want || s.noGPU != c.reason || asked != 1 || r.phase != workload.PhaseReleasing {
				t.Errorf("GPU memory %d, want %d; not known because %q, asked %d times, phase %v", r.gpu, c.want, s.noGPU, asked, r.phase)
			}
		})
	}
}

func TestGPUMemoryOfATurn(t *testing.T) {
	for name, c := range map[string]struct {
		gpu    gpu
		gone   bool // the runner dies before the requests are over
		want   uint64
		logged int
	}{
		"told":            {gpu: smi(t, "printf '60, 4000\\n70, 9\\n'"), want: 4000 * mib},
		"not told":        {gpu: smi(t, "echo '60, [N/A]'"), logged: 1},
		"no program":      {},
		"runner has gone": {gpu: smi(t, "echo '51, 4000'"), gone: true},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			procs := exo1()
			s := simulated(&procs)
			s.gpu, s.log = c.gpu, logTo(&log)
			for range 2 {
				rec := s.Begin("m")
				rec.Mark(workload.PhaseMeasure)
				if c.gone {
					procs = procs[:5]
				}
				rec.Mark(workload.PhaseReleasing)
				m := rec.End(t.Context(), false)
				if m.GPU != c.want {
					t.Errorf("GPU memory %d, want %d", m.GPU, c.want)
				}
				if c.gone {
					break
				}
			}
			if got := strings.Count(log.String(), "GPU memory of exo's processes is not known"); got != c.logged {
				t.Errorf("log: %s", &log)
			}
		})
	}
}
