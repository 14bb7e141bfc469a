package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Instance is the name under which Prometheus knows the exporter.
const Instance = "exo"

// Prometheus is a real Prometheus with the repository's own configuration, a real
// Alertmanager beside it.
type Prometheus struct {
	API promapi.API
	URL string
}

// StartPrometheus starts both, to scrape the exporter at target. Of the configuration nothing
// but the targets is changed, unless edit changes more of its copy, the directory config.
func StartPrometheus(t *testing.T, target string, edit func(config string)) Prometheus {
	t.Helper()
	own, alertmanager := FreeAddress(t), FreeAddress(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	if err := os.CopyFS(config, os.DirFS(filepath.Join(Repository, "prometheus"))); err != nil {
		t.Fatal(err)
	}
	WriteFile(t, filepath.Join(config, "targets", "exporter.yml"), fmt.Sprintf("- targets: [%q]\n  labels: {instance: %s}\n", target,
		Instance))
	WriteFile(t, filepath.Join(config, "targets", "alertmanager.yml"), fmt.Sprintf("- targets: [%q]\n", alertmanager))
	if edit != nil {
		edit(config)
	}

	Start(t, nil, Tool(t, "alertmanager"), "--config.file="+filepath.Join(config, "alertmanager.yml"),
		"--storage.path="+filepath.Join(dir, "alertmanager"), "--web.listen-address="+alertmanager, "--cluster.listen-address=")
	Start(t, nil, Tool(t, "prometheus"), "--config.file="+filepath.Join(config, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+own)
	for _, address := range []string{alertmanager, own} {
		Eventually(t, 30*time.Second, 50*time.Millisecond, "Prometheus and Alertmanager are ready", func() bool {
			return Answers("http://" + address + "/-/ready")
		})
	}

	url := "http://" + own
	c, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		t.Fatal(err)
	}
	return Prometheus{promapi.NewAPI(c), url}
}

// At evaluates a query, a format with its args, at one moment.
func (p Prometheus) At(t *testing.T, when time.Time, query string, args ...any) model.Vector {
	t.Helper()
	return ask[model.Vector](t, p, when, query, args...)
}

// Samples evaluates a range selector, a format with its args, at one moment.
func (p Prometheus) Samples(t *testing.T, when time.Time, query string, args ...any) model.Matrix {
	t.Helper()
	return ask[model.Matrix](t, p, when, query, args...)
}

func ask[V model.Value](t *testing.T, p Prometheus, when time.Time, query string, args ...any) V {
	t.Helper()
	query = fmt.Sprintf(query, args...)
	value, warnings, _, err := p.API.Query(t.Context(), query, when)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if len(warnings) > 0 {
		t.Errorf("%s: Prometheus warns: %v", query, warnings)
	}
	v, ok := value.(V)
	if !ok {
		t.Fatalf("%s: got a %s, want a %T", query, value.Type(), v)
	}
	return v
}

// WriteFile writes a file that is there already or not.
func WriteFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
