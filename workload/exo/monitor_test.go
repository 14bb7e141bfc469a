package exo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

const identities = `{"N2":{"modelId":"MacBook Pro","chipId":"Apple M4 Pro","friendlyName":"mbp","osVersion":"26.2"},` +
	`"N1":{"friendlyName":"mbp"},"N3":{"friendlyName":"alone"}}`

func exo1Node(t *testing.T) *fakeNode {
	return newFakeNode(t, map[string]http.HandlerFunc{
		"/node_id":              reply(200, nodeID),
		"/state/nodeIdentities": reply(200, identities),
		"/state/nodeMemory": reply(
			200,
			`{"N1":{"ramTotal":{"inBytes":100},"ramAvailable":{"inBytes":40},"swapTotal":{"inBytes":1}},"N2":{"ramTotal":{"inBytes":0},`+
				`"ramAvailable":{"inBytes":0}},"N9":"odd"}`,
		),
		"/state/nodeSystem": reply(
			200, `{"N1":{"gpuUsage":0.91,"temp":61.2,"sysPower":38.7,"pcpuUsage":0.22},"N2":{"gpuUsage":"odd","temp":50}}`,
		),
	})
}

// run runs a Monitor in the bubble and returns what it said.
func run(t *testing.T, c *Client) (*Monitor, func() []workload.Status) {
	t.Helper()
	var mu sync.Mutex
	var got []workload.Status
	m := c.NewMonitor(func(s workload.Status) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, s)
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return m, func() []workload.Status {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		s := got
		got = nil
		return s
	}
}

// What cannot be true of a machine is not known, and more machines than there can be are none.
func TestMonitorDoubtsMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := strings.Builder{}
		for i := range 20_000 {
			fmt.Fprintf(&many, `,"x%d":{"temp":1}`, i)
		}
		odd := `"N1":{"gpuUsage":-1e300,"temp":1e300,"sysPower":-1},"N2":{"gpuUsage":1.5,"temp":50,"sysPower":1e9}`
		n := exo1Node(t)
		answers := []string{"{" + odd + "}", "{" + odd + many.String() + "}"}
		var answer atomic.Int32
		n.routes["/state/nodeSystem"] = func(w http.ResponseWriter, r *http.Request) {
			reply(200, answers[answer.Load()])(w, r)
		}
		_, statuses := run(t, n.client(nil))
		got := statuses()[0]
		for _, node := range got.Nodes {
			if node.GPUUtilization != nil || node.PowerWatts != nil || node.TemperatureCelsius != nil && *node.TemperatureCelsius != 50 {
				t.Errorf("of %s is known: %v %v %v", node.Name, node.GPUUtilization, node.PowerWatts, node.TemperatureCelsius)
			}
		}
		if got.TooBig || len(got.Nodes) != 2 {
			t.Errorf("of two machines: %+v", got)
		}
		answer.Add(1)
		time.Sleep(pollUp)
		if got := statuses()[0]; !got.Up || !got.TooBig || len(got.Nodes) != 0 {
			t.Errorf("of 20,000 machines: up %v, too big %v, %d machines", got.Up, got.TooBig, len(got.Nodes))
		}
	})
}

func TestMonitorReadsMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := exo1Node(t)
		_, statuses := run(t, n.client(nil))
		got := statuses()
		if len(got) != 1 || !got[0].Up || got[0].Dialect != workload.DialectExo1 || got[0].Err != nil {
			t.Fatalf("got %+v", got)
		}
		nodes := got[0].Nodes
		if len(nodes) != 2 || nodes[0].Name != "mbp" || nodes[1].Name != "mbp (2)" {
			t.Fatalf("machines %+v, want two of one name told apart, and none of which nothing is known", nodes)
		}
		a := nodes[0]
		if *a.MemoryTotal != 100 || *a.MemoryAvailable != 40 || *a.GPUUtilization != 0.91 || *a.TemperatureCelsius != 61.2 ||
			*a.PowerWatts != 38.7 {
			t.Errorf("machine %+v", a)
		}
		b := nodes[1]
		if b.MemoryTotal != nil || b.MemoryAvailable != nil || b.GPUUtilization != nil || b.PowerWatts != nil || *b.TemperatureCelsius != 50 {
			t.Errorf("machine %+v: what is 0 or odd is not known", b)
		}
		for _, p := range n.paths() {
			if p == "GET /state" || strings.Contains(p, "events") || strings.Contains(p, "tasks") {
				t.Errorf("%s was asked for, which holds people's prompts", p)
			}
		}
	})
}

func TestMonitorWithoutSubPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/node_id": reply(200, nodeID)})
		_, statuses := run(t, n.client(nil))
		if got := statuses(); !got[0].Up || got[0].Nodes != nil {
			t.Errorf("got %+v", got)
		}
		n.paths()
		time.Sleep(pollUp)
		synctest.Wait()
		if got := n.paths(); !slices.Equal(got, []string{"GET /node_id"}) {
			t.Errorf("asked again for what this exo does not have: %v", got)
		}
	})
}

