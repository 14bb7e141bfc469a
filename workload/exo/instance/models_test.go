package instance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// grownList is what GET /models of a real node answered after its start: how many models, and
// whether the small one of the standard workload was among them.
type grownList struct {
	at     time.Duration
	models int
	small  bool
}

func grown(t *testing.T, version string) []grownList {
	t.Helper()
	f, err := os.Open("testdata/models-count-after-start." + version + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []grownList
	lines := bufio.NewScanner(f)
	lines.Scan() // the heading
	for lines.Scan() {
		var asked, answered float64
		var models int
		var small, large string
		if _, err := fmt.Sscan(lines.Text(), &asked, &answered, &models, &small, &large); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all = append(all, grownList{time.Duration(answered * float64(time.Second)), models, small == "True"})
	}
	return all
}

// TestCatalogueOfAStartingNode asks for models while exo's catalogue grows as it was seen to.
func TestCatalogueOfAStartingNode(t *testing.T) {
	for _, version := range []string{"v1.0.71", "head"} {
		list := grown(t, version)
		for i := range list {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{})
				start := time.Now().Add(-list[i].at)
				s.Reword("GET /models", func(string) string {
					now := list[i]
					for _, l := range list[i:] {
						if l.at <= time.Since(start) {
							now = l
						}
					}
					data := make([]map[string]string, now.models)
					for k := range data {
						data[k] = map[string]string{"id": fmt.Sprint("org/", k)}
					}
					if now.small {
						data[0]["id"] = llama
					}
					b, _ := json.Marshal(map[string]any{"data": data})
					return string(b)
				})
				m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.AddModels = true })
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatalf("asked at a list of %d: %v", list[i].models, err)
				}
				if s.called("POST /models/add") != 0 {
					t.Errorf("asked at a list of %d: exo's own model was added", list[i].models)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				begin := time.Now()
				for k := range 2 {
					missing, err := m.Missing(t.Context(), "org/none")
					if err != nil || !missing {
						t.Errorf("missing: %v %v", missing, err)
					}
					if took := time.Since(begin); k > 0 && took > quietToMiss+6*time.Second {
						t.Errorf("took %s: what was learned of the list was forgotten", took)
					}
				}
			})
		}
	}
}

func TestAddWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, exosim.Options{CatalogueOnly: true, DownloadRate: 4e9})
		m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.AddModels = true })
		start := time.Now()
		for i, model := range []string{mistral, qwen} { // the second one waits for nothing
			lease, err := m.Acquire(t.Context(), model)
			if err != nil {
				t.Fatal(err)
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took < quietToAdd || took > quietToAdd+30*time.Second {
				t.Errorf("%d models were added after %s", i+1, took)
			}
		}
		if got := s.called("POST /models/add"); got != 2 {
			t.Errorf("%d models added", got)
		}
	})
}
