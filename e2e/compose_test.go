package e2e

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"exo-bench-exporter/e2e/internal/stack"
)

// loadCompose loads docker-compose.yml as `docker compose` does, with a file of variables if
// envFile is not empty and with no other environment than env.
func loadCompose(t *testing.T, envFile string, env ...string) *types.Project {
	t.Helper()
	project, err := composeProject(t, envFile, env...)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// composeProject is loadCompose for what may be refused.
func composeProject(t *testing.T, envFile string, env ...string) (*types.Project, error) {
	t.Helper()
	return composeIn(t, stack.Repository, envFile, env...)
}

// composeIn is composeProject in another directory than the repository.
func composeIn(t *testing.T, dir, envFile string, env ...string) (*types.Project, error) {
	t.Helper()
	t.Chdir(dir) // which COMPOSE_FILE is relative to
	options := []cli.ProjectOptionsFn{cli.WithWorkingDirectory(dir), cli.WithEnv(env)}
	if envFile != "" {
		options = append(options, cli.WithEnvFiles(filepath.Join(dir, envFile)), cli.WithDotEnv)
	}
	// COMPOSE_FILE and COMPOSE_PROFILES of the file of variables count from here on.
	options = append(options, cli.WithConfigFileEnv, cli.WithDefaultConfigPath, cli.WithDefaultProfiles())
	o, err := cli.NewProjectOptions(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	return o.LoadProject(t.Context())
}

var composeVariants = []struct {
	name     string
	envFile  string
	env      []string
	services []string // that run
}{
	{"default", "", nil, []string{"alertmanager", "exporter", "grafana", "prometheus"}},
	{"exporter on the host", "native.env", nil, []string{"alertmanager", "grafana", "prometheus"}},
	{"demo", "demo.env", nil, []string{"alertmanager", "exo-sim", "exporter", "grafana", "prometheus"}},
}

// builds are what compose builds of each image: Go and the exporter's source are needed for one alone.
var builds = map[string]string{
	"exporter": "", "prometheus": "prometheus", "alertmanager": "prometheus", "grafana": "grafana",
}

func TestComposeVariants(t *testing.T) {
	for _, v := range composeVariants {
		t.Run(v.name, func(t *testing.T) {
			project := loadCompose(t, v.envFile, v.env...)
			var running []string
			for name, s := range project.Services {
				if s.GetScale() > 0 {
					running = append(running, name)
				}
			}
			slices.Sort(running)
			if !slices.Equal(running, v.services) {
				t.Errorf("these services run: %q, want %q", running, v.services)
			}
			for _, name := range running {
				s := project.Services[name]
				t.Run(name, func(t *testing.T) { checkService(t, project, s) })
			}
		})
	}
}

func checkService(t *testing.T, project *types.Project, s types.ServiceConfig) {
	context, built := builds[s.Name]
	switch {
	case built != (s.Build != nil):
		t.Errorf("built here: %v, want %v", s.Build != nil, built)
	case built && s.Build.Context != filepath.Join(stack.Repository, context):
		t.Errorf("the image is built from %s, want %q", s.Build.Context, context)
	}
	if s.PullPolicy != types.PullPolicyNever {
		t.Errorf("the image %s, which is built here, may be pulled", s.Image)
	}
	if !s.ReadOnly {
		t.Error("the root file system is not read-only")
	}
	if s.Privileged || !slices.Contains(s.CapDrop, "ALL") || len(s.CapAdd) > 0 {
		t.Errorf("privileged %v, capabilities dropped %v, added %v; want none at all", s.Privileged, s.CapDrop, s.CapAdd)
	}
	if s.Deploy == nil || s.Deploy.Resources.Limits == nil {
		t.Error("there are no limits of what it may take")
	} else if l := s.Deploy.Resources.Limits; l.NanoCPUs <= 0 || l.Pids <= 0 || l.MemoryBytes <= 0 {
		t.Errorf("limits are %+v, want processors, memory and processes", l)
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("security options are %v, want no-new-privileges", s.SecurityOpt)
	}
	// Nobody but the exporter asks the simulator, and a real exo may have the port.
	if wants := s.Name != "exo-sim"; wants != (len(s.Ports) > 0) {
		t.Errorf("%d ports are published", len(s.Ports))
	}
	for _, p := range s.Ports {
		if p.HostIP != "127.0.0.1" {
			t.Errorf("port %s is published on %q, want the loopback interface only", p.Published, p.HostIP)
		}
	}
	// The exporter's image brings a check of its own.
	if s.Name != "exporter" && (s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) == 0) {
		t.Error("there is no health check")
	}
	for _, v := range s.Volumes {
		switch v.Type {
		case types.VolumeTypeVolume:
			if _, ok := project.Volumes[v.Source]; !ok {
				t.Errorf("volume %q of %s is not declared", v.Source, v.Target)
			}
		case types.VolumeTypeBind:
			if !v.ReadOnly {
				t.Errorf("%s is mounted writable", v.Source)
			}
			// Whatever else is mounted would have to be readable for a user who is not the one that has cloned.
			if v.Source != filepath.Join(stack.Repository, "config") {
				t.Errorf("%s is mounted, and not copied into the image", v.Source)
			}
		}
	}
}

const exporterImage = "exo-bench-exporter:local"

// TestNativeExporterBuildsNothing asserts that where the exporter runs natively nothing of it is built or pulled, that Prometheus
// asks the host then, and that saying so once, by a copy of native.env, is enough.
func TestNativeExporterBuildsNothing(t *testing.T) {
	tree := copyTree(t)
	stack.WriteFile(t, filepath.Join(tree, ".env"), readFile(t, "native.env")+"GRAFANA_PUBLISH=127.0.0.1:3001\n"+
		"GRAFANA_ADMIN_PASSWORD=s3cret\nGRAFANA_ANONYMOUS=false\n")
	for _, envFile := range []string{"native.env", ".env"} {
		project, err := composeIn(t, tree, envFile)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range project.Services {
			if s.Image == exporterImage || s.Build == nil || s.Build.Context == tree {
				t.Errorf("%s: %s has the image %s, built from %+v", envFile, name, s.Image, s.Build)
			}
		}
		s := project.Services["prometheus"]
		if arg := s.Build.Args["EXPORTER"]; arg == nil || *arg != "native" || s.Build.Target != "prometheus" {
			t.Errorf("%s: Prometheus is built as %+v", envFile, s.Build)
		}
		if usual := loadCompose(t, "").Services["prometheus"]; s.Image == usual.Image {
			t.Errorf("%s: Prometheus' image is called %s whichever exporter it asks", envFile, s.Image)
		}
	}
	if ignored := readFile(t, ".gitignore"); !strings.Contains("\n"+ignored, "\n.env\n") {
		t.Error(".env is not ignored by git")
	}
}

// TestDemoIsApart asserts that the demo is a project of its own, whose volumes can be removed, and that a file .env
// that is there for the real one says nothing to it.
func TestDemoIsApart(t *testing.T) {
	volumes := map[string]bool{}
	for _, v := range loadCompose(t, "").Volumes {
		volumes[v.Name] = true
	}
	for _, v := range loadCompose(t, "demo.env").Volumes {
		if volumes[v.Name] {
			t.Errorf("the demo's volume %s is the real project's", v.Name)
		}
	}
	tree := copyTree(t)
	stack.WriteFile(t, filepath.Join(tree, ".env"), "EXOBENCH_MODELS=mine\nEXPORTER_USER=7:7\n")
	for envFile, want := range map[string]string{".env": "mine 7:7", "demo.env": " 65532:65532"} {
		project, err := composeIn(t, tree, envFile)
		if err != nil {
			t.Fatal(err)
		}
		s := project.Services["exporter"]
		models := ""
		if v := s.Environment["EXOBENCH_MODELS"]; v != nil {
			models = *v
		}
		if got := models + " " + s.User; got != want {
			t.Errorf("with %s models and user are %q, want %q", envFile, got, want)
		}
	}
}

// TestComposeRefusesVariables asserts that a variable of the exporter's that has no meaning in compose is refused, with
// what has.
func TestComposeRefusesVariables(t *testing.T) {
	for variable, want := range map[string]string{
		"EXOBENCH_LISTEN_ADDRESS": "EXPORTER_PUBLISH has", "EXOBENCH_STATE_DIR": "state is in a volume", "EXPORTER_CONTAINERS": "native.env says",
	} {
		_, err := composeProject(t, "", variable+"=0")
		if err == nil || !strings.Contains(err.Error(), variable+" ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to be refused with %q", variable, err, want)
		}
	}
}

