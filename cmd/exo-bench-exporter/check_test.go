package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/exo"
)

// What a node says makes no line of its own, moves no cursor, and does not fill the screen.
func TestCheckPrintsForeignText(t *testing.T) {
	var b buffer
	l := &checklist{}
	l.node(exo.Report{URL: "http://a", Dialect: "openai", Endpoint: "v1", Models: []exo.ModelReport{
		{Model: "m", ID: "x\x1b[2J\nok    forged         all is well\x07", Servable: true, Note: strings.Repeat("long ", 1_000_000)},
	}}, false)
	noError(t, l.print(&b, false))
	out := b.String()
	if strings.ContainsAny(out, "\x1b\x07") || strings.Contains(out, "\nok    forged") || len(out) > 2000 || strings.Count(out, "\n") != 3 {
		t.Errorf("%d bytes: %.600q", len(out), out)
	}
}

// What is wrong stands first, with the command that mends it as it is to be typed; programs get the same as JSON.
func TestCheckSaysWhatIsWrongFirst(t *testing.T) {
	const fix = `curl -X POST -d '{"model_id":"a/b"}' http://a/models/add`
	l := &checklist{}
	l.ok("configuration", "five models")
	l.node(exo.Report{URL: "http://a", Dialect: "exo1", Endpoint: "v1", Models: []exo.ModelReport{
		{Model: "there", ID: "a/a", Servable: true},
		{Model: "missing", ID: "a/b", Note: "not in the catalogue", Fix: fix},
		{Model: "endless", ID: "a/c", Fix: strings.Repeat("x", maxNote+1)},
	}}, false)
	var b, j buffer
	noError(t, l.print(&b, false))
	const want = `FAIL  missing        as a/b; not in the catalogue
                     ` + fix + `
FAIL  endless        as a/c
ok    configuration  five models
ok    exo            answers at http://a in 0s
ok    dialect        exo1; prompts go to v1
ok    there          as a/a
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	noError(t, l.print(&j, true))
	var doc struct {
		Version string
		OK      *bool
		Found   []finding
	}
	noError(t, json.Unmarshal([]byte(j.String()), &doc))
	if doc.Version == "" || doc.OK == nil || *doc.OK || len(doc.Found) != 6 || doc.Found[0].Fix != fix || doc.Found[0].OK || !doc.Found[2].OK {
		t.Errorf("document %s", j.String())
	}
}

// What a server sends behind its answers net/http writes to the log of its own.
func TestWhatComesUnaskedIsNotShown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}a s3cret of the model")
		_, _ = io.Copy(io.Discard, c) // until the client has hung up
		_ = c.Close()
	}))
	defer srv.Close()
	self, err := os.Executable()
	noError(t, err)
	cmd := exec.Command(self, "check")
	cmd.Env = []string{asProgram + "=1", "HOME=" + t.TempDir(), exporter.EnvPrefix + "EXO_URL=" + srv.URL}
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); !failed || strings.Contains(string(out), "s3cret") || !strings.Contains(string(out), srv.URL) {
		t.Errorf("%v: %s", err, out)
	}
}
