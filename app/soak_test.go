package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/exosim/world"
)

// soakCycles is how many cycles TestSoak runs: go test ./app -run TestSoak -v -timeout 3h -soak 50000 is a
// long run, of half an hour on a core. CHANGELOG.md has what one came to.
var soakCycles = flag.Int("soak", 150, "cycles of TestSoak")

const (
	soakPrompts  = 2
	soakTokens   = 4
	soakInterval = 5 * time.Minute
	soakFaulty   = 4            // one cycle in so many, by chance, has a fault, but none before a change of exo
	soakLife     = 5            // cycles after which exo is replaced by one of the next generation
	soakRound    = 3 * soakLife // cycles in which exo has been of each generation
	soakReload   = 50
	soakTell     = 3000 // cycles after which a long run tells how it goes on
)

// soakOf are the generations of exo that take turns.
var soakOf = []generation{head, v1071, legacy}

// The whole program serves, is scraped and reloaded for thousands of cycles. In a fifth of them
// something goes wrong that exosim can do, and after every fifth exo is replaced by another release.
// Afterwards the program holds no more than at the start, every counter is the sum of what its
// observers were told, and each cycle without a fault was good.
func TestSoak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newSoaker(t)
		b := o.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Serve(ctx) }()
		began := time.Now()
		for at := range o.due {
			time.Sleep(soakInterval / 2) // nothing goes on any more, and the next cycle has not begun
			synctest.Wait()
			if o.generation() == head {
				o.sample(t, b, at)
			}
			if at%soakReload == 0 {
				o.hangup <- syscall.SIGHUP
				o.reloads++
			}
			if at >= o.cycles {
				break
			}
			if at%soakTell == 0 {
				o.tellTrends(t)
			}
			o.replace(t)
		}
		synctest.Wait()
		scraped := scrape(t, b.front)
		cancel()
		noError(t, <-done)
		b.Close()
		o.leave(t)
		o.wantTrends(t)
		o.wantSums(t, scraped)
		o.wantRecords(t, scraped)
		t.Logf("%d cycles, %d faults, %d changes of exo, %d reloads, %.0f days in virtual time; turns %v; logged %d bytes",
			o.tally.cycles, o.faults, o.lives-1, o.reloads, time.Since(began).Hours()/24, o.tally.turns, o.logged.Load())
	})
}

// soaker is the surroundings of a program that is soaked. It makes faults and counts, apart from the
// program, what becomes of each request.
type soaker struct {
	node   atomic.Pointer[exosim.Node]
	lives  int // nodes that there have been
	hangup chan os.Signal
	logged atomic.Int64

	rng     *rand.Rand
	cycles  int
	due     chan int // numbers of cycles after which exo is replaced
	results string

	current *faultCase // of this cycle; nil for none
	faults  int
	reloads int
	wrong   []string // cycles without a fault that were not good
	tally   tally
	trends  map[string]*trend
}

func newSoaker(t *testing.T) *soaker {
	o := &soaker{
		hangup: make(chan os.Signal, 1), rng: rand.New(rand.NewPCG(15, 2)), cycles: (*soakCycles + soakRound - 1) / soakRound * soakRound,
		due:     make(chan int),
		results: filepath.Join(t.TempDir(), "results.jsonl"), tally: newTally(), trends: map[string]*trend{},
	}
	o.begin()
	return o
}

func (o *soaker) generation() generation { return soakOf[(o.lives-1)%len(soakOf)] }

// begin starts the node of the next generation.
func (o *soaker) begin() {
	o.lives++
	options := o.generation().options()
	options.Seed = uint64(o.lives)
	o.node.Store(exosim.New(options))
}

// leave ends the node, on which nothing may be left.
func (o *soaker) leave(t *testing.T) {
	t.Helper()
	time.Sleep(time.Minute / 2) // what exo still has to end, ends
	wantNodeAsItWas(t, o.node.Load(), "")
	noError(t, o.node.Load().Close())
}

func (o *soaker) replace(t *testing.T) {
	t.Helper()
	o.leave(t)
	o.begin()
	time.Sleep(time.Minute) // it is noticed
}

// RoundTrip implements http.RoundTripper: requests go to the node that there is.
func (o *soaker) RoundTrip(r *http.Request) (*http.Response, error) {
	return o.node.Load().Transport().RoundTrip(r)
}

// Write implements io.Writer, for the log.
func (o *soaker) Write(b []byte) (int, error) {
	o.logged.Add(int64(len(b)))
	return len(b), nil
}

func (o *soaker) open(t *testing.T) *Bench {
	t.Helper()
	p, err := Open(environ(t,
		"EXO_URL", "http://exo.test:52415", "MODELS", victim+","+next, "SUITE", suiteFile(t, shortSuite(soakPrompts, soakTokens)),
		"CYCLE_INTERVAL", soakInterval.String(), "FIRST_TOKEN_TIMEOUT", "20s", "IDLE_TIMEOUT", "10s", "REQUEST_TIMEOUT", "2m",
		"LOAD_TIMEOUT", "30s", "BUSY_TIMEOUT", "1m", "EXO_PID", strconv.Itoa(world.MainPID),
		"RESULTS", o.results, "RESULTS_MEGABYTES", "1",
	), false, Seams{
		Log: io.Writer(o), Transport: o, Listener: newQuietListener(), Hangup: o.hangup, Observers: []workload.Observer{o},
		Processes: memory.SimulatedSource(func() []memory.Simulated { return simulated(o.node.Load()) }),
	})
	noError(t, err)
	return p.(*Bench)
}

// CycleStarted implements workload.Observer: now and then it makes something go wrong.
func (o *soaker) CycleStarted(int, []workload.Model, time.Time) {
	o.current = nil
	if o.lastOfALife(o.tally.cycles+1) || o.rng.IntN(soakFaulty) != 0 {
		return
	}
	cases := slices.DeleteFunc(faultCases(), func(c faultCase) bool { return c.fresh || c.lasts || !slices.Contains(c.in, o.generation()) })
	o.current = &cases[o.rng.IntN(len(cases))]
	o.faults++
	if !o.current.midway {
		o.inject()
	}
}

// lastOfALife reports whether exo is replaced after a cycle.
func (o *soaker) lastOfALife(cycle int) bool { return cycle%soakLife == 0 }

func (o *soaker) inject() {
	f := o.current.fault
	f.Model = victim
	if _, err := o.node.Load().Inject(f); err != nil {
		o.wrong = append(o.wrong, err.Error())
	}
}

// TurnStarted implements workload.Observer.
func (o *soaker) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (o *soaker) RequestDone(r workload.Result) {
	o.tally.request(r)
	if o.current != nil && o.current.midway && r.Model == victim && r.Prompt == "p1" {
		o.inject()
	}
}

// TurnDone implements workload.Observer: what strikes the whole node spares the other model.
func (o *soaker) TurnDone(turn workload.Turn) {
	o.tally.turn(turn)
	if turn.Model == victim {
		o.node.Load().Clear("")
	}
}

// CycleDone implements workload.Observer.
func (o *soaker) CycleDone(c workload.Cycle) {
	o.tally.cycles++
	o.tally.outcomes[c.Outcome]++
	if o.current == nil && c.Outcome != workload.TurnOK {
		for _, turn := range c.Turns {
			o.wrong = append(o.wrong, fmt.Sprintf("cycle %d on %s: %s is %s: %s", c.Number, o.generation(), turn.Model, turn.Outcome, turn.Reason))
		}
	}
	if o.lastOfALife(o.tally.cycles) {
		o.due <- o.tally.cycles
	}
}
