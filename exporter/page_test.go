package exporter

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// showPage returns the status page of s, five minutes after epoch.
func showPage(t *testing.T, s PageSource) string {
	t.Helper()
	p := page{shown: s, now: func() time.Time { return epoch.Add(5 * time.Minute) }, log: quiet}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(
		w.Header().Get("Content-Security-Policy"), "default-src 'none'",
	) {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	_, style, _ := strings.Cut(w.Body.String(), "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "'sha256-"+base64Sum(style)+"'") {
		t.Error("the page's policy does not allow the page's style")
	}
	return w.Body.String()
}

func expectPage(t *testing.T, html string, want, unwanted []string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(html, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	for _, s := range unwanted {
		if strings.Contains(html, s) {
			t.Errorf("the page has %q", s)
		}
	}
	if t.Failed() {
		t.Log(html[strings.Index(html, "<main>"):])
	}
}

func TestPageAtTheStart(t *testing.T) {
	expectPage(t, showPage(t, NewStore(testOptions())),
		[]string{"not asked yet", "waiting for the first cycle", "not measured yet", "test-1", "None."},
		[]string{"SIMULATED"})
}

func TestPageShowsFigures(t *testing.T) {
	s := NewStore(testOptions())
	s.SetStatus(workload.Status{Up: true, Dialect: workload.DialectExo1})
	s.CycleStarted(0, testOptions().Models, epoch)
	goodTurn(s, "llama-3.2-1b")
	s.CycleDone(workload.Cycle{Number: 0, Start: epoch, Duration: 63 * time.Second, Outcome: workload.TurnOK})
	s.CycleStarted(1, testOptions().Models, epoch)
	s.TurnStarted("mistral-7b", epoch)
	s.RequestDone(failedResult("mistral-7b", "short", workload.OutcomeTruncated))
	expectPage(t, showPage(t, s),
		[]string{
			`<span class="good">up</span>`, "exo1", "200 ms", "100.0", "104.0", "10.0 ms", "858 MiB", "954 MiB", "2/2", "5m0s ago",
			"number 0, ", "took 1m3s", "2026-07-01 12:00:00 UTC",
			"cycle 1, 0 of 2 turns complete; <strong>mistral-7b</strong> is measured, 1 requests complete",
			"truncated", "it went wrong", `href="metrics"`,
		}, []string{"None."})
}

func TestPageSaysSimulated(t *testing.T) {
	opts := testOptions()
	opts.Simulated = true
	expectPage(t, showPage(t, NewStore(opts)), []string{"<strong>SIMULATED</strong>", "<title>SIMULATED"}, nil)
}

func TestPageEscapesForeignText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'&`
	opts := testOptions()
	opts.Target = "http://user:hunter2@" + evil
	s := NewStore(opts)
	s.SetStatus(workload.Status{Dialect: evil, Err: errors.New(evil)})
	s.CycleStarted(0, opts.Models, epoch)
	r := failedResult("mistral-7b", evil, workload.OutcomeHTTPError)
	r.Err = evil
	s.RequestDone(r)
	turn := turnOf("mistral-7b", workload.TurnFailed)
	turn.Reason, turn.ExoModel = evil, evil
	s.TurnDone(turn)
	expectPage(t, showPage(t, s),
		[]string{`<span class="bad">down</span>`, "&lt;script&gt;alert(1)&lt;/script&gt;"},
		[]string{"<script", "hunter2"})
}

func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		formatMillis(nil): "–",
		formatMillis(ptr(1234567 * time.Nanosecond)): "1.2 ms",
		formatMillis(ptr(12345 * time.Millisecond)):  "12345 ms",
		formatRate(nil):                        "–",
		formatRate(ptr(48.04)):                 "48.0",
		formatBytes(nil):                       "–",
		formatBytes(ptr(uint64(5 << 20))):      "5 MiB",
		formatBytes(ptr(uint64(5 << 30))):      "5.00 GiB",
		roundDuration(1499 * time.Millisecond): "1s",
		roundDuration(1499 * time.Microsecond): "1ms",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
