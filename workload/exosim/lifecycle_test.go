package exosim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload/exosim/wire"
)

// statuses polls the runner until f is satisfied and returns what it went through.
func (b *bench) statuses(runner string, until func(tag string) bool) []string {
	var seen []string
	for range 10_000 {
		tag := b.runner(runner)
		if len(seen) == 0 || seen[len(seen)-1] != tag {
			seen = append(seen, tag)
		}
		if until(tag) {
			return seen
		}
		pass(20 * time.Millisecond)
	}
	b.Fatalf("the runner only went through %q", seen)
	return nil
}

// gone waits until nothing is left of an instance but what exo forgets in its state.
func (b *bench) gone(id string) {
	b.Helper()
	for range 1000 {
		if !slices.ContainsFunc(b.node.Instances(), func(i InstanceInfo) bool { return i.ID == id }) {
			return
		}
		pass(20 * time.Millisecond)
	}
	b.Fatalf("instance %s is still there: %+v", id, b.node.Instances())
}

func is(want string) func(string) bool { return func(tag string) bool { return tag == want } }

func TestRunnerStates(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		start := time.Now()
		id, runner := b.place(llama8b)
		if status, _ := b.do("GET", "/instance/"+id, ""); status != http.StatusNotFound {
			t.Errorf("the instance is there at once: %d", status)
		}
		got := b.statuses(runner, is(wire.RunnerReady))
		want := []string{"", wire.RunnerLoading, wire.RunnerLoaded, wire.RunnerWarmingUp, wire.RunnerReady}
		if !slices.Equal(got, want) {
			t.Errorf("states %q, want %q", got, want)
		}
		if took := time.Since(start); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("ready after %v", took)
		}
		b.do("DELETE", "/instance/"+id, "")
		b.gone(id)
		if got := b.runner(runner); got != wire.RunnerShuttingDown {
			t.Errorf("state after DELETE %q", got)
		}
		if status, _ := b.do("GET", "/instance/"+id, ""); status != http.StatusNotFound {
			t.Errorf("the instance is still there: %d", status)
		}
		if left, gone := b.node.Instances(), b.node.Deleted(); len(left) != 0 || len(gone) != 1 || gone[0].ID != id || gone[0].Gone.IsZero() {
			t.Errorf("left %+v, gone %+v", left, gone)
		}
	})
}

func TestSpeedAppliesToLoading(t *testing.T) {
	simulate(t, Options{Speed: 10}, func(b *bench) {
		start := time.Now()
		b.load(llama8b)
		if took := time.Since(start); took < 400*time.Millisecond || took > 500*time.Millisecond {
			t.Errorf("ready after %v", took)
		}
	})
}

