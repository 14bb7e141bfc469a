package app

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// member is one machine of a simulated cluster: a process tree of exo with known sizes.
type member struct {
	cluster *exosim.Node
	holds   map[string]uint64 // bytes of a model's runner, by exo's id; 0: no runner here
	leaks   uint64            // bytes that the main process keeps of each model

	mu      sync.Mutex
	runners map[string]memory.Simulated // by instance
	kept    uint64
	pids    int32
}

// What machines hold apart from models, and how much a runner held more for a moment.
const (
	machineBase  = 200 << 20
	machineSpike = 30 << 20
)

var exoStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// list returns the processes of the machine now. Half of every process's pages is shared.
func (m *member) list() []memory.Simulated {
	m.mu.Lock()
	defer m.mu.Unlock()
	loaded := map[string]bool{}
	for _, i := range m.cluster.Instances() {
		loaded[i.ID] = true
		if _, there := m.runners[i.ID]; there || m.holds[i.Model] == 0 {
			continue
		}
		m.pids++
		size := m.holds[i.Model]
		m.runners[i.ID] = memory.Simulated{
			PID: 100 + m.pids, PPID: 10, Created: time.Now(), RSS: size, Peak: size + machineSpike, PSS: size / 2,
			Footprint: 3 * size, // as a Mac that has the weights outside of RSS
			Command:   []string{"python3", "-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork"},
		}
	}
	main := memory.Simulated{PID: 10, PPID: 1, Created: exoStart, Command: []string{"python3", "-m", "exo"}}
	all := []memory.Simulated{main}
	for id, r := range m.runners {
		if !loaded[id] {
			delete(m.runners, id)
			m.kept += m.leaks
			continue
		}
		all = append(all, r)
	}
	all[0].RSS = machineBase + m.kept
	all[0].Peak, all[0].PSS, all[0].Footprint = all[0].RSS, all[0].RSS/2, all[0].RSS
	return all
}

// want returns the series of a turn of model, before which the main process had kept so much.
func (m *member) want(model, id string, kept uint64) map[string]float64 {
	name := func(metric string) string { return "exobench_model_" + metric + `_bytes{model="` + model + `"}` }
	base, holds := float64(machineBase+kept), float64(m.holds[id])
	want := map[string]float64{
		name("resident_memory"): base + holds, name("resident_memory_peak"): base, name("resident_memory_delta"): 0,
		name("unreleased_memory"): 0, name("proportional_memory"): (base + holds) / 2,
		name("footprint"): base + 3*holds, name("footprint_peak"): base + 3*holds,
	}
	if holds > 0 {
		want[name("resident_memory_peak")] = base + holds + machineSpike
		want[name("resident_memory_delta")] = holds + machineSpike
		want[name("unreleased_memory")] = float64(m.leaks)
	}
	return want
}

// seams returns the surroundings of a program on this machine.
func (m *member) seams() Seams {
	return Seams{Processes: memory.SimulatedSource(m.list), Machine: cool}
}

func newMachine(node *exosim.Node, leaks uint64, holds map[string]uint64) *member {
	return &member{cluster: node, holds: holds, leaks: leaks, runners: map[string]memory.Simulated{}}
}

// cable carries requests to a driver of this process; to nobody while there is none.
type cable struct {
	mu     sync.Mutex
	driver http.Handler
}

func (c *cable) connect(h http.Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.driver = h
}

