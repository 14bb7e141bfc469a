package rules

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the generated files of prometheus/ anew")

// committed are the generated files of the repository.
var committed = map[string]func(*Options){
	"../../prometheus/rules/exobench.yml": func(*Options) {},
}

func TestCommittedFilesAreGenerated(t *testing.T) {
	for file, with := range committed {
		o := DefaultOptions()
		with(&o)
		got, err := Generate(o)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what Generate makes; run go test ./exporter/rules -update", file)
		}
	}
}

type file struct {
	Groups []struct {
		Name     string
		Interval string
		Rules    []struct {
			Record, Alert, Expr, For string
			Labels, Annotations      map[string]string
		}
	}
}

func generate(t *testing.T, o Options) (file, string) {
	t.Helper()
	b, err := Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := yaml.Unmarshal(b, &f); err != nil {
		t.Fatalf("not YAML: %v\n%s", err, b)
	}
	return f, string(b)
}

func TestEveryAlertTellsWhatPeopleNeed(t *testing.T) {
	runbook, err := os.ReadFile("../../prometheus/RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := generate(t, Options{RunbookURL: "https://wiki.example/runbook.html"})
	seen := map[string]bool{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			seen[r.Alert] = true
			if s := r.Labels["severity"]; s != "critical" && s != "warning" && s != "info" {
				t.Errorf("%s: severity %q", r.Alert, s)
			}
			if len(r.Labels) != 1 {
				t.Errorf("%s: labels %v; anything that changes with the value would restart the alert", r.Alert, r.Labels)
			}
			for _, a := range []string{"summary", "description", "dashboard_url", "runbook_url"} {
				if r.Annotations[a] == "" {
					t.Errorf("%s has no annotation %s", r.Alert, a)
				}
			}
			if r.Alert != "ExoBenchExporterDown" && !strings.Contains(r.Annotations["summary"], "[SIMULATED]") {
				t.Errorf("%s: its summary would not say that data is simulated", r.Alert)
			}
			if want := "https://wiki.example/runbook.html#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
				t.Errorf("%s: runbook_url is %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
			}
			if !strings.Contains(string(runbook), "\n## "+r.Alert+"\n") {
				t.Errorf("%s has no section in RUNBOOK.md", r.Alert)
			}
		}
	}
	for _, name := range []string{
		"ExoBenchThroughputDrop", "ExoBenchThroughputCollapse", "ExoBenchThroughputDrift", "ExoBenchAllModelsSlow",
		"ExoBenchLatencyRegression", "ExoBenchModelFailing", "ExoBenchModelUnavailable", "ExoBenchStale", "ExoBenchExoDown",
		"ExoBenchExporterDown", "ExoBenchMemoryGrowth", "ExoBenchMemoryNotReleased", "ExoBenchNodeMemoryLow", "ExoBenchWorkloadChanged",
		"ExoBenchRulesIntervalMismatch", "ExoBenchThroughputGain", "ExoBenchUnstable",
	} {
		if !seen[name] {
			t.Errorf("there is no alert %s", name)
		}
	}
}

func TestWindowsFollowFromTheInterval(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		want     []string
	}{
		{15 * time.Minute, []string{
			`"failed"}[45m]`, "prompt:failed[1h7m30s]", "stale[8m30s]",
			"offset 30s", "for: 2m", "memory_bytes[53m15s]", "exobench_cycle_interval_seconds != 900",
		}},
		{10 * time.Minute, []string{`"failed"}[30m]`, "offset 30s", "for: 2m", "memory_bytes[35m30s]", "exobench_cycle_interval_seconds != 600"}},
		{5 * time.Second, []string{
			`"failed"}[15s]`, "prompt:failed[22s]", "stale[4s]",
			"offset 1s", "for: 5s", "memory_bytes[18s]", "exobench_cycle_interval_seconds != 5",
		}},
		{6 * time.Hour, []string{
			`"failed"}[18h]`, "prompt:failed[1d15m]", "stale[16m]",
			"offset 30s", "for: 2m", "memory_bytes[21h18m]", "exobench_cycle_interval_seconds != 21600",
		}},
	} {
		_, text := generate(t, Options{Interval: tt.interval})
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("rules for %v do not contain %s", tt.interval, want)
			}
		}
	}
}

