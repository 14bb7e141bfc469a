package drill

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
	"exo-bench-exporter/grafana"
)

// phase is something that happens, and the one message that it must cause.
type phase struct {
	name string
	do   func() // nil for nothing
	// want is the message; nil for none at all, and until says then when the phase is over.
	want     *expected
	until    func() bool
	silenced []string      // alerts that may fire meanwhile without a message
	still    *expected     // alert that has been told of before and fires all the time; nil for none
	within   time.Duration // until the message comes
}

// expected is what a message must say.
type expected struct {
	name, severity, model, kind string
	summary, description        string // regular expressions
	status                      string // firing or resolved
}

func (e expected) firing() *expected   { e.status = "firing"; return &e }
func (e expected) resolved() *expected { e.status = "resolved"; return &e }

// String names the message.
func (e *expected) String() string {
	if e == nil {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", e.status, e.name, e.model))
}

// phase lets something happen, waits for the message and for a while after it, and asserts that
// it was the only one. The next phase begins where this one has looked last, so that no message
// escapes between two of them.
func (d *drill) phase(t *testing.T, p phase) {
	t.Helper()
	before, began := d.seen, time.Now()
	if p.do != nil {
		p.do()
	}
	happened := time.Now()
	told := func() bool { return len(d.heard(before, began)) > 0 }
	over := stack.Poll(t, p.within, 200*time.Millisecond, func() bool { return told() || p.want == nil && p.until() })
	came := time.Since(happened)
	if p.want != nil && over {
		d.quiet(t, before, began)
	}

	all := d.receiver.after(before)
	d.seen = before + len(all)
	got := d.meant(all, began)
	switch {
	case !over && p.want == nil:
		t.Errorf("%s: not over within %.0f s", p.name, came.Seconds())
	case !over:
		t.Errorf("%s: no message within %.0f s, want %v", p.name, came.Seconds(), p.want)
	case p.want != nil && len(got) == 1:
		t.Logf("%-24s %v after %.1f s, and nothing else in %.0f s", p.name+":", p.want, came.Seconds(), time.Since(got[0].at).Seconds())
		d.check(t, *p.want, got[0])
	case len(got) > 0:
		t.Errorf("%s: got %d messages, want %v", p.name, len(got), p.want)
	}
	d.checkFired(t, p, began)
	if t.Failed() {
		for _, n := range got {
			t.Logf("message %.1f s after the event: %s", n.at.Sub(happened).Seconds(), n.body)
		}
		d.showRules(t)
		t.FailNow()
	}
}

// quiet waits after the first message until another has come, or none for so long that none
// comes: some group intervals of Alertmanager, and some cycles where the exporter runs.
func (d *drill) quiet(t *testing.T, before int, began time.Time) {
	t.Helper()
	until := time.Now().Add(quiet)
	first, running := d.cycles()
	stack.Eventually(t, quiet+time.Minute, 200*time.Millisecond, "the exporter has gone on", func() bool {
		if len(d.heard(before, began)) > 1 {
			return true
		}
		now, _ := d.cycles()
		return time.Now().After(until) && (!running || now >= first+quietCycles)
	})
}

// cycles returns how many cycles the exporter has done; false when it is away.
func (d *drill) cycles() (n float64, running bool) {
	body, err := stack.Get(d.url("/metrics"))
	return cyclesDone(body), err == nil
}

// heard returns the messages after the first n by which a phase is judged that began at a time.
func (d *drill) heard(n int, began time.Time) []notification {
	return d.meant(d.receiver.after(n), began)
}

// meant leaves out what is about the machine that the drill runs on.
func (d *drill) meant(all []notification, began time.Time) []notification {
	return slices.DeleteFunc(slices.Clone(all), func(n notification) bool { return d.ofMachine(n.GroupLabels["alertname"], began) })
}

// ofMachine reports whether an alert since a time is about the machine that the drill runs on: see pace.
func (d *drill) ofMachine(alert string, since time.Time) bool {
	return alert == stale && d.pace.pausedSince(since.Add(-quiet)) // that it is over may be told in the next phase
}

// check asserts that a message says everything that it should, and nothing more.
func (d *drill) check(t *testing.T, want expected, n notification) {
	t.Helper()
	if len(n.Alerts) != 1 || n.Truncated != 0 || n.Status != want.status || n.Alerts[0].Status != want.status {
		t.Errorf("want a message of status %s with one alert", want.status)
		return
	}
	if got, want := n.GroupLabels, (map[string]string{
		"job": job, "instance": stack.Instance, "alertname": want.name,
	}); !maps.Equal(got, want) {
		t.Errorf("grouped by %v, want %v", got, want)
	}
	a := n.Alerts[0]
	labels := map[string]string{"alertname": want.name, "job": job, "instance": stack.Instance, "severity": want.severity}
	if want.model != "" {
		labels["model"] = want.model
	}
	if want.kind != "" {
		labels["kind"] = want.kind
	}
	if !maps.Equal(a.Labels, labels) {
		t.Errorf("labels are %v, want %v", a.Labels, labels)
	}
	if !regexp.MustCompile(want.summary).MatchString(a.Annotations["summary"]) {
		t.Errorf("summary is %q, want %s", a.Annotations["summary"], want.summary)
	}
	if !regexp.MustCompile(want.description).MatchString(a.Annotations["description"]) {
		t.Errorf("description is %q, want %s", a.Annotations["description"], want.description)
	}
	for name, text := range a.Annotations {
		if text == "" || strings.Contains(text, "<no value>") || strings.Contains(text, "<error") || strings.Contains(text, "NaN") {
			t.Errorf("annotation %s is %q", name, text)
		}
	}
	if a.Annotations["description"] == "" {
		t.Error("there is no description")
	}
	checkPanel(t, want, a.Annotations["dashboard_url"])
	d.checkRunbook(t, want.name, a.Annotations["runbook_url"])
}

// checkPanel asserts that a link opens a panel, for what the alert is about.
func checkPanel(t *testing.T, want expected, link string) {
	t.Helper()
	all, err := grafana.Dashboards()
	if err != nil {
		t.Fatal(err)
	}
	if _, p, err := grafana.Follow(all, link); err != nil || p.ID == 0 {
		t.Errorf("dashboard_url %s opens no panel: %v", link, err)
	}
	about := "&var-instance=" + url.QueryEscape(stack.Instance)
	if want.model != "" {
		about += "&var-model=" + url.QueryEscape(want.model)
	}
	if !strings.HasPrefix(link, "http://localhost:3000/d/") || !strings.HasSuffix(link, about) {
		t.Errorf("dashboard_url %s is not about %s", link, about)
	}
}

// checkRunbook asserts that a link leads to the section about an alert while that alert fires.
func (d *drill) checkRunbook(t *testing.T, alert, link string) {
	t.Helper()
	if alert == "ExoBenchExporterDown" { // which serves the runbook; Grafana shows the section then
		all, err := grafana.Dashboards()
		if err != nil {
			t.Fatal(err)
		}
		if _, p, err := grafana.Follow(all, link); err != nil || p.Title != "When the exporter is down" {
			t.Errorf("runbook_url %s of an exporter that is down opens panel %q: %v", link, p.Title, err)
		}
		return
	}
	anchor := strings.ToLower(alert)
	if want := d.url("/runbook#" + anchor); link != want {
		t.Errorf("runbook_url is %s, want %s", link, want)
	}
	if page, err := stack.Get(link); err != nil || !strings.Contains(string(page), fmt.Sprintf("id=%q", anchor)) {
		t.Errorf("the runbook has no section of %s: %v", alert, err)
	}
}

// job is the exporter's in the repository's prometheus.yml.
const job = "exo-bench-exporter"

// checkFired asserts that since a time no other alerts have fired than the one that the message
// was about and those that Alertmanager silences on its account.
func (d *drill) checkFired(t *testing.T, p phase, since time.Time) {
	t.Helper()
	now := time.Now()
	for _, s := range d.prometheus.Samples(t, now, `ALERTS{alertstate="firing"}[%dms]`, now.Sub(since).Milliseconds()) {
		name, model := string(s.Metric["alertname"]), string(s.Metric["model"])
		is := func(e *expected) bool { return e != nil && name == e.name && model == e.model }
		meant := is(p.want) || is(p.still)
		silenced := slices.Contains(p.silenced, name) && (p.want.model == "" || p.want.model == model)
		switch {
		case meant:
		case silenced:
			t.Logf("%-24s %s %s fired too and was silenced", p.name+":", name, model)
		case d.ofMachine(name, since):
			t.Logf("%-24s %s fired too: for two intervals no cycle ended", p.name+":", name)
		default:
			t.Errorf("%s: unexpectedly %v fired, from %v to %v", p.name, s.Metric,
				s.Values[0].Timestamp.Time(), s.Values[len(s.Values)-1].Timestamp.Time())
		}
	}
}

// showRules logs what the exporter says and the rules make of it.
func (d *drill) showRules(t *testing.T) {
	t.Helper()
	for _, query := range []string{
		`exobench_judge_learning`, `exobench_speed_alarm == 1`, `exobench_speed_alarm_shared`, `exobench_speed_change_ratio`,
		`exobench_speed_change_evidence`, `exobench_speed_noise_ratio`, `exobench:speed:alarm`, `exobench_exo_up`, `up`, `exobench_model_up`,
		`ALERTS`,
	} {
		value, _, _, err := d.prometheus.API.Query(t.Context(), query, time.Now())
		t.Logf("%s:\n%v %v", query, value, err)
	}
}
