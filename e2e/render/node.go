package render

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"exo-bench-exporter/app"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/exosim/link"
)

// run is the program beside a simulated node, in virtual time.
type run struct {
	node   *exosim.Node
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

// start starts the program, which goes on from what an earlier one has left in the directory state. To be called in a
// bubble.
func start(t *testing.T, state string, simulated bool, vars map[string]string) *run {
	t.Helper()
	node := exosim.New(exosim.Options{Seed: 1, Profiles: profiles()})
	env := map[string]string{
		"HOME": t.TempDir(), "EXOBENCH_EXO_URL": "http://exo.test:52415", "EXOBENCH_STATE_DIR": state,
		"EXOBENCH_EXO_PID": strconv.Itoa(node.Processes()[0].PID), "EXOBENCH_SUITE": shortened(t),
		"EXOBENCH_CYCLE_INTERVAL": cycle.String(),
	}
	for name, value := range vars {
		env["EXOBENCH_"+name] = value
	}
	listen := link.Listen()
	seams := app.Seams{Transport: node.Transport(), Listener: loopback{listen}, Processes: processesOf(node), Simulated: simulated}
	if !simulated {
		seams.Transport = asReal{seams.Transport}
	}
	p, err := app.Open(env, false, seams)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx) }()
	r := &run{node: node, listen: listen, client: &http.Client{
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

// profiles are those of the default models alone, which keeps the node's state small.
func profiles() []exosim.Profile {
	return slices.DeleteFunc(exosim.Profiles(), func(p exosim.Profile) bool {
		return !slices.ContainsFunc(workload.DefaultModels(), func(m workload.Model) bool { return m.Name == p.Name })
	})
}

// loopback is a listener in memory that passes for one on this machine.
type loopback struct{ net.Listener }

func (loopback) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9955} }

func processesOf(node *exosim.Node) memory.Source {
	return memory.SimulatedSource(func() []memory.Simulated {
		var all []memory.Simulated
		for _, p := range node.Processes() {
			all = append(all, memory.Simulated{
				PID: int32(p.PID), PPID: int32(p.PPID), Created: p.Created, RSS: p.RSS, Peak: p.PeakRSS, Command: p.Command,
				Footprint: p.RSS, FootprintPeak: p.PeakRSS,
			})
		}
		return all
	})
}

// shortened is a file with the standard workload's prompts and short answers: what costs time here are tokens.
func shortened(t *testing.T) string {
	t.Helper()
	const tokens = 24
	suite := workload.StandardSuite()
	for i := range suite.Prompts {
		suite.Prompts[i].MaxTokens = min(tokens, suite.Prompts[i].MaxTokens)
	}
	content, err := json.Marshal(suite)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "suite.json")
	writeFile(t, path, string(content))
	return path
}