// How often a group is evaluated follows from the interval, within bounds.
func TestGroupsAreEvaluatedWhenTheyAreDue(t *testing.T) {
	for interval, want := range map[time.Duration][3]string{
		15 * time.Minute:   {"1m", "1m", "7m30s"},
		3 * time.Second:    {"2s", "1s", "1s"},
		7 * 24 * time.Hour: {"1m", "15m", "15m"},
	} {
		f, _ := generate(t, Options{Interval: interval})
		for i, name := range []string{"exobench-speed", "exobench-turns", "exobench-seldom"} {
			for _, g := range f.Groups {
				if g.Name == name && g.Interval != want[i] {
					t.Errorf("at %v %s is evaluated every %s, want %s", interval, name, g.Interval, want[i])
				}
			}
		}
	}
}

func TestOptionsThatCannotBeUsed(t *testing.T) {
	for name, tt := range map[string]struct {
		options Options
		want    []string
	}{
		"too short": {Options{Interval: time.Second}, []string{"1s is too short"}},
		"negative":  {Options{Interval: -time.Minute}, []string{"-1m0s is too short"}},
		"fractions": {Options{Interval: 2500 * time.Millisecond}, []string{"whole number of seconds"}},
		"seldom":    {Options{Interval: time.Minute, Evaluation: time.Hour}, []string{"evaluation interval 1h0m0s"}},
		"all wrong at once": {
			Options{Interval: time.Second, Job: "(", RunbookURL: ":"}, []string{"too short", "regular expression", "not a URL"},
		},
		"too long":                   {Options{Interval: 100_000 * time.Hour}, []string{"100000h0m0s is too long"}},
		"job with a quote":           {Options{Job: `a"b`}, []string{"without white space, quotation marks"}},
		"job that is YAML":           {Options{Job: "a: b"}, []string{"without white space"}},
		"job that is a template":     {Options{Job: "a{{x}}"}, []string{"and {{"}},
		"job that is not UTF-8":      {Options{Job: "mod\xe8le"}, []string{"job"}},
		"Grafana with a quote":       {Options{GrafanaURL: "http://g/'q'"}, []string{"written as %XX"}},
		"Grafana that is a template": {Options{GrafanaURL: "http://g/{{x}}"}, []string{"written as %XX"}},
		"Grafana nowhere":            {Options{GrafanaURL: "grafana:3000"}, []string{"not a URL such as"}},
		"runbook with a line feed":   {Options{RunbookURL: "http://g/%0a\n"}, []string{"not a URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Generate(tt.options)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// Odd options that are allowed come through as what they are.
func TestOddOptions(t *testing.T) {
	f, text := generate(t, Options{
		Interval: MaxInterval, Job: `exo\.bench|a{2}#[0-9]+`, GrafanaURL: "https://[::1]:3000/g%27q/?a=b&c=(d)#e", RunbookURL: "http://wiki/x",
	})
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Alert == "ExoBenchExporterDown" && !strings.Contains(r.Expr, `up{job=~"exo\\.bench|a{2}#[0-9]+"} == 0`) {
				t.Errorf("expression %s", r.Expr)
			}
			if r.Alert == "ExoBenchThroughputDrop" && !strings.HasPrefix(
				r.Annotations["dashboard_url"], "https://[::1]:3000/g%27q/?a=b&c=(d)#e/d/",
			) {
				t.Errorf("link %s", r.Annotations["dashboard_url"])
			}
		}
	}
	if strings.Contains(text, "[-") || strings.Contains(text, "offset -") {
		t.Error("a window is negative")
	}
}
