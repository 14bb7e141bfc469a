package grafana_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/grafana"
)

// ruleFile is what the tests read of prometheus/rules/exobench.yml.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Record, Alert       string
			Labels, Annotations map[string]string
		}
	}
}

func alertRules(t *testing.T) ruleFile {
	t.Helper()
	text, err := os.ReadFile("../prometheus/rules/exobench.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

var (
	choice   = regexp.MustCompile(`\{\{ if \$labels\.model \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}`)
	instance = regexp.MustCompile(`\{\{ with \$labels\.instance \}\}(.*?)\{\{ \. \| urlquery \}\}\{\{ end \}\}`)
	model    = regexp.MustCompile(`\{\{ with \$labels\.model \}\}(.*?)\{\{ \. \| urlquery \}\}\{\{ end \}\}`)
)

// branches returns what a dashboard_url becomes of an alert about a model and of one about none.
func branches(url string) []string {
	url = instance.ReplaceAllString(url, "${1}x")
	return []string{
		model.ReplaceAllString(choice.ReplaceAllString(url, "$1"), "${1}x"),
		model.ReplaceAllString(choice.ReplaceAllString(url, "$2"), ""),
	}
}

// TestEveryAlertOpensAPanel follows the links of every alert to a panel, and those of the list of alerts on the overview
// to the same.
func TestEveryAlertOpensAPanel(t *testing.T) {
	all := load(t)
	opened, told := map[string]map[string]bool{}, map[string]map[string]bool{}
	note := func(where map[string]map[string]bool, alert, panel string) {
		if where[alert] == nil {
			where[alert] = map[string]bool{}
		}
		where[alert][panel] = true
	}
	for _, group := range alertRules(t).Groups {
		for _, rule := range group.Rules {
			if rule.Record == "exobench:alert:info" {
				link := "/d/" + rule.Labels["dashboard"] + "?viewPanel=" + rule.Labels["panel"]
				d, p, err := grafana.Follow(all, link)
				if err != nil {
					t.Errorf("%s: %v", rule.Labels["alertname"], err)
				}
				note(told, rule.Labels["alertname"], d.UID+" "+p.Title)
				if rule.Labels["summary"] == "" || rule.Labels["anchor"] != strings.ToLower(rule.Labels["alertname"]) {
					t.Errorf("%s: labels %v", rule.Labels["alertname"], rule.Labels)
				}
			}
			if rule.Alert == "" {
				continue
			}
			for _, link := range branches(rule.Annotations["dashboard_url"]) {
				d, p, err := grafana.Follow(all, link)
				if err != nil || p.ID == 0 || strings.Contains(link, "{{") {
					t.Errorf("%s: %s opens panel %q: %v", rule.Alert, link, p.Title, err)
				}
				note(opened, rule.Alert, d.UID+" "+p.Title)
			}
		}
	}
	if len(opened) < 15 {
		t.Errorf("only %d alerts", len(opened))
	}
	for alert, panels := range opened {
		for panel := range panels {
			if !told[alert][panel] {
				t.Errorf("%s opens %s, and the list of alerts leads to %v", alert, panel, told[alert])
			}
		}
	}
	for alert := range told {
		if opened[alert] == nil {
			t.Errorf("the rules tell of an alert %s, which they do not have", alert)
		}
	}
}

// TestEveryLinkLeadsSomewhere follows the links in what people read: to dashboards and panels, to other files, and to
// headings of the runbook.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all, found := load(t), 0
	markdown := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inGrafana := regexp.MustCompile(`https?://[^\s)"'<>]+/d/exobench-[^\s)"'<>` + "`" + `]*`)
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../README.md", "README.md", "../prometheus/RUNBOOK.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range inGrafana.FindAllString(string(text), -1) {
			found++
			if _, _, err := grafana.Follow(all, link); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		for _, m := range markdown.FindAllStringSubmatch(string(text), -1) {
			path, _, _ := strings.Cut(m[1], "#")
			if path == "" || strings.Contains(path, "://") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), path)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d links", found)
	}
}

func TestFollow(t *testing.T) {
	all := load(t)
	var any grafana.Panel
	for _, p := range all[0].Panels {
		if p.Type != "row" {
			any = p
		}
	}
	base := "https://grafana.example/sub/d/" + all[0].UID
	for link, want := range map[string]int{base: 0, base + "?var-instance=x": 0, base + "?viewPanel=" + strconv.Itoa(any.ID): any.ID} {
		if _, p, err := grafana.Follow(all, link); err != nil || p.ID != want {
			t.Errorf("%s: panel %d, %v; want %d", link, p.ID, err, want)
		}
	}
	for _, link := range []string{
		"https://grafana.example/d/none", "https://grafana.example/" + all[0].UID, base + "?viewPanel=0", base + "?viewPanel=x",
		base + "?var-none=1", "%",
	} {
		if _, _, err := grafana.Follow(all, link); err == nil {
			t.Errorf("%s: no error", link)
		}
	}
}
