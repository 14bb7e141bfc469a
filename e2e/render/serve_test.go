package render

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// serve has a real Prometheus answer from a storage, and returns its address.
func serve(t *testing.T, dir string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	storage := t.TempDir() // Prometheus writes beside what it reads
	copyDir(t, dir, storage)
	cmd := exec.Command(prometheusPath(t), "--config.file=/dev/null", "--storage.tsdb.path="+storage, "--storage.tsdb.retention.time=200y",
		"--web.listen-address="+address, "--log.level=error")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get("http://" + address + "/-/ready"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus on %s does not become ready", dir)
		}
	}
}

func prometheusPath(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("E2E_TOOLS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "exo-bench-exporter-e2e")
	}
	path := filepath.Join(dir, "bin", "prometheus")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("run e2e/tools/install.sh prometheus: %v", err)
	}
	return path
}