// A request to an instance that is not ready waits, with keep-alives, for as long as it takes.
func TestRequestWaitsForRunner(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.place(llama8b)
		pass(2 * commandDelay)
		all, err := b.stream("/v1/chat/completions", chatBody(llama8b, "hi", 1))
		if err != nil || len(tokens(all)) != 1 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

func TestMemoryLimitsPlacement(t *testing.T) {
	simulate(t, Options{MemoryTotal: 14 << 30}, func(b *bench) {
		var previews struct {
			Previews []struct {
				InstanceMeta string `json:"instance_meta"`
				Instance     *wire.TaggedInstance
				Delta        map[string]uint64 `json:"memory_delta_by_node"`
				Error        *string
			}
		}
		b.get("/instance/previews?model_id="+llama8b, &previews)
		var fitting int
		for _, p := range previews.Previews {
			if p.Error == nil {
				fitting++
				if p.Delta[b.node.ID()] != 4_640_000_000 || p.Instance == nil {
					t.Errorf("preview %+v", p)
				}
			} else if p.InstanceMeta != "MlxJaccl" {
				t.Errorf("preview %+v: %s", p, *p.Error)
			}
		}
		if fitting != 2 {
			t.Errorf("%d previews fit", fitting)
		}
		second := wire.Encode(previews.Previews[0].Instance)
		b.load(llama8b)
		_, body := b.do("GET", "/instance/previews?model_id="+mistral, "")
		if strings.Count(body, `"error":"No cycles found with sufficient memory"`) != 4 {
			t.Errorf("previews %s", body)
		}
		status, body := b.do("POST", "/instance", `{"instance":`+string(second)+`}`)
		if status != http.StatusBadRequest || !strings.Contains(
			body, "Insufficient memory to create instance. Required: 4.3 GB, Available: 3.0 GB",
		) {
			t.Errorf("POST /instance: %d %s", status, body)
		}
		status, body = b.do("GET", "/instance/placement?model_id="+mistral, "")
		if status != http.StatusBadRequest || !strings.Contains(body, noMemory) {
			t.Errorf("placement: %d %s", status, body)
		}
		if status, _ = b.do("POST", "/place_instance", `{"model_id":"`+mistral+`"}`); status != http.StatusOK {
			t.Errorf("POST /place_instance: %d", status)
		}
		pass(time.Second)
		if n := len(b.node.Instances()); n != 1 {
			t.Errorf("%d instances", n)
		}
	})
}

func TestSnakeCaseInstanceIsAccepted(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		_, body := b.do("GET", "/instance/placement?model_id="+llama1b, "")
		status, body := b.do("POST", "/instance", `{"instance":`+string(wire.RenameKeys([]byte(body), wire.ToSnake))+`}`)
		if status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestDownload(t *testing.T) {
	simulate(t, Options{NotDownloaded: []string{"llama-3.2-1b"}}, func(b *bench) {
		start := time.Now()
		_, runner := b.place(llama1b)
		pass(4 * time.Second)
		_, body := b.do("GET", "/state/downloads/"+b.node.ID()+"/1", "")
		if !strings.HasPrefix(
			body, `{"DownloadOngoing":{"downloadProgress":{"completedFiles":0,"downloaded":{"inBytes":`,
		) || b.runner(runner) != wire.RunnerIdle {
			t.Errorf("runner %s, download %.150s", b.runner(runner), body)
		}
		b.statuses(runner, is(wire.RunnerReady))
		if took := time.Since(start); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("ready after %v", took)
		}
	})
}

// Like exo, the simulator cancels what nobody needs any more when an instance is deleted,
// also what was downloaded by hand.
func TestDownloadByHand(t *testing.T) {
	simulate(t, Options{NotDownloaded: []string{"llama-3.2-1b", "mistral-7b"}}, func(b *bench) {
		status := func() string {
			_, body := b.do("GET", "/state/downloads/"+b.node.ID()+"/1", "")
			tag, _, _ := strings.Cut(strings.TrimPrefix(body, `{"`), `"`)
			return tag
		}
		if err := b.node.StartDownload(llama1b); err != nil {
			t.Fatal(err)
		}
		pass(4 * time.Second)
		if got := status(); got != "DownloadOngoing" {
			t.Errorf("under way: %s", got)
		}
		id, _ := b.load(llama8b)
		pass(10 * time.Second)
		if got := status(); got != "DownloadCompleted" {
			t.Errorf("later: %s", got)
		}
		if err := b.node.StartDownload(mistral); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		b.do("DELETE", "/instance/"+id, "")
		pass(time.Second)
		_, body := b.do("GET", "/state/downloads/"+b.node.ID(), "")
		if strings.Contains(body, "DownloadOngoing") || !strings.Contains(body, "DownloadPending") {
			t.Errorf("the download by hand goes on after the DELETE: %.300s", body)
		}
	})
}

func TestAddModel(t *testing.T) {
	simulate(t, Options{CatalogueOnly: true}, func(b *bench) {
		_, body := b.do("GET", "/models", "")
		if strings.Contains(body, mistral) || !strings.Contains(body, llama8b) {
			t.Errorf("models at first: %s", body)
		}
		status, body := b.do("POST", "/models/add", `{"model_id":"`+mistral+`"}`)
		if status != http.StatusOK || !strings.Contains(body, `"is_custom":true`) {
			t.Errorf("add: %d %s", status, body)
		}
		_, body = b.do("GET", "/models", "")
		if !strings.Contains(body, mistral) {
			t.Errorf("models then: %s", body)
		}
		_, body = b.do("GET", "/models?status=downloaded", "")
		if strings.Contains(body, mistral) {
			t.Errorf("the weights are there too: %s", body)
		}
		if status, _ = b.do("DELETE", "/models/custom/"+mistral, ""); status != http.StatusOK {
			t.Errorf("delete: %d", status)
		}
		if status, _ = b.do("DELETE", "/models/custom/"+llama8b, ""); status != http.StatusNotFound {
			t.Errorf("delete of a catalogue model: %d", status)
		}
	})
}

func TestProcesses(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		at := func() []Process { return b.node.Processes() }
		if p := at(); len(p) != 2 || p[0].RSS != mainRSS || p[1].PPID != p[0].PID {
			t.Errorf("at first %+v", p)
		}
		id, runner := b.place(llama8b)
		pass(time.Second)
		idle := at()[2]
		if status := b.runner(runner); status != "" {
			t.Errorf("a booting runner is %s", status)
		}
		if idle.RSS != runnerRSS || idle.PPID != at()[0].PID {
			t.Errorf("idle runner %+v", idle)
		}
		b.statuses(runner, is(wire.RunnerLoading))
		pass(900 * time.Millisecond)
		if half := at()[2].RSS; half < runnerRSS+2e9 || half > runnerRSS+3e9 {
			t.Errorf("half loaded: %d", half)
		}
		b.statuses(runner, is(wire.RunnerReady))
		if loaded := at()[2]; loaded.RSS != runnerRSS+4_640_000_000 || loaded.PID != idle.PID || !loaded.Created.Equal(idle.Created) {
			t.Errorf("loaded: %+v", loaded)
		}
		res := b.open("/bench/chat/completions", chatBody(llama8b, "hi", 100))
		pass(time.Second)
		if busy := at()[2].RSS; busy <= runnerRSS+4_640_000_000 {
			t.Errorf("generating: %d", busy)
		}
		if _, err := events(res.Body); err != nil {
			t.Error(err)
		}
		b.hangUp(res)
		if after := at()[2]; after.RSS != runnerRSS+4_640_000_000 || after.PeakRSS != after.RSS+111*131_072 {
			t.Errorf("after the request: %+v", after)
		}
		b.do("DELETE", "/instance/"+id, "")
		b.gone(id)
		if p := at(); len(p) != 2 || p[0].RSS != mainRSS {
			t.Errorf("at last %+v", p)
		}
	})
}

