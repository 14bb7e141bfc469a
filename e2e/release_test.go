package e2e

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestRelease builds what is released for this platform twice, of two clones at different places: the bytes are the same. Then it
// uses what is in the archive and in the Debian package.
func TestRelease(t *testing.T) {
	first, second := release(t), release(t)
	names := files(t, first)
	if len(names) != 4 || strings.Join(names, " ") != strings.Join(files(t, second), " ") {
		t.Fatalf("built are %q and %q, want an archive, a package, a bill of materials and sums", names, files(t, second))
	}
	for _, name := range names {
		if read(t, filepath.Join(first, name)) != read(t, filepath.Join(second, name)) {
			t.Errorf("%s is not the same twice", name)
		}
	}
	output(t, first, "sha256sum", "--check", "--strict", "SHA256SUMS")
	for _, name := range names {
		path := filepath.Join(first, name)
		switch {
		case strings.HasSuffix(name, ".tar.gz"):
			checkArchive(t, path)
		case strings.HasSuffix(name, ".deb"):
			checkDeb(t, path)
		case strings.HasSuffix(name, ".json"):
			checkBill(t, path)
		}
	}
}

// release builds the commit that is checked out in a clone of its own, and returns where it is.
func release(t *testing.T, env ...string) string {
	t.Helper()
	clone, out := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "out")
	output(t, stack.Repository, "git", "clone", "--quiet", "--no-hardlinks", ".", clone)
	cmd := exec.CommandContext(t.Context(), filepath.Join(clone, "release", "build.sh"), out, "linux/amd64")
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("release/build.sh: %v\n%s", err, text)
	}
	return out
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, text)
	}
	return string(text)
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func checkArchive(t *testing.T, path string) {
	t.Helper()
	dir := t.TempDir()
	output(t, dir, "tar", "-xzf", path)
	root := filepath.Join(dir, strings.TrimSuffix(filepath.Base(path), ".tar.gz"))
	for _, name := range []string{
		"exo-bench-exporter.1", "completions/exo-bench-exporter.zsh", "completions/exo-bench-exporter.fish", "LICENSE", "README.md",
		"exo-bench-exporter.service",
	} {
		if len(read(t, filepath.Join(root, name))) < 500 {
			t.Errorf("%s is next to empty", name)
		}
	}
	output(t, root, "bash", "-n", "completions/exo-bench-exporter.bash")
	checkStatic(t, filepath.Join(root, "exo-bench-exporter"))
	version := strings.Fields(output(t, root, "./exo-bench-exporter", "version"))[1]
	if !strings.Contains(filepath.Base(path), "-"+strings.TrimPrefix(version, "v")+"-") {
		t.Errorf("%s holds version %s", filepath.Base(path), version)
	}
}

// checkStatic asserts that a program for Linux needs nothing of the system that it runs on, such as glibc or a loader.
func checkStatic(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s has a segment %v: it is not static", path, p.Type)
		}
	}
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("%s needs %q (error %v)", path, libraries, err)
	}
}

// checkDeb unpacks the package, runs what is in it, and holds the unit against systemd where that is installed.
func checkDeb(t *testing.T, path string) {
	t.Helper()
	root := t.TempDir()
	output(t, root, "dpkg-deb", "--extract", path, ".")
	output(t, root, "dpkg-deb", "--info", path, "control", "conffiles", "postinst", "prerm")
	output(t, root, "./usr/bin/exo-bench-exporter", "version")
	unit := read(t, filepath.Join(root, "usr/lib/systemd/system/exo-bench-exporter.service"))
	for _, line := range []string{
		"ExecStart=/usr/bin/exo-bench-exporter", "StateDirectory=exo-bench-exporter",
		"DevicePolicy=closed", "DeviceAllow=char-nvidia* rw", // what nvidia-smi needs, and no other device
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s:\n%s", line, unit)
		}
	}
	if strings.Contains(unit, "\nPrivateDevices=yes\n") {
		t.Error("the unit hides the devices of NVIDIA's GPUs from nvidia-smi")
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if errors.Is(err, exec.ErrNotFound) {
		t.Log("systemd is not installed: the unit was not judged")
		return
	}
	said := output(t, root, analyze, "security", "--offline=true", "--threshold=30", "usr/lib/systemd/system/exo-bench-exporter.service")
	t.Log(regexp.MustCompile(`Overall exposure.*`).FindString(said))
}

func checkBill(t *testing.T, path string) {
	t.Helper()
	var bill struct {
		Format     string                           `json:"bomFormat"`
		Components []struct{ Name, Version string } `json:"components"`
	}
	if err := json.Unmarshal([]byte(read(t, path)), &bill); err != nil || bill.Format != "CycloneDX" {
		t.Fatalf("bill of materials: %q, %v", bill.Format, err)
	}
	for _, c := range bill.Components {
		if c.Name == "github.com/prometheus/client_golang" && c.Version != "" {
			return
		}
	}
	t.Errorf("of %d components none is Prometheus' client", len(bill.Components))
}
