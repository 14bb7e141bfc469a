package prometheus

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRunbookHasTheAnchorsOfAlerts(t *testing.T) {
	w := httptest.NewRecorder()
	RunbookHandler().ServeHTTP(w, httptest.NewRequest("GET", "/runbook", nil))
	page := w.Body.String()
	for _, want := range []string{
		`<strong id="exobenchthroughputdrop">## ExoBenchThroughputDrop</strong>`,
		"EXOBENCH_MODELS=mistral-7b=&lt;id&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}