func (c *cable) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	driver := c.driver
	c.mu.Unlock()
	if driver == nil {
		return nil, errors.New("connection refused")
	}
	rec := httptest.NewRecorder()
	driver.ServeHTTP(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// watcher is a memory agent in virtual time.
type watcher struct {
	*member
	*Agent
}

// figures returns what a scrape says of models' memory.
func figures(scrape map[string]float64) map[string]float64 {
	got := map[string]float64{}
	for name, value := range scrape {
		memory := strings.Contains(name, "_memory_") || strings.Contains(name, "_footprint_")
		if strings.HasPrefix(name, "exobench_model_") && memory && strings.Contains(name, "_bytes{") && !strings.Contains(name, "reported") {
			got[name] = value
		}
	}
	return got
}

func startWatcher(t *testing.T, ctx context.Context, wg *sync.WaitGroup, m *member, driver http.RoundTripper) watcher {
	t.Helper()
	seams := m.seams()
	seams.Transport = driver
	p, err := Open(environ(t, "MODE", "memory", "DRIVER_URL", "http://mac-1.test:9955", "EXO_PID", "10"), false, seams)
	if err != nil {
		t.Fatal(err)
	}
	w := watcher{m, p.(*Agent)}
	wg.Go(func() {
		defer w.Close()
		w.watch(ctx)
	})
	return w
}

// A cluster of three machines, on one of which the driver runs: each machine's figures must be
// those of its own processes while the model was loaded, so that their sum is the cluster's.
func TestTwoAgentsAndOneDriver(t *testing.T) {
	ids := map[string]string{
		"llama-3.1-8b": "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit",
		"llama-3.2-1b": "mlx-community/Llama-3.2-1B-Instruct-4bit",
		"mistral-7b":   "mlx-community/Mistral-7B-Instruct-v0.3-4bit",
		"qwen-1.5-7b":  "mlx-community/Qwen1.5-7B-Chat-4bit",
		"deepseek-r1":  "mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit",
	}
	models := workload.DefaultModels()[:len(ids)] // whatever else is measured by default
	hold := func(mib ...uint64) map[string]uint64 {
		holds := map[string]uint64{}
		for i, m := range models {
			holds[ids[m.Name]] = mib[i] << 20
		}
		return holds
	}
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(exosim.Options{})
		defer func() { _ = node.Close() }()
		net := &cable{}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		first := newMachine(node, 4<<20, hold(2000, 800, 1500, 1600, 1700))
		// the small model is on the others alone
		second := startWatcher(t, ctx, &wg, newMachine(node, 6<<20, hold(3000, 0, 2500, 2600, 2700)), net)
		third := startWatcher(t, ctx, &wg, newMachine(node, 0, hold(1000, 100, 500, 600, 700)), net)

		var order []string
		begin := func(on func(workload.Result)) *stack {
			order = nil
			h := hooks{request: on, turn: func(turn workload.Turn) { order = append(order, turn.Model) }}
			seams := first.seams()
			seams.Observers = []workload.Observer{h}
			s := startStack(t, setting{node: node, suite: shortSuite(4, 32), seams: seams, vars: []string{"EXO_PID", "10", "MODELS", defaultModels}})
			net.connect(s.front)
			time.Sleep(2 * time.Second)
			return s
		}
		end := func(s *stack) {
			net.connect(nil)
			s.close(t)
		}
		// check compares the figures of all machines after a whole cycle.
		check := func(s *stack, keptBefore map[*member]uint64) {
			t.Helper()
			sums, total := map[string]float64{}, map[string]float64{}
			for _, m := range []struct {
				name   string
				m      *member
				scrape map[string]float64
			}{
				{"driver", first, s.scrape(t)}, {"second", second.member, scrape(t, second.front)}, {"third", third.member, scrape(t, third.front)},
			} {
				want, kept := map[string]float64{}, keptBefore[m.m]
				for _, model := range order {
					maps.Copy(want, m.m.want(model, ids[model], kept))
					if m.m.holds[ids[model]] > 0 {
						kept += m.m.leaks
					}
				}
				got := figures(m.scrape)
				if !maps.Equal(got, want) {
					t.Errorf("%s:\ngot  %v\nwant %v", m.name, got, want)
				}
				for _, model := range models {
					series := `exobench_model_resident_memory_bytes{model="` + model.Name + `"}`
					sums[model.Name] += got[series]
					total[model.Name] += want[series]
				}
				if m.scrape["exobench_simulated"] != 1 {
					t.Errorf("%s does not say that the target is simulated", m.name)
				}
			}
			if len(order) != 5 || !maps.Equal(sums, total) {
				t.Errorf("after %v sum by (model) is %v, want %v", order, sums, total)
			}
		}
		kept := func() map[*member]uint64 {
			synctest.Wait()
			all := map[*member]uint64{}
			for _, m := range []*member{first, second.member, third.member} {
				m.list()
				all[m] = m.kept
			}
			return all
		}

		// A whole cycle, in the fourth turn of which another agent joins.
		var late watcher
		var joined string
		s := begin(func(r workload.Result) {
			if len(order) == 3 && late.Agent == nil {
				late, joined = startWatcher(t, ctx, &wg, newMachine(node, 0, hold(10, 10, 10, 10, 10)), net), r.Model
			}
		})
		before := kept()
		s.runner.Cycle(ctx)
		time.Sleep(time.Second)
		check(s, before)
		if page := get(t, second.front, "/"); !strings.Contains(page, "memory agent") || !strings.Contains(page, "SIMULATED") ||
			!strings.Contains(page, "mistral-7b") {
			t.Errorf("page of an agent:\n%s", page)
		}
		if got := figures(scrape(t, late.front)); len(got) != 7 || joined == "" ||
			got[`exobench_model_resident_memory_bytes{model="`+order[4]+`"}`] != machineBase+10<<20 {
			t.Errorf("an agent that joined in the turn of %s has %v", joined, got)
		}
		end(s)

		// The driver ends in the third turn of its next cycle, in the middle of the measurement.
		cycle, interrupt := context.WithCancel(ctx)
		s = begin(func(workload.Result) {
			if len(order) == 2 {
				interrupt()
			}
		})
		if got := figures(scrape(t, second.front)); len(got) != 0 {
			t.Errorf("figures of the driver's last run are left: %v", got)
		}
		s.runner.Cycle(cycle)
		end(s)
		time.Sleep(20 * time.Second)
		for _, agent := range []watcher{second, third} {
			scrape := scrape(t, agent.front)
			if got := figures(scrape); len(got) != 2*7 || scrape["exobench_agent_driver_up"] != 0 ||
				scrape[`exobench_exo_processes{role="node"}`] != 1 {
				t.Errorf("after an interrupted turn: %v", scrape)
			}
		}
		time.Sleep(5 * time.Minute)
		if got := figures(scrape(t, second.front)); len(got) != 0 {
			t.Errorf("figures outlive the driver: %v", got)
		}

		// And starts again.
		s = begin(nil)
		before = kept()
		s.runner.Cycle(ctx)
		time.Sleep(time.Second)
		check(s, before)
		end(s)
		cancel()
		wg.Wait()
	})
}
