package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/grafana"
	"exo-bench-exporter/workload"
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

// TestRunbookSaysWhatTheRulesDo holds the figures in the runbook against what the rules are made with.
func TestRunbookSaysWhatTheRulesDo(t *testing.T) {
	o := DefaultOptions()
	tuning := o.Tuning
	words := []string{"no", "one", "two", "three", "four"}
	text := readRunbook(t)
	for _, want := range []string{
		fmt.Sprintf("They begin after about %d good cycles (%.0f hours at the standard interval of %.0f minutes; ExoBenchThroughputCollapse "+
			"after 70)",
			o.Learning(), (time.Duration(o.Learning()) * o.Interval).Hours(), o.Interval.Minutes()),
		fmt.Sprintf("when %s cycles running lie more than %g times the model's noise (and at least %.1f %%) below its baseline",
			words[tuning.SlowCycles], tuning.SlowDeficit, 100*tuning.SlowDeficit*tuning.NoiseFloor),
		fmt.Sprintf("A smaller loss fires when the last %d cycles together", tuning.EvidenceWindow),
		fmt.Sprintf("when the medians of the last %d and of the last 3 cycles are back", tuning.EvidenceWindow),
		fmt.Sprintf(
			"lost more than %s of its speed in each of %s cycles running", o.Percent(1-tuning.CollapseRatio), words[tuning.CollapseCycles],
		),
		fmt.Sprintf("(%s or more) was slow in %d of the last %d cycles", words[tuning.NodeMinModels], tuning.SlowCycles, tuning.SlowWindow),
		fmt.Sprintf(
			"more than %s below the same day a week ago or %s below four weeks ago", o.Percent(tuning.DriftWeek), o.Percent(tuning.DriftMonth),
		),
		fmt.Sprintf("a rise of %s at least", o.Percent(tuning.SlowDeficit*tuning.LatencyNoiseFloor)),
		fmt.Sprintf("in the median of the last %s cycles (exo #752)", words[tuning.SlowWindow]),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the runbook does not say %q", want)
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
