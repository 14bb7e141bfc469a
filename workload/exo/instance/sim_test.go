package instance_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/exosim"
)

const (
	llama   = "mlx-community/Llama-3.2-1B-Instruct-4bit"
	mistral = "mlx-community/Mistral-7B-Instruct-v0.3-4bit"
)

// TestSimulator puts a Manager to the simulator, which knows nothing of this package's own
// fake node, with everything go wrong there that concerns the life of instances.
func TestSimulator(t *testing.T) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name     string
		model    string // llama when empty
		node     exosim.Options
		fault    *exosim.Fault
		setup    func(*testing.T, *exosim.Node)
		add      bool
		want     workload.TurnOutcome // ok when the model is to be had
		message  string
		borrowed bool
		stays    bool // exo does not let go of the instance
	}{
		{name: "HEAD", want: workload.TurnOK},
		{name: "v1.0.71", node: exosim.Options{Variant: exosim.V1071}, want: workload.TurnOK},
		{name: "download first", node: exosim.Options{NotDownloaded: []string{llama}}, want: workload.TurnOK},
		{name: "no sub-paths", fault: &exosim.Fault{Kind: exosim.StatePathsMissing}, want: workload.TurnOK},
		{name: "unknown tags", fault: &exosim.Fault{Kind: exosim.UnknownTags}, want: workload.TurnOK},
		{name: "moved fields", fault: &exosim.Fault{Kind: exosim.MovedFields}, want: workload.TurnOK},
		{name: "unreachable for 5 s", fault: &exosim.Fault{Kind: exosim.Unreachable, Seconds: 5}, want: workload.TurnOK},
		{name: "unreachable", fault: &exosim.Fault{Kind: exosim.Unreachable}, message: "refused"},
		{name: "text 500 once", fault: &exosim.Fault{Kind: exosim.Text500, Path: "/instance", Count: 1}, want: workload.TurnOK},
		{name: "text 500", fault: &exosim.Fault{Kind: exosim.Text500, Path: "/instance"}, want: workload.TurnFailed, message: "HTTP 500"},
		{
			name: "422 to POST", fault: &exosim.Fault{Kind: exosim.Unprocessable, Path: "/instance", Skip: 1}, want: workload.TurnFailed,
			message: "did not understand",
		},
		{name: "memory low", fault: &exosim.Fault{Kind: exosim.MemoryLow, Bytes: 1 << 30}, want: workload.TurnSkipped, message: "memory"},
		{name: "placement refused", fault: &exosim.Fault{Kind: exosim.PlacementRefused}, want: workload.TurnSkipped, message: "memory"},
		{name: "never listed", fault: &exosim.Fault{Kind: exosim.InstanceVanishes}, want: workload.TurnFailed, message: "#2047"},
		{
			name: "runner fails", fault: &exosim.Fault{Kind: exosim.RunnerFails, Message: "out of luck"}, want: workload.TurnFailed,
			message: "out of luck",
		},
		{
			name: "download fails", node: exosim.Options{NotDownloaded: []string{llama}},
			fault: &exosim.Fault{Kind: exosim.DownloadFails, Message: "HTTP 401"}, want: workload.TurnFailed, message: "HTTP 401",
		},
		{name: "stuck idle", fault: &exosim.Fault{Kind: exosim.RunnerStuck}, want: workload.TurnFailed, message: "nothing being downloaded"},
		{
			name: "stuck warming up", fault: &exosim.Fault{Kind: exosim.RunnerStuck, State: "RunnerWarmingUp"}, want: workload.TurnFailed,
			message: "not ready after 1m30s",
		},
		{name: "DELETE ignored", fault: &exosim.Fault{Kind: exosim.DeleteIgnored}, want: workload.TurnOK, stays: true},
		{
			name: "not in the catalogue", model: mistral, node: exosim.Options{CatalogueOnly: true}, want: workload.TurnUnavailable,
			message: "curl -X POST",
		},
		{name: "added", model: mistral, node: exosim.Options{CatalogueOnly: true}, add: true, want: workload.TurnOK},
		{
			name: "cannot be added", model: mistral, node: exosim.Options{CatalogueOnly: true, Offline: true}, add: true,
			want: workload.TurnUnavailable, message: "could not add",
		},
		{
			name: "stranger's instance, loading", borrowed: true, want: workload.TurnOK,
			setup: func(t *testing.T, n *exosim.Node) {
				_, err := n.PlaceStranger(llama)
				must(t, err)
				<-time.After(time.Second)
			},
		},
		{
			name: "stranger's instance, dead", want: workload.TurnFailed, message: "#2120",
			setup: func(t *testing.T, n *exosim.Node) {
				id, err := n.PlaceStranger(llama)
				must(t, err)
				<-time.After(time.Minute)
				if !n.KillRunner(id) {
					t.Fatal("no runner to kill")
				}
				<-time.After(time.Second)
			},
		},
		{
			name: "stranger's work", want: workload.TurnSkipped, message: "busy",
			setup: func(t *testing.T, n *exosim.Node) {
				_, err := n.PlaceStranger(mistral)
				must(t, err)
				<-time.After(time.Minute)
				_, err = n.StartStranger(mistral, 1e6)
				must(t, err)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := exosim.New(c.node)
				defer n.Close()
				if c.fault != nil {
					_, err := n.Inject(*c.fault)
					must(t, err)
				}
				if c.setup != nil {
					c.setup(t, n)
				}
				if c.model == "" {
					c.model = llama
				}
				strangers := len(n.Instances())
				api, err := httpapi.New(httpapi.Options{BaseURL: "http://exo.test", Transport: n.Transport()})
				must(t, err)
				m, err := instance.NewManager(instance.Options{API: api, StateDir: t.TempDir(), AddModels: c.add, LoadTimeout: 90 * time.Second})
				must(t, err)
				lease, err := m.Acquire(t.Context(), c.model)
				if err == nil {
					if c.want != workload.TurnOK || lease.Owned == c.borrowed || lease.Load.Loaded == c.borrowed {
						t.Errorf("lease %+v, want %q", lease, c.want)
					}
					if (strings.HasPrefix(c.name, "download") || c.add) != (lease.Load.Download > time.Second) {
						t.Errorf("download took %s", lease.Load.Download)
					}
					if !c.borrowed && (lease.Load.Duration <= 0 || lease.Load.Duration > time.Minute) {
						t.Errorf("load took %s", lease.Load.Duration)
					}
					if err := lease.Release(t.Context()); (err != nil) != c.stays {
						t.Errorf("release: %v", err)
					}
				} else {
					var turn *workload.TurnError
					var got workload.TurnOutcome
					if errors.As(err, &turn) {
						got = turn.Outcome
					}
					if got != c.want || !strings.Contains(err.Error(), c.message) || strings.Contains(err.Error(), exosim.StrangerPrompt) {
						t.Errorf("outcome %q: %v; want %q: %s", got, err, c.want, c.message)
					}
				}
				n.Clear("")
				<-time.After(3 * time.Minute)
				if err := m.Sweep(t.Context()); err != nil {
					t.Errorf("sweep: %v", err)
				}
				if got := n.Instances(); len(got) != strangers {
					t.Errorf("instances left: %+v", got)
				}
				for _, i := range n.Deleted() {
					if i.Stranger {
						t.Errorf("a stranger's instance is gone: %+v", i)
					}
				}
				must(t, m.Close())
			})
		})
	}
}