// TestNothingIsRequiredWithinADefault asserts that no ${NAME:?words} stands within another variable's default, where releases of
// compose before 5 ask for NAME also if the default is not needed, and so start nothing.
func TestNothingIsRequiredWithinADefault(t *testing.T) {
	within := regexp.MustCompile(`\$\{\w+:?[-+][^}]*\$\{\w+:?\?`)
	for _, name := range []string{"docker-compose.yml", "compose/native.yml"} {
		if found := within.FindString(strings.ReplaceAll(readFile(t, name), "\\\n", "")); found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
}

// TestGrafanaBeyondLoopback asserts that others reach Grafana only where its administrator has a password of his own, and read
// without a login only where somebody has decided so.
func TestGrafanaBeyondLoopback(t *testing.T) {
	const publish, password, anonymous = "GRAFANA_PUBLISH=3000", "GRAFANA_ADMIN_PASSWORD=s3cret", "GRAFANA_ANONYMOUS=true"
	for _, env := range [][]string{{publish}, {publish, anonymous}} {
		if _, err := composeProject(t, "", env...); err == nil || !strings.Contains(err.Error(), "needs-GRAFANA_ADMIN_PASSWORD.env not found") {
			t.Errorf("%v: %v, want it to be refused without a password", env, err)
		}
	}
	for want, env := range map[string][]string{
		"127.0.0.1  true": nil, "127.0.0.1 s3cret true": {password}, " s3cret false": {publish, password},
		" s3cret true": {publish, password, anonymous},
	} {
		s := loadCompose(t, "", env...).Services["grafana"]
		value := func(name string) string { return *s.Environment[name] }
		got := s.Ports[0].HostIP + " " + value("GF_SECURITY_ADMIN_PASSWORD") + " " + value("GF_AUTH_ANONYMOUS_ENABLED")
		if got != want || value("GF_AUTH_ANONYMOUS_ORG_ROLE") != "Viewer" {
			t.Errorf("%v: %q, want %q", env, got, want)
		}
	}
}

// TestComposeKeepsData asserts that what a service writes outlives its container.
func TestComposeKeepsData(t *testing.T) {
	project := loadCompose(t, "")
	for service, path := range map[string]string{
		"exporter": "/var/lib/exo-bench-exporter", "prometheus": "/prometheus",
		"alertmanager": "/alertmanager", "grafana": "/var/lib/grafana",
	} {
		s := project.Services[service]
		if !slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
			return v.Type == types.VolumeTypeVolume && v.Target == path
		}) {
			t.Errorf("%s keeps %s in no named volume", service, path)
		}
	}
}

