package exporter

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"exo-bench-exporter/workload/judge"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	//go:embed agent.html
	agentHTML string

	// pagePolicy allows the page's own style and nothing else.
	pagePolicy = nothingAllowed + "; style-src 'sha256-" + base64Sum(pageCSS) + "'"

	pageTemplate  = parsePage("page", pageHTML)
	agentTemplate = parsePage("agent", agentHTML)
)

func base64Sum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func parsePage(name, html string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{
		"css":      func() template.CSS { return template.CSS(pageCSS) },
		"clock":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"round":    roundDuration,
		"millis":   formatMillis,
		"seconds":  func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) },
		"moment":   newMoment,
		"failed":   func(d pageData, f Failure) moment { return newMoment(d, f.Last, f.Records...) },
		"rate":     formatRate,
		"joules":   formatJoules,
		"percent":  formatPercent,
		"speed":    judge.Remarks,
		"changed":  changed,
		"change":   formatChange,
		"spark":    newSpark,
		"next":     func(n int) int { return n + 1 },
		"tone":     tone,
		"bytes":    formatBytes,
		"size":     func(b uint64) string { return formatBytes(&b) },
		"shortSHA": func(s string) string { return s[:min(len(s), 12)] },
	}).Parse(html))
}

// PageSource holds what a status page shows.
type PageSource interface {
	// view returns the page's template and the data for it.
	view(now time.Time) (*template.Template, any)
}

func (s *Store) view(now time.Time) (*template.Template, any) {
	return pageTemplate, pageData{State: s.State(), Version: Version(), Now: now}
}

// page is the status page: what the exporter does and how it went, for a browser without Grafana.
type page struct {
	shown PageSource
	now   func() time.Time
	log   *slog.Logger
}

// pageData is what page.html shows.
type pageData struct {
	State
	Version string
	Now     time.Time
}

// moment is a time that the page shows, and the record that it leads to.
type moment struct {
	At     time.Time
	Ago    string
	Record string // id; empty for none
}

func newMoment(d pageData, at time.Time, ids ...string) moment {
	return moment{at, d.Ago(at), slices.Concat(ids, []string{""})[0]}
}

// Ago returns how long before Now t was, rounded for people.
func (d pageData) Ago(t time.Time) string { return ago(d.Now, t) }

func ago(now, t time.Time) string { return roundDuration(max(0, now.Sub(t))) + " ago" }

func (p *page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	t, data := p.shown.view(p.now())
	if err := t.Execute(&b, data); err != nil {
		p.log.Error("Cannot show the status page", "err", err)
		http.Error(w, "The status page cannot be shown; the log says why.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

// changed returns what there is to say of the node's speed; nothing where nothing changed.
func changed(verdicts []judge.Verdict, now time.Time) []judge.Remark {
	return slices.DeleteFunc(judge.Remarks(verdicts, now), func(r judge.Remark) bool { return r.Tone == judge.Good || r.Tone == judge.Unsure })
}

// tone returns the class of what is said.
func tone(r judge.Remark) string {
	return map[judge.Tone]string{judge.Good: "good", judge.Bad: "bad", judge.Unsure: "dim", judge.Note: "dim"}[r.Tone]
}

// unknown stands in the page for a figure that is not known.
const unknown = "–"

func formatMillis(d *time.Duration) string {
	if d == nil {
		return unknown
	}
	ms := float64(*d) / float64(time.Millisecond)
	if ms >= 100 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}

func formatRate(r *float64) string {
	if r == nil {
		return unknown
	}
	return fmt.Sprintf("%.1f", *r)
}

func formatJoules(j *float64) string {
	if j == nil {
		return unknown
	}
	return fmt.Sprintf("%.2f", *j)
}

func formatPercent(ratio *float64) string {
	if ratio == nil {
		return unknown
	}
	return fmt.Sprintf("%.0f %%", 100**ratio)
}

func formatBytes(b *uint64) string {
	if b == nil {
		return unknown
	}
	const mib, gib = 1 << 20, 1 << 30
	if *b >= gib {
		return fmt.Sprintf("%.2f GiB", float64(*b)/gib)
	}
	return fmt.Sprintf("%.0f MiB", float64(*b)/mib)
}

// roundDuration returns d to the second from a second on, to the millisecond below.
func roundDuration(d time.Duration) string {
	if d >= time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}
