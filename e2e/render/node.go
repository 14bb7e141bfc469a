package render

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/app"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/exosim/link"
	"exo-bench-exporter/workload/stall"
)

// run is the program beside a simulated node, in virtual time.
type run struct {
	node   *exosim.Node
	host   *host
	client *http.Client // reaches the exporter
	listen *link.Listener
	end    func() error
}

// asReal takes from the node's answers what tells them from a real one's, so that the dashboards are those of a
// machine that is measured.
type asReal struct{ http.RoundTripper }

func (t asReal) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Header.Del(exosim.Header)
	}
	return resp, err
}

// setting is what a program finds when it starts.
type setting struct {
	simulated bool
	models    []string      // all when empty
	interval  time.Duration // of cycles; the default when zero
	tokens    int           // of an answer, at most; few when zero: what costs time here are tokens
	held      func() *stall.Watcher
}

// start starts the program, which goes on from what an earlier one has left in the directory state. To be called in a
// bubble.
func start(t *testing.T, state string, s setting) *run {
	t.Helper()
	node := exosim.New(exosim.Options{Seed: 1, Profiles: profiles()})
	suite, err := json.Marshal(suiteOf(s.tokens))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "suite.json")
	writeFile(t, path, string(suite))
	env := map[string]string{
		"HOME": t.TempDir(), "EXOBENCH_EXO_URL": nodeURL, "EXOBENCH_STATE_DIR": state,
		"EXOBENCH_EXO_PID": strconv.Itoa(node.Processes()[0].PID), "EXOBENCH_SUITE": path,
		"EXOBENCH_CYCLE_INTERVAL": cmp.Or(s.interval, cycle).String(),
	}
	if len(s.models) > 0 {
		env["EXOBENCH_MODELS"] = strings.Join(s.models, ",")
	}
	listen := link.Listen()
	host := newHost()
	seams := app.Seams{
		Transport: node.Transport(), Listener: loopback{listen}, Processes: processesOf(node), Machine: host, Simulated: s.simulated,
	}
	if s.held != nil {
		seams.Watcher = s.held()
	}
	if !s.simulated {
		seams.Transport = asReal{seams.Transport}
	}
	p, err := app.Open(env, false, seams)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx) }()
	r := &run{node: node, host: host, listen: listen, client: &http.Client{
		Transport: &http.Transport{DialContext: listen.Dial, DisableKeepAlives: true, DisableCompression: true}, Timeout: 10 * time.Second,
	}}
	r.end = func() error {
		cancel()
		err := <-done
		p.Close()
		_ = node.Close()
		_ = listen.Close()
		return err
	}
	return r
}

// nodeURL is where the node is.
const nodeURL = "http://exo.test:52415"

// profiles are those of the default models alone, which keeps the node's state small.
func profiles() []exosim.Profile {
	return slices.DeleteFunc(exosim.Profiles(), func(p exosim.Profile) bool {
		return !slices.ContainsFunc(workload.DefaultModels(), func(m workload.Model) bool { return m.Name == p.Name })
	})
}

// loopback is a listener in memory that passes for one on this machine.
type loopback struct{ net.Listener }

func (loopback) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9955} }

// sharedPages are the bytes of a process's resident set of which its proportional set size leaves out what others account for.
const sharedPages = 8 << 20

func processesOf(node *exosim.Node) memory.Source {
	return memory.SimulatedSource(func() []memory.Simulated {
		var all []memory.Simulated
		for _, p := range node.Processes() {
			all = append(all, memory.Simulated{
				PID: int32(p.PID), PPID: int32(p.PPID), Created: p.Created, RSS: p.RSS, Peak: p.PeakRSS, PSS: p.RSS - sharedPages,
				Footprint: p.RSS, FootprintPeak: p.PeakRSS, Command: p.Command,
			})
		}
		return all
	})
}

// suiteOf returns the standard workload's prompts with answers of so many tokens at most; of few when zero.
func suiteOf(tokens int) workload.Suite {
	suite := workload.StandardSuite()
	for i := range suite.Prompts {
		suite.Prompts[i].MaxTokens = min(cmp.Or(tokens, 24), suite.Prompts[i].MaxTokens)
	}
	return suite
}
