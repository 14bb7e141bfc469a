package memory

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// machine is a simulated machine with few pids, so that every pid is used again and again.
type machine struct {
	mu    sync.Mutex
	procs []Simulated
	last  int32
}

func (m *machine) list() []Simulated {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.procs)
}

const maxPID = 24

// start starts a process under the next free pid.
func (m *machine) start(ppid int32, rss uint64, command ...string) int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		m.last = m.last%maxPID + 1
		if !slices.ContainsFunc(m.procs, func(p Simulated) bool { return p.PID == m.last }) {
			break
		}
	}
	m.procs = append(m.procs, Simulated{PID: m.last, PPID: ppid, Created: time.Now(), RSS: rss, Command: command})
	return m.last
}

// listens has a process serve exo's API.
func (m *machine) listens(pid int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.procs[slices.IndexFunc(m.procs, func(p Simulated) bool { return p.PID == pid })].Listens = true
}

// end ends processes; their children become those of pid 1.
func (m *machine) end(pids ...int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.procs = slices.DeleteFunc(m.procs, func(p Simulated) bool { return slices.Contains(pids, p.PID) })
	for i := range m.procs {
		if slices.Contains(pids, m.procs[i].PPID) {
			m.procs[i].PPID = 1
		}
	}
}

// replace ends a process and gives its pid to a stranger at once.
func (m *machine) replace(pid int32, rss uint64) {
	m.end(pid)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.procs = append(m.procs, Simulated{PID: pid, PPID: 1, Created: time.Now(), RSS: rss, Command: []string{"stranger"}})
}

// stale takes the parents of pids that it has listed before for what they were then.
type stale struct {
	Source
	parents map[int32]int32
}

func (s *stale) Table(ctx context.Context, anew bool) ([]Process, error) {
	table, err := s.Source.Table(ctx, anew)
	parents := make(map[int32]int32)
	for i, p := range table {
		if ppid, known := s.parents[p.PID]; known && !anew {
			table[i].PPID = ppid
		}
		parents[p.PID] = table[i].PPID
	}
	s.parents = parents
	return table, err
}

func TestSoak(t *testing.T) {
	const turns, node, tracker, leak = 10_000, 300 * mib, 10 * mib, 3 * mib
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		rng := rand.New(rand.NewPCG(1, 2))
		s := New(
			Config{
				APIURL: api, Source: &stale{Source: SimulatedSource(m.list)}, Interval: 250 * time.Millisecond, Settle: 500 * time.Millisecond,
				Logger: quiet(),
			},
		)
		s.hostMem = noHostMemory
		run(t, s)
		m.start(0, mib, "init")
		startExo := func() (root int32, all []int32) {
			root = m.start(1, node, "python3", "-m", "exo")
			m.listens(root)
			return root, []int32{root, m.start(root, tracker, "python3", "-c", "from multiprocessing.resource_tracker import main;main(4)")}
		}
		var strangers []int32
		var heap uint64
		root, all := startExo()
		for turn := range turns {
			if turn%100 == 99 { // exo is started again, its old pid is somebody else's
				m.end(all[1])
				m.replace(all[0], 5000*mib)
				strangers = append(strangers, all[0])
				root, all = startExo()
			}
			if turn%50 == 0 { // between turns: only the clock sets off a search
				short := m.start(root, tracker, "python3", "-c", "from multiprocessing.spawn import spawn_main")
				time.Sleep(6 * time.Second)
				m.replace(short, 20_000*mib)
				strangers = append(strangers, short)
				time.Sleep(12 * time.Second)
				if c, ok := s.Current(); !ok || c.Roles[RoleRunner].Processes != 0 || c.Roles[RoleNode].RSS != node+tracker {
					t.Fatalf("turn %d: %+v", turn, c.Roles)
				}
			}
			for range rng.IntN(4) {
				strangers = append(strangers, m.start(1, uint64(rng.IntN(1000))*mib, "stranger"))
			}
			for len(strangers) > 10 {
				m.end(strangers[0])
				strangers = strangers[1:]
			}
			weights := uint64(500+rng.IntN(5000)) * mib

			rec := s.Begin("m")
			rec.Mark(workload.PhaseLoading)
			time.Sleep(300 * time.Millisecond)
			runner := m.start(root, weights, "python3", "-c", "from multiprocessing.spawn import spawn_main")
			child := m.start(runner, tracker, "cc")
			time.Sleep(200 * time.Millisecond)
			rec.Mark(workload.PhaseMeasure)
			time.Sleep(time.Duration(rng.IntN(2000))*time.Millisecond + time.Microsecond) // between two samples
			m.end(child)
			m.replace(runner, 20_000*mib)
			strangers = append(strangers, runner)
			rec.Mark(workload.PhaseReleased)
			m.mu.Lock()
			m.procs[slices.IndexFunc(m.procs, func(p Simulated) bool { return p.PID == root })].RSS += leak
			m.mu.Unlock()
			got := rec.End(t.Context(), true)
			m.mu.Lock()
			m.procs[slices.IndexFunc(m.procs, func(p Simulated) bool { return p.PID == root })].RSS -= leak
			m.mu.Unlock()

			want := workload.Memory{
				Samples: got.Samples, Median: node + tracker + weights + tracker, Peak: node + tracker + weights + tracker, PeakSource: peakFromSamples,
				Before: node + tracker, HasBefore: true, After: node + tracker + leak, HasAfter: true,
			}
			if got != want || got.Samples < 1 {
				t.Fatalf("turn %d: %+v, want %+v", turn, got, want)
			}
			if v, _ := s.Visibility(); v.PID != root || v.Processes != 2 || len(s.tree.pids) != 2 || s.rec != nil {
				t.Fatalf("turn %d: %v, tree %v, exo is %v", turn, v, s.tree.pids, all)
			}
			switch turn {
			case turns / 10:
				heap = heapInUse()
			case turns - 1:
				if now := heapInUse(); now > heap+256<<10 {
					t.Errorf("the heap grew from %d to %d bytes", heap, now)
				}
			}
		}
	})
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