// fakes starts processes that only remember what they are to hold.
type fakes struct {
	model   string
	held    []uint64
	stopped int
}

func (f *fakes) Spawn(model string) (Child, error) {
	if model == mistral {
		return nil, errors.New("no more processes")
	}
	f.model = model
	return f, nil
}

func (f *fakes) PID() int          { return 4711 }
func (f *fakes) Hold(bytes uint64) { f.held = append(f.held, bytes) }
func (f *fakes) Stop()             { f.stopped++ }

func TestSpawner(t *testing.T) {
	f := &fakes{}
	simulate(t, Options{Spawner: f}, func(b *bench) {
		id, _ := b.load(llama1b)
		if p := b.node.Processes(); p[1].PID != 4711 || f.model != llama1b {
			t.Errorf("processes %+v of %s", p, f.model)
		}
		if len(f.held) != 16 || !slices.IsSorted(f.held) || f.held[15] != 729808896 {
			t.Errorf("held while loading: %v", f.held)
		}
		if _, err := b.stream("/bench/chat/completions", chatBody(llama1b, "hi", 9)); err != nil {
			t.Error(err)
		}
		if last := f.held[len(f.held)-1]; slices.Max(f.held) != last+20*32768 || last != 729808896 {
			t.Errorf("held for a request: %v", f.held[16:])
		}
		b.do("DELETE", "/instance/"+id, "")
		b.gone(id)
		if f.stopped != 1 {
			t.Errorf("stopped %d times", f.stopped)
		}
		b.load(mistral) // goes on without a process
	})
}

func TestWhoEndedAnInstance(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		mine, _ := b.load(llama1b)
		theirs, err := b.node.PlaceStranger("llama-3.2-1b")
		if err != nil {
			t.Fatal(err)
		}
		b.inject(Fault{Kind: RunnerFails, Model: mistral})
		b.place(mistral)
		pass(time.Minute)
		b.do("DELETE", "/instance/"+mine, "")
		b.node.DeleteStranger(theirs)
		pass(5 * time.Second)
		var ended []string
		for _, i := range b.node.Deleted() {
			ended = append(ended, i.EndedBy)
		}
		slices.Sort(ended)
		if want := []string{EndedByAPI, EndedByExo, EndedByStranger}; !slices.Equal(ended, want) {
			t.Errorf("ended by %q, want %q", ended, want)
		}
	})
}

// The worker is serial: while the process of one runner boots to load its model, requests to
// another one wait.
func TestLoadHoldsUpRequests(t *testing.T) {
	simulate(t, Options{Boot: 5 * time.Second, Jitter: -1}, func(b *bench) {
		b.load(llama1b)
		ttft := func() time.Duration {
			start := time.Now()
			all, err := b.stream("/v1/chat/completions", chatBody(llama1b, "hi", 2))
			if err != nil {
				t.Fatal(err)
			}
			return tokens(all)[0].at.Sub(start)
		}
		alone := ttft()
		_, runner := b.place(llama8b)
		pass(300 * time.Millisecond) // the order to load has been given
		if beside := ttft(); alone > 200*time.Millisecond || beside < 4*time.Second || beside > 5*time.Second {
			t.Errorf("the first token took %v alone and %v beside a load", alone, beside)
		}
		if status := b.runner(runner); status != wire.RunnerLoading {
			t.Errorf("the runner is %q", status)
		}
	})
}