// TestComposeReachesExo asserts that the exporter's container reaches an exo on the host, on
// Linux too, and in the demo the simulator instead.
func TestComposeReachesExo(t *testing.T) {
	s := loadCompose(t, "").Services["exporter"]
	if got := *s.Environment["EXOBENCH_EXO_URL"]; got != "http://host.docker.internal:52415" {
		t.Errorf("exo is looked for at %s", got)
	}
	if got := s.ExtraHosts["host.docker.internal"]; !slices.Equal(got, []string{"host-gateway"}) {
		t.Errorf("host.docker.internal is %v, want host-gateway", got)
	}
	if s.Pid != "host" {
		t.Errorf("the exporter sees the processes of %q, want the host's", s.Pid)
	}

	demo := loadCompose(t, "demo.env").Services["exporter"]
	if got := *demo.Environment["EXOBENCH_EXO_URL"]; got != "http://exo-sim:52415" {
		t.Errorf("in the demo exo is looked for at %s", got)
	}
	if demo.Pid != "service:exo-sim" {
		t.Errorf("in the demo the exporter sees the processes of %q, want the simulator's", demo.Pid)
	}
}

// TestComposePassesVariablesThrough asserts that a variable of the exporter that is set for
// compose arrives in the container, and that none is passed on that the exporter would refuse.
func TestComposePassesVariablesThrough(t *testing.T) {
	known := regexp.MustCompile(`EXOBENCH_[A-Z_]+`)
	help, status := stack.Run(t, nil, stack.Exporter, "-h")
	if status != 0 {
		t.Fatalf("exo-bench-exporter -h ends with status %d", status)
	}
	variables := map[string]bool{}
	for _, name := range known.FindAllString(string(help), -1) {
		variables[name] = true
	}
	s := loadCompose(t, "", "EXOBENCH_CYCLE_INTERVAL=7m").Services["exporter"]
	if got := s.Environment["EXOBENCH_CYCLE_INTERVAL"]; got == nil || *got != "7m" {
		t.Errorf("EXOBENCH_CYCLE_INTERVAL=7m arrives as %v", got)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if strings.HasPrefix(name, "EXOBENCH_") && !variables[name] {
			t.Errorf("compose passes on %s, which the exporter does not know", name)
		}
	}
}

