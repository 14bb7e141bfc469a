package app

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/exporter"
)

// composeFile has the exporter's service.
const composeFile = "docker-compose.yml"

// notInCompose are the variables that compose does not pass to the exporter but refuses, with the
// reason why they have no meaning there.
var notInCompose = map[string]string{
	"EXOBENCH_LISTEN_ADDRESS": "which port is published, and on which address, is said by `ports`; inside, the container listens on 9955",
	"EXOBENCH_STATE_DIR":      "the image sets it to the directory that the volume is mounted on",
}

// composeService is what the tests read of a service in composeFile.
type composeService struct {
	Environment map[string]*string `yaml:"environment"`
	Volumes     []string           `yaml:"volumes"`
	StopGrace   string             `yaml:"stop_grace_period"` // no duration where what is refused is set
}

func exporterInCompose(t *testing.T) composeService {
	t.Helper()
	content, err := os.ReadFile("../" + composeFile)
	noError(t, err)
	var doc struct {
		Services map[string]composeService `yaml:"services"`
	}
	noError(t, yaml.Unmarshal(content, &doc))
	s, ok := doc.Services["exporter"]
	if !ok {
		t.Fatal(composeFile + " has no service exporter")
	}
	return s
}

// Every variable that has a meaning in a container gets there from whoever calls compose.
func TestComposePassesEveryVariable(t *testing.T) {
	s := exporterInCompose(t)
	known := map[string]bool{}
	for _, v := range exporter.Variables() {
		known[v.Name] = true
		value, passed := s.Environment[v.Name]
		why, left := notInCompose[v.Name]
		switch {
		case passed == left:
			t.Errorf("%s: either "+composeFile+" passes it on, or notInCompose says why not", v.Name)
		case left && why == "":
			t.Errorf("%s: there is no reason why it is not passed on", v.Name)
		case left && !refused(s, v.Name):
			t.Errorf("%s: %s does not refuse it", v.Name, composeFile)
		case passed && value != nil && !strings.HasPrefix(*value, "${"+v.Name+":-"):
			t.Errorf("%s is %q, whatever the user sets", v.Name, *value)
		}
	}
	for name := range notInCompose {
		if !known[name] {
			t.Errorf("%s is no variable", name)
		}
	}
	for name := range s.Environment {
		if strings.HasPrefix(name, exporter.EnvPrefix) && !known[name] {
			t.Errorf("%s passes on %s, which the exporter refuses", composeFile, name)
		}
	}
}

// refused reports whether compose refuses to start s where a variable is set.
func refused(s composeService, variable string) bool {
	return strings.Contains(s.StopGrace, "${"+variable+":+ "+variable+" has no meaning in compose, ")
}

// A file that a variable names can be mounted: there is a directory for them, which keeps out
// of version control and of the image what a user puts there.
func TestComposeMountsFiles(t *testing.T) {
	const mount = "./config:/etc/exo-bench-exporter:ro"
	found := false
	for _, v := range exporterInCompose(t).Volumes {
		found = found || v == mount
	}
	if !found {
		t.Errorf("%s does not mount %s", composeFile, mount)
	}
	for file, line := range map[string]string{"../config/.gitignore": "*", "../.dockerignore": "config/*"} {
		content, err := os.ReadFile(file)
		noError(t, err)
		if !strings.Contains("\n"+string(content), "\n"+line+"\n") {
			t.Errorf("%s has no line %q", file, line)
		}
	}
}

// The state directory in the image can be written by whoever the container runs as.
func TestImageHasAStateDirectoryForEverybody(t *testing.T) {
	content, err := os.ReadFile("../Dockerfile")
	noError(t, err)
	for what, line := range map[string]string{
		"a directory that all may write to": `(?m)mkdir -m 1777 /out/lib/exo-bench-exporter\b`,
		"a copy that keeps its mode":        `(?m)^COPY --from=build (--chown=\S+ )?/out/lib/ /var/lib/$`,
		"its name as the default":           `(?m)^ENV EXOBENCH_STATE_DIR=/var/lib/exo-bench-exporter$`,
	} {
		if !regexp.MustCompile(line).Match(content) {
			t.Errorf("Dockerfile has no %s: %s", what, line)
		}
	}
}
