package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/grafana"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

// readRunbook returns RUNBOOK.md with every run of white space as one space.
func readRunbook(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../prometheus/RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

// TestRunbookSaysWhatIsJudged holds the figures in the runbook, and what the alert about a change of method says, against what the
// judge and the rules are made with.
func TestRunbookSaysWhatIsJudged(t *testing.T) {
	text := readRunbook(t)
	_, rules := generate(t, Options{})
	if judge.LeastTime != 24*time.Hour {
		t.Errorf("nothing is called slow before %v, and the runbook says a day", judge.LeastTime)
	}
	history := fmt.Sprintf("%d cycles and a day", judge.LeastCycles)
	for _, want := range []string{"Nothing is called slow before " + history, "in the median of the last four cycles (exo #752)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the runbook does not say %q", want)
		}
	}
	for _, want := range []string{"it takes " + history + " until alerts", "unreleased_memory_bytes[53m15s]"} {
		if !strings.Contains(rules, want) {
			t.Errorf("the rules do not say %q", want)
		}
	}
	_, section, _ := strings.Cut(text, "## ExoBenchThroughputDrop ")
	section, _, _ = strings.Cut(section, " ## ")
	for _, k := range []judge.Kind{judge.Drop, judge.Partial, judge.Intermittent} {
		if !strings.Contains(section, "`"+string(k)+"`") {
			t.Errorf("the section about drops does not say what %s is", k)
		}
	}
}

func TestRunbookCanBeReadWhileTheAlertFires(t *testing.T) {
	const drop, down = "exobenchthroughputdrop", exporterDown
	panel := "https://grafana.example" + exporterDownPanel.path()
	for _, tt := range []struct{ runbook, alert, want string }{
		{"", drop, "http://localhost:9955/runbook#" + drop},
		{"", down, panel}, // the exporter that serves the runbook is down
		{"http://mac-1:9955/runbook", down, panel},
		{"https://wiki.example/exo", down, "https://wiki.example/exo#" + down},
		{"https://wiki.example/exo", drop, "https://wiki.example/exo#" + drop},
	} {
		o := Options{GrafanaURL: "https://grafana.example/", RunbookURL: tt.runbook}
		if err := o.fill(); err != nil {
			t.Fatal(err)
		}
		if got := (signal{o, tt.alert}).Runbook(); got != tt.want {
			t.Errorf("with -runbook %q %s leads to %s, want %s", tt.runbook, tt.alert, got, tt.want)
		}
	}
}

// TestDashboardHasTheSectionAboutADeadExporter asserts that the link of that alert leads to its section.
func TestDashboardHasTheSectionAboutADeadExporter(t *testing.T) {
	all, err := grafana.Dashboards()
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(readRunbook(t), "## ExoBenchExporterDown ")
	section, _, _ = strings.Cut(section, " ## ")
	for _, d := range all {
		for _, p := range d.Panels {
			if link := fmt.Sprintf("/d/%s?viewPanel=%d", d.UID, p.ID); link != exporterDownPanel.path() {
				continue
			}
			if got := strings.Join(strings.Fields(p.Options.Content), " "); got != section || section == "" {
				t.Errorf("panel %q says %q, want the runbook's section: build the dashboards (grafana/README.md)", p.Title, got)
			}
			return
		}
	}
	t.Errorf("no dashboard has the panel that %s leads to", exporterDownPanel.path())
}

// TestRunbookHasEveryOutcome asserts that whoever is told that requests fail finds what to do, whatever they fail of.
func TestRunbookHasEveryOutcome(t *testing.T) {
	_, section, _ := strings.Cut(readRunbook(t), "## ExoBenchModelFailing ")
	section, _, _ = strings.Cut(section, " ## ")
	for _, o := range workload.Outcomes() {
		switch listed := strings.Contains(section, "`"+string(o)+"`"); {
		case o == workload.OutcomeOK, o == workload.OutcomeCanceled: // no failure of the model's
		case !listed:
			t.Errorf("the section about failing models says nothing of %s", o)
		}
	}
}
