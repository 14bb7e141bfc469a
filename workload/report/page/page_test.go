package page_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/report"
	"exo-bench-exporter/workload/report/page"
)

var update = flag.Bool("update", false, "write the golden file anew")

func turns(t *testing.T) (all []record.Record) {
	t.Helper()
	if _, err := record.EachTurnIn(filepath.Join("testdata", "exo-1.0.71.jsonl"), func(r record.Record) error {
		all = append(all, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func written(t *testing.T, all []record.Record) string {
	t.Helper()
	r, err := report.Of(all, report.Options{Program: "test", Again: []string{"exo-bench-exporter report results.jsonl"}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := page.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRecorded holds the page of a run of a real exo 1.0.71, whose weights were small stand-ins.
func TestRecorded(t *testing.T) {
	got := written(t, turns(t))
	golden := filepath.Join("testdata", "exo-1.0.71.html")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("the page is another one: look at it, then go test ./workload/report/page -update")
	}
	if strings.Contains(got, "SIMULATED") {
		t.Error("a real run is called simulated")
	}
}

// outside is what a page that needs nothing else does not have.
var outside = regexp.MustCompile(`(?i)<script|<link|<img|<iframe|\bsrc=|@import|url\(|\son\w+=`)

// TestNothingElse asserts that a page needs nothing from outside, and shows nothing of where it was measured: whatever the records
// say of that is in no page. What a model or a kind is called is text.
func TestNothingElse(t *testing.T) {
	all := turns(t)
	for i := range all {
		turn := all[i].Turn
		turn.Start = turn.Start.Add(time.Duration(i) * time.Hour)
		all[i].Target = "http://secret.local:52415"
		all[i].Simulated = true
		turn.Model += "<script>"
		turn.ExoModel, turn.Reason, turn.Fix = "/Users/secret/model", "secret", "secret"
		turn.Outcome = workload.TurnPartial
		for k := range turn.Results {
			r := &turn.Results[k]
			r.Model, r.ExoModel, r.Answered, r.ResponseID = turn.Model, "/Users/secret/model", "secret", "secret"
			r.Kind += "<img>"
			if k%2 == 0 {
				r.Outcome, r.Err = workload.OutcomeHTTPError, "http://secret.local"
			}
		}
	}
	got := written(t, all)
	if found := outside.FindString(got); found != "" {
		t.Errorf("there is a %q", found)
	}
	if i := strings.Index(got, "secret"); i >= 0 {
		t.Errorf("something leaks: %q", got[max(0, i-100):i+100])
	}
	if banner := `<p class="banner"><strong>SIMULATED</strong>`; !strings.Contains(got, banner) || strings.Contains(got, "http://") {
		t.Error("there is no banner, or an address")
	}
	if got != written(t, all) {
		t.Error("the same records make two pages")
	}
}

type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	if err := page.Write(full{}, report.Report{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
