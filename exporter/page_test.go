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
			`<td class="n">0</td>`, `<td class="n">1m3s</td>`, "2026-07-01 12:00:00 UTC",
			"model 1 of 2, <strong>mistral-7b</strong>: prompt 2 of 2, 0 tokens so far", `<progress value="1" max="2">`,
			"truncated", "it went wrong", `href="metrics"`,
		}, []string{"None."})
}

// A load shows how far it has come, and what cannot be served is shown with the command that mends it.
func TestPageShowsLoadsAndFixes(t *testing.T) {
	s := NewStore(testOptions())
	turn := turnOf("llama-3.2-1b", workload.TurnUnavailable)
	turn.Reason, turn.Fix = "not in the catalogue", `curl -d '{"model_id":"a"}' http://localhost:52415/models/add`
	s.CycleStarted(1, testOptions().Models, epoch)
	s.TurnDone(turn)
	s.TurnStarted("mistral-7b", epoch)
	s.Loading(Loading{Stage: "downloading", Done: 3 << 29, Total: 4 << 30, Bytes: true, BytesPerSecond: 95e6, Elapsed: 16 * time.Second})
	expectPage(t, showPage(t, s), []string{
		"model 2 of 2, <strong>mistral-7b</strong>: downloading, 1.61 of 4.29 GB at 95.0 MB/s, for 16s",
		`<progress value="1610612736" max="4294967296">`, "not in the catalogue",
		`>curl -d &#39;{&#34;model_id&#34;:&#34;a&#34;}&#39; http://localhost:52415/models/add</pre>`,
	}, nil)
	turn.Fix = strings.Repeat("x", maxFix+1)
	s.TurnDone(turn)
	expectPage(t, showPage(t, s), nil, []string{"<pre"})
}

// A day of turns is drawn, and the last one compared with it.
func TestPageShowsADay(t *testing.T) {
	s := NewStore(testOptions())
	for i := range 6 {
		turn := turnOf("mistral-7b", workload.TurnOK, okResult("mistral-7b", "long"))
		turn.Start = epoch.Add(time.Duration(i-5) * time.Hour)
		if i == 5 {
			turn.Results[0].Server = nil // which would not agree
			turn.Results[0].Decode = turn.Results[0].Decode * 5 / 4
		}
		s.TurnDone(turn)
	}
	expectPage(t, showPage(t, s), []string{
		`<title>tok/s from 80.0 to 100.0 in 5h0m0s</title><polyline points="3.0,3.0 25.8,3.0`, `117.0,25.0"/><circle cx="117.0" cy="25.0"`,
		`<span class="dim">-20.0 %</span>`, `<span class="dim">&#43;0.0 %</span>`,
	}, nil)
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
