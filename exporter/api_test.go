package exporter

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// pages are Results of ids a, b and c, newest first.
type pages struct{ err error }

func (p pages) Page(before string, limit int) ([]json.RawMessage, string, error) {
	all := []string{"a", "b", "c"}
	switch before {
	case "":
	case "a", "b", "c":
		all = all[strings.Index("abc", before)+1:]
	default:
		return nil, "", os.ErrNotExist
	}
	next := ""
	if len(all) > limit {
		all, next = all[:limit], all[limit-1]
	}
	page := []json.RawMessage{}
	for _, id := range all {
		page = append(page, json.RawMessage(`{"id":"`+id+`"}`))
	}
	return page, next, p.err
}

func askAPI(t *testing.T, s *Store, results Results, path string) (int, string) {
	t.Helper()
	front := NewFront(prometheus.NewRegistry(), s, slog.New(slog.DiscardHandler))
	NewAPI(s, results).Mount(front)
	w := httptest.NewRecorder()
	front.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if strings.HasSuffix(path, ".yaml") {
		return w.Code, w.Body.String()
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: headers %v", path, w.Header())
	}
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestAPIPages(t *testing.T) {
	const unmeasured = `"last":null,"against_day_before":null,"day":[],"speed":[]`
	s := NewStore(testOptions())
	for path, want := range map[string]string{
		"results":                   `{"items":[{"id":"a"},{"id":"b"},{"id":"c"}],"next":null}`,
		"results?limit=2":           `{"items":[{"id":"a"},{"id":"b"}],"next":"b"}`,
		"results?limit=2&before=b":  `{"items":[{"id":"c"}],"next":null}`,
		"results?before=c":          `{"items":[],"next":null}`,
		"results?before=x":          `404 {"error":"before: there is no such record among those that are known"}`,
		"results?limit=0":           `400 {"error":"limit: want a number from 1 to 100"}`,
		"results?limit=101":         `400 {"error":"limit: want a number from 1 to 100"}`,
		"results?limit=x":           `400 {"error":"limit: want a number from 1 to 100"}`,
		"results?model=m":           `400 {"error":"there are limit and before, and no other parameter"}`,
		"models?after=x":            `404 {"error":"after: there is no such model"}`,
		"models?limit=-1":           `400 {"error":"limit: want a number from 1 to 100"}`,
		"models?after=llama-3.2-1b": `{"items":[{"model":"mistral-7b",` + unmeasured + `}],"next":null}`,
		"models?limit=1":            `{"items":[{"model":"llama-3.2-1b",` + unmeasured + `}],"next":"llama-3.2-1b"}`,
	} {
		status, body := askAPI(t, s, pages{}, apiPath+path)
		code, text, refused := strings.Cut(want, " ")
		if !refused || strings.HasPrefix(want, "{") {
			code, text = "200", want
		}
		if http.StatusText(status) == "" || body != text || code[0] != byte('0'+status/100) {
			t.Errorf("%s: %d %s, want %s", path, status, body, want)
		}
	}
	if status, body := askAPI(t, s, nil, apiPath+"results"); status != http.StatusNotFound || !strings.Contains(body, "EXOBENCH_RESULTS") {
		t.Errorf("without records: %d %s", status, body)
	}
	if status, body := askAPI(t, s, pages{errors.New("disk /secret")}, apiPath+"results"); status != http.StatusInternalServerError ||
		strings.Contains(body, "secret") {
		t.Errorf("of records that cannot be read: %d %s", status, body)
	}
	if status, body := askAPI(t, s, nil, apiPath+"openapi.yaml"); status != http.StatusOK || !strings.HasPrefix(body, "openapi: 3.1.0\n") {
		t.Errorf("description: %d %.40s", status, body)
	}
}

// The address is told without its password, and what a node says is as bounded as on the page.
func TestAPIHidesSecrets(t *testing.T) {
	opts := testOptions()
	opts.Target = "http://user:hunter2@localhost"
	s := NewStore(opts)
	s.SetStatus(workload.Status{Err: errors.New(strings.Repeat("x", 10*maxReason))})
	status, body := askAPI(t, s, nil, apiPath+"status")
	if status != http.StatusOK || strings.Contains(body, "hunter2") || len(body) > 3*maxReason {
		t.Errorf("%d, %d bytes: %.300s", status, len(body), body)
	}
}
