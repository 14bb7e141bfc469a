package prometheus

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func serveRunbook(t *testing.T) (page string, policy string) {
	t.Helper()
	w := httptest.NewRecorder()
	RunbookHandler().ServeHTTP(w, httptest.NewRequest("GET", "/runbook", nil))
	if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	return w.Body.String(), w.Header().Get("Content-Security-Policy")
}

func TestRunbookIsRendered(t *testing.T) {
	page, _ := serveRunbook(t)
	for _, want := range []string{
		`<h2 id="exobenchthroughputdrop">ExoBenchThroughputDrop</h2>`, // where runbook_url leads
		`<li><a href="#exobenchthroughputdrop">ExoBenchThroughputDrop</a></li>`,
		"<code>EXOBENCH_MODELS=mistral-7b=&lt;id&gt;</code>",
		"<td><code>model_mismatch</code></td>", // tables
		`<pre><code class="language-sh">`,      // commands to copy
		"<ol>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	for _, left := range []string{"## ", "| --- |", "```", "<!-- raw HTML omitted -->"} {
		if strings.Contains(page, left) {
			t.Errorf("the page contains %q", left)
		}
	}
}

// TestRunbookLinksLeadSomewhere asserts that every link within the page has its target.
func TestRunbookLinksLeadSomewhere(t *testing.T) {
	page, _ := serveRunbook(t)
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < len(runbookAlerts()) {
		t.Fatalf("%d links", len(links))
	}
	for _, l := range links {
		anchor, within := strings.CutPrefix(l[1], "#")
		switch {
		case within && !strings.Contains(page, `id="`+anchor+`"`):
			t.Errorf("nothing on the page has the anchor %s", l[1])
		case !within && !strings.HasPrefix(l[1], "http"):
			t.Errorf("%s leads to a file that the exporter does not serve", l[1])
		}
	}
}

// TestRunbookKeepsItsPolicy asserts that a browser which obeys the page's policy shows it as it is meant.
func TestRunbookKeepsItsPolicy(t *testing.T) {
	page, policy := serveRunbook(t)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil || !strings.Contains(style[1], "h2:target") {
		t.Fatalf("no style in the page")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
		t.Errorf("policy %q does not allow the page's style by %q", policy, want)
	}
	if !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("policy %q does not begin with nothing allowed", policy)
	}
	for _, forbidden := range []string{" style=", "<script", "<img", "<link", "<iframe", " onclick"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page contains %q, which its policy forbids", forbidden)
		}
	}
}