// TestImageChecksItself asserts that the image which compose builds has a health check and
// does not run as root.
func TestImageChecksItself(t *testing.T) {
	dockerfile := readFile(t, "Dockerfile")
	for what, line := range map[string]*regexp.Regexp{
		"version":      regexp.MustCompile(`org\.opencontainers\.image\.version="\$VERSION"`),
		"health check": regexp.MustCompile(`(?m)^HEALTHCHECK `),
		"user":         regexp.MustCompile(`(?m)^USER [1-9][0-9]*`),
	} {
		if !line.MatchString(dockerfile) {
			t.Errorf("Dockerfile has no %s of the form %s", what, line)
		}
	}
}

// TestComposeNoticesMistypedVariables asserts that a name of ours that does not exist, in the file of settings, reaches the
// exporter, which refuses it, and that nothing else of that file which is secret does.
func TestComposeNoticesMistypedVariables(t *testing.T) {
	tree := copyTree(t)
	const settings = "EXOBENCH_MODLES=llama-3.2-1b\nEXOBENCH_CYCLE_INTERVAL=7m\nGRAFANA_ADMIN_PASSWORD=s3cret\nPROMETHEUS_RETENTION=1y\n"
	stack.WriteFile(t, filepath.Join(tree, ".env"), settings)
	project, err := composeIn(t, tree, ".env")
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for name, value := range project.Services["exporter"].Environment {
		if value != nil {
			env = append(env, name+"="+*value)
		}
	}
	secret := func(v string) bool { return strings.Contains(v, "s3cret") }
	if !slices.Contains(env, "EXOBENCH_CYCLE_INTERVAL=7m") || slices.ContainsFunc(env, secret) {
		t.Errorf("the exporter gets %q", env)
	}
	for service, s := range project.Services {
		if value := s.Environment["EXOBENCH_MODLES"]; (value != nil) != (service == "exporter") {
			t.Errorf("%s gets the mistyped name: %v", service, value != nil)
		}
	}
	cmd := exec.CommandContext(t.Context(), stack.Exporter)
	cmd.Env = env
	said, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(said), "EXOBENCH_MODLES") ||
		!strings.Contains(string(said), "did you mean EXOBENCH_MODELS?") {
		t.Errorf("the exporter ends with %v and says\n%s", cmd.ProcessState, said)
	}
	// The demo's settings are its own, and without any file compose starts as well.
	for _, envFile := range []string{"demo.env", ""} {
		project, err := composeIn(t, tree, envFile)
		if err != nil {
			t.Fatal(err)
		}
		if envFile == "demo.env" && project.Services["exporter"].Environment["EXOBENCH_MODLES"] != nil {
			t.Error("the demo reads the settings of the real one")
		}
	}
}
