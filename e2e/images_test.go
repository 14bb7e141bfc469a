package e2e

import (
	"cmp"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/e2e/internal/stack"
)

// pinnedImage matches the default of a base image, which a tag names for people and a digest for the engine. The tag is of one release,
// where there are releases.
var pinnedImage = regexp.MustCompile(`^ARG \w+_IMAGE=[a-z0-9./_-]+:(v?\d+\.\d+\.\d+|nonroot)@sha256:[0-9a-f]{64}$`)

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(stack.Repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// copyTree returns a copy of what compose needs, made as with umask 077: nobody but its owner may read it.
func copyTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"docker-compose.yml", "demo.env", "native.env", "compose", "prometheus",
		"grafana/Dockerfile", "grafana/dashboards", "grafana/provisioning",
	} {
		root := filepath.Join(stack.Repository, name)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(stack.Repository, path)
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, rel)
			if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
				return err
			}
			return os.WriteFile(to, content, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// image is what a Dockerfile that only copies makes: the files of the stage, below a directory.
type image struct {
	t       *testing.T
	context string
	root    string
	args    map[string]string
}

// buildImage carries out the copies of a stage of the Dockerfile in context, and fails on what it does not know. Its argument
// EXPORTER is the given one, its own default where that is empty.
func buildImage(t *testing.T, context, target, exporter string) string {
	t.Helper()
	b := image{t: t, context: context, root: t.TempDir(), args: map[string]string{}}
	content, err := os.ReadFile(filepath.Join(context, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stage := ""
	for line := range strings.Lines(string(content)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "ARG" && stage != "":
			name, value, _ := strings.Cut(words[1], "=")
			b.args[name] = cmp.Or(exporter, value)
		case words[0] == "ARG": // of a base image
		case words[0] == "FROM" && len(words) == 4 && words[2] == "AS":
			stage = words[3]
		case words[0] == "COPY" && len(words) == 4 && words[1] == "--chmod=0755":
			if stage == target {
				b.copy(words[2], words[3])
			}
		default:
			t.Fatalf("%s: %q is not known here", context, line)
		}
	}
	return b.root
}

// copy lays a file or what is in a directory into the image.
func (b image) copy(from, to string) {
	b.t.Helper()
	from = os.Expand(from, func(name string) string { return b.args[name] })
	source := filepath.Join(b.context, from)
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		if err := b.ignored(path); err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dest := filepath.Join(b.root, to, rel)
		if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
			return err
		}
		return os.WriteFile(dest, content, 0o644)
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// ignored fails where .dockerignore, which lets in by name what is at the top, would leave out a file that is copied.
func (b image) ignored(path string) error {
	rel, err := filepath.Rel(b.context, path)
	if err != nil {
		return err
	}
	top, _, _ := strings.Cut(rel, string(filepath.Separator))
	content, err := os.ReadFile(filepath.Join(stack.Repository, filepath.Base(b.context), ".dockerignore"))
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(string(content)), "!"+top) {
		b.t.Errorf("%s is copied, and left out by .dockerignore", rel)
	}
	return nil
}

// TestImagesHoldTheConfiguration carries out what the Dockerfiles copy, and has Prometheus' and Alertmanager's own tools check
// the result: as it is, and with files of a user's own over it.
func TestImagesHoldTheConfiguration(t *testing.T) {
	tree := copyTree(t)
	local := filepath.Join(tree, "prometheus", "local")
	for _, own := range []bool{false, true} {
		if own {
			for name, content := range map[string]string{
				"prometheus/rules/exobench.yml":      "groups: [{name: mine, rules: []}]\n",
				"prometheus/targets/exporter.yml":    "- targets: [\"mac-1:9955\", \"mac-2:9955\"]\n",
				"alertmanager/alertmanager.yml":      "route: {receiver: mine}\nreceivers: [{name: mine}]\n",
				"alertmanager/secrets/smtp-password": "s3cret\n",
			} {
				path := filepath.Join(local, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				stack.WriteFile(t, path, content)
			}
		}
		for exporter, target := range map[string]string{"native": "host.docker.internal:9955", "": "exporter:9955"} {
			root := buildImage(t, filepath.Join(tree, "prometheus"), "prometheus", exporter)
			etc := filepath.Join(root, "etc", "prometheus")
			checkTool(t, "promtool", "check", "config", "--lint=all", "--lint-fatal", filepath.Join(etc, "prometheus.yml"))
			expectFile(t, filepath.Join(etc, "rules", "dashboards.yml"), "record:", true)
			expectFile(t, filepath.Join(etc, "rules", "exobench.yml"), "mine", own)
			expectFile(t, filepath.Join(etc, "targets", "exporter.yml"), "mac-2:9955", own)
			expectFile(t, filepath.Join(etc, "targets", "exporter.yml"), target, !own)
		}
		root := buildImage(t, filepath.Join(tree, "prometheus"), "alertmanager", "")
		etc := filepath.Join(root, "etc", "alertmanager")
		checkTool(t, "amtool", "check-config", filepath.Join(etc, "alertmanager.yml"))
		expectFile(t, filepath.Join(etc, "alertmanager.yml"), "receiver: mine", own)
		if own {
			expectFile(t, filepath.Join(etc, "secrets", "smtp-password"), "s3cret", true)
		}
	}
	root := buildImage(t, filepath.Join(tree, "grafana"), "grafana", "")
	home := *loadCompose(t, "").Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	expectFile(t, filepath.Join(root, home), `"panels"`, true)
	expectFile(t, filepath.Join(root, "etc", "grafana", "provisioning", "dashboards", "exo-bench.yml"), "/etc/grafana/dashboards", true)
}

// TestImagesArePinned holds every stage of every Dockerfile to a base image whose default has a digest, and compose to letting
// each be replaced.
func TestImagesArePinned(t *testing.T) {
	compose := readFile(t, "docker-compose.yml")
	for _, name := range []string{"Dockerfile", "prometheus/Dockerfile", "grafana/Dockerfile"} {
		pinned := map[string]bool{}
		stages := 0
		for line := range strings.Lines(readFile(t, name)) {
			words := strings.Fields(line)
			switch {
			case len(words) == 0:
			case words[0] == "ARG" && stages == 0:
				arg, _, _ := strings.Cut(words[1], "=")
				pinned[arg] = pinnedImage.MatchString(strings.TrimSpace(line))
				if !strings.Contains(compose, arg+": ") {
					t.Errorf("docker-compose.yml does not pass %s to %s", arg, name)
				}
			case words[0] == "FROM":
				stages++
				base := words[1]
				if strings.HasPrefix(base, "--platform=") {
					base = words[2]
				}
				if arg := strings.Trim(base, "${}"); base != "${"+arg+"}" || !pinned[arg] {
					t.Errorf("%s: %q is made from what no digest names", name, strings.TrimSpace(line))
				}
			}
		}
		if stages == 0 {
			t.Errorf("%s has no stage", name)
		}
	}
}

func checkTool(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), stack.Tool(t, name), args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

func expectFile(t *testing.T, path, text string, want bool) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	} else if got := strings.Contains(string(content), text); got != want {
		t.Errorf("%s contains %q: %v, want %v", path, text, got, want)
	}
}