// While a request is measured the state is left alone for up to a minute.
func TestMonitorKeepsQuietDuringRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := exo1Node(t)
		c := n.client(nil)
		_, statuses := run(t, c)
		statuses()
		n.paths()
		c.inflight.Add(1)
		for i, want := range []int{1, 1, 1, 4, 1} {
			time.Sleep(pollUp)
			got := statuses()
			if p := n.paths(); len(p) != want || len(got) != 1 || len(got[0].Nodes) != 2 {
				t.Errorf("poll %d asked %v and reported %+v", i, p, got)
			}
		}
	})
}

func TestMonitorFollowsTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		n := exo1Node(t)
		n.setDown(true)
		c := n.client(func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		m, statuses := run(t, c)
		says := func(what string, want int) {
			t.Helper()
			if got := strings.Count(log.String(), what); got != want {
				t.Errorf("%d log lines with %q, want %d:\n%s", got, what, want, &log)
			}
		}
		woken := func() bool {
			synctest.Wait()
			select {
			case <-m.Wake():
				return true
			default:
				return false
			}
		}
		if got := statuses(); len(got) != 1 || got[0].Up || got[0].Err == nil || got[0].Dialect != "" {
			t.Fatalf("got %+v, want down", got)
		}
		time.Sleep(25*time.Minute + time.Second)
		if got := len(statuses()); got != 300 {
			t.Errorf("%d polls in 25 minutes of outage, want one every 5 seconds", got)
		}
		says("exo is down", 1)
		says("still down", 2)
		if woken() {
			t.Error("woken while down")
		}

		n.setDown(false)
		time.Sleep(pollDown)
		if got := statuses(); !got[len(got)-1].Up || !woken() || woken() {
			t.Error("the node's coming up must wake, once")
		}
		says("exo is up again", 1)
		time.Sleep(time.Minute)
		if got := len(statuses()); got != 4 {
			t.Errorf("%d polls in a minute, want one every 15 seconds", got)
		}
		says("exo is up", 1)

		c.setEndpoint(workload.EndpointV1, "test")
		n.setDown(true)
		time.Sleep(pollUp)
		if got := statuses(); got[len(got)-1].Up || got[len(got)-1].Dialect != workload.DialectExo1 || got[len(got)-1].Nodes != nil {
			t.Errorf("got %+v, want down, the dialect still known, nothing said of machines", got)
		}
		if c.Endpoint() != "" {
			t.Error("what was found out about a node outlived it")
		}

		// It comes back as something else.
		n.set("/node_id", nil)
		n.set("/healthcheck", reply(200, healthy))
		n.set("/initial_models", reply(200, supported))
		n.setDown(false)
		time.Sleep(pollDown)
		if got := statuses(); !got[len(got)-1].Up || got[len(got)-1].Dialect != workload.DialectExo0 || !woken() {
			t.Errorf("got %+v, want legacy exo", got)
		}
		says("level=INFO msg=\"Dialect found\"", 2)
	})
}

func TestMonitorOfAConfiguredDialect(t *testing.T) {
	list := func(code int) map[string]http.HandlerFunc {
		return map[string]http.HandlerFunc{"/v1/models": reply(code, `{"error":"x"}`)}
	}
	for _, tc := range []struct {
		name    string
		dialect workload.Dialect
		routes  map[string]http.HandlerFunc
		up      bool
	}{
		{"exo 1.x", workload.DialectExo1, map[string]http.HandlerFunc{"/node_id": reply(200, nodeID)}, true},
		{"exo 1.x that is legacy", workload.DialectExo1, map[string]http.HandlerFunc{"/healthcheck": reply(200, healthy)}, false},
		{"early legacy", workload.DialectExo0, map[string]http.HandlerFunc{"/topology": reply(200, `{"nodes":{},"peer_graph":{}}`)}, true},
		{"server without a list", workload.DialectOpenAI, list(404), true},
		{"server that still loads", workload.DialectOpenAI, list(503), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, tc.routes)
				_, statuses := run(t, n.client(func(o *Options) { o.Dialect = tc.dialect }))
				got := statuses()
				if len(got) != 1 || got[0].Up != tc.up || got[0].Dialect != tc.dialect || (got[0].Err == nil) != tc.up {
					t.Errorf("got %+v, want up: %v", got, tc.up)
				}
			})
		})
	}
}

// The round trip leaves the making of the connection out.
func TestMonitorRTT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/node_id": func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * ms)
			reply(200, nodeID)(w, r)
		}})
		n.dialDelay = 50 * ms
		_, statuses := run(t, n.client(nil))
		time.Sleep(time.Second)
		if got := statuses(); got[0].RTT != 3*ms {
			t.Errorf("round trip %v, want 3ms", got[0].RTT)
		}
	})
}
