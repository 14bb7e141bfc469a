package e2e

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

// prometheusServer is a real Prometheus with the repository's own configuration, an
// Alertmanager beside it.
type prometheusServer struct {
	api promapi.API
}

// startPrometheus starts both. Of the configuration nothing but the targets is changed.
func startPrometheus(t *testing.T, target string) prometheusServer {
	t.Helper()
	own, alertmanager := freeAddress(t), freeAddress(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	if err := os.CopyFS(config, os.DirFS(filepath.Join(repository, "prometheus"))); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(config, "targets", "exporter.yml"), fmt.Sprintf("- targets: [%q]\n  labels: {instance: exo}\n", target))
	writeFile(t, filepath.Join(config, "targets", "alertmanager.yml"), fmt.Sprintf("- targets: [%q]\n", alertmanager))

	start(t, nil, tool(t, "alertmanager"), "--config.file="+filepath.Join(config, "alertmanager.yml"),
		"--storage.path="+filepath.Join(dir, "alertmanager"), "--web.listen-address="+alertmanager, "--cluster.listen-address=")
	start(t, nil, tool(t, "prometheus"), "--config.file="+filepath.Join(config, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+own)
	eventually(t, 30*time.Second, 50*time.Millisecond, "Prometheus is ready", func() bool { return answers("http://" + own + "/-/ready") })

	c, err := api.NewClient(api.Config{Address: "http://" + own})
	if err != nil {
		t.Fatal(err)
	}
	return prometheusServer{promapi.NewAPI(c)}
}

// at evaluates a query at one moment.
func (p prometheusServer) at(t *testing.T, when time.Time, query string, args ...any) model.Vector {
	t.Helper()
	query = fmt.Sprintf(query, args...)
	value, warnings, _, err := p.api.Query(t.Context(), query, when)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if len(warnings) > 0 {
		t.Errorf("%s: Prometheus warns: %v", query, warnings)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		t.Fatalf("%s: got a %s, want a vector", query, value.Type())
	}
	return vector
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