// A runner that is at work does not hear that it is to end: exo waits for three seconds, and
// nothing else gets done meanwhile.
func TestShutdownOfABusyRunner(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama1b)
		id, runner := b.load(llama8b)
		res := b.open("/v1/chat/completions", chatBody(llama8b, "hi", 5000))
		defer b.hangUp(res)
		pass(2 * time.Second)
		b.do("DELETE", "/instance/"+id, "")
		pass(200 * time.Millisecond)
		start := time.Now()
		if _, err := b.stream("/v1/chat/completions", chatBody(llama1b, "hi", 1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 2700*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("another request took %v", took)
		}
		if status := b.runner(runner); status != wire.RunnerRunning {
			t.Errorf("the runner's last status is %q", status)
		}
		_, body := b.do("GET", "/state/tasks", "")
		if !strings.Contains(body, `"taskStatus":"TimedOut"`) {
			t.Errorf("tasks are %s", body)
		}
	})
}

// While exo starts, its catalogue is partial and grows; what is asked for meanwhile comes
// from the internet and is a custom card from then on.
func TestCatalogueGrows(t *testing.T) {
	simulate(t, Options{CatalogueIn: 6 * time.Second}, func(b *bench) {
		count := func() int {
			_, body := b.do("GET", "/models", "")
			return strings.Count(body, `"object":"model"`)
		}
		none := count()
		pass(3 * time.Second)
		some := count()
		b.do("GET", "/instance/previews?model_id=mlx-community/Qwen3-0.6B-4bit", "")
		_, body := b.do("GET", "/models", "")
		pass(3 * time.Second)
		half, whole, custom := 0, 0, 1 // the one that was asked for
		for i, p := range Profiles() {
			switch {
			case p.ExoID == "":
				continue
			case 2*(i+1) <= len(Profiles()):
				half++
				if !p.Catalogue {
					custom++
				}
			}
			whole++
		}
		if all := count(); none != 0 || some != half || all != whole || strings.Count(body, `"is_custom":true`) != custom {
			t.Errorf("%d, then %d, then %d models, want 0, %d and %d, and %d custom; with %s", none, some, all, half, whole, custom, body)
		}
	})
}

// Adding a model that exo has built in makes it a custom one.
func TestAddBuiltIn(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		status, body := b.do("POST", "/models/add", `{"model_id":"`+llama8b+`"}`)
		if status != http.StatusOK || !strings.Contains(body, `"is_custom":true`) {
			t.Errorf("%d %s", status, body)
		}
	})
}

// The index of the state's last event counts every token of everybody, and what exo tells of
// itself: it does not stand still by more than a second.
func TestEventIndex(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama1b)
		before := b.lastEvent()
		pass(10 * time.Second)
		quiet := b.lastEvent() - before
		before = b.lastEvent()
		if _, err := b.node.StartStranger(llama1b, 100); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		// 100 tokens, 3 reports of progress; task created, running, complete, removed; runner
		// running and ready.
		busy := b.lastEvent() - before - (100 + 3 + 4 + 2)
		for _, n := range []int{quiet, busy} {
			if n < 10+2 || n > 10+4+3+1 {
				t.Errorf("%d events of exo's own in ten quiet seconds, %d beside a request", quiet, busy)
			}
		}
	})
}

// Once a minute exo reads its downloads again, with an event for each model that it knows.
func TestScanEvents(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		start := time.Now()
		_, body := b.do("GET", "/models", "")
		cards := strings.Count(body, `"object":"model"`)
		for minute, at := range []time.Duration{60_400 * time.Millisecond, 120_800 * time.Millisecond} {
			pass(at - 5*time.Millisecond - time.Since(start))
			before := b.lastEvent()
			pass(210 * time.Millisecond)
			half := b.lastEvent() - before
			pass(210 * time.Millisecond)
			// In the same time may fall a few events about the machine.
			whole := b.lastEvent() - before
			if cards == 0 || half < cards/3 || half > cards*2/3+2 || whole < cards || whole > cards+3 {
				t.Errorf("minute %d: %d events, then %d, for %d models", minute, half, whole, cards)
			}
		}
	})
}

func (b *bench) lastEvent() (n int) {
	b.get("/state/lastEventAppliedIdx", &n)
	return n
}
