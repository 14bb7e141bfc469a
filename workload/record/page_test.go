package record

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

func pageIDs(t *testing.T, page []json.RawMessage) (ids []string) {
	t.Helper()
	for _, line := range page {
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

// Pages lead from the newest record to the oldest that is kept still.
func TestPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.jsonl")
	k := NewKeeper(Options{Path: path, MaxBytes: 1 << 20, Source: func() Source { return Source{} }})
	if page, next, err := k.Page("", 10); err != nil || next != "" || len(page) != 0 || page == nil {
		t.Errorf("of nothing: %v %q %v", page, next, err)
	}
	var want []string
	for i := range 5 {
		r := workload.Result{Model: "m", Prompt: "p", Start: time.Unix(int64(i), 0).UTC(), Outcome: workload.OutcomeOK}
		k.write(k.o.Source().ofResult(0, r))
		want = slices.Insert(want, 0, ResultID(r))
	}
	defer k.log.close()
	var got []string
	for before, pages := "", 0; ; pages++ {
		page, next, err := k.Page(before, 2)
		if err != nil || pages > 3 {
			t.Fatal(pages, err)
		}
		got = append(got, pageIDs(t, page)...)
		if before = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, _, err := k.Page("nonesuch", 2); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before no record: %v", err)
	}
}

// A page ends where it gets long, and where records were rotated away.
func TestPagesAreBounded(t *testing.T) {
	k := NewKeeper(Options{Path: filepath.Join(t.TempDir(), "r.jsonl"), MaxBytes: 64 << 20, Source: func() Source { return Source{} }})
	defer k.log.close()
	long := make([]time.Duration, 200_000)
	for i := range 4 {
		k.write(k.o.Source().ofResult(0, workload.Result{
			Model: "m", Prompt: "p", Start: time.Unix(int64(i), 0), Outcome: workload.OutcomeOK, Timed: true, Gaps: long,
		}))
	}
	size := k.known[k.order[0]].length
	page, next, err := k.Page("", 100)
	if err != nil || len(page) != (maxPage+size-1)/size || next == "" {
		t.Errorf("%d records of %d bytes, next %q, %v", len(page), size, next, err)
	}
	k.log.generation += files
	if page, next, err = k.Page("", 100); err != nil || len(page) != 0 || next != "" {
		t.Errorf("of what was rotated away: %d records, next %q, %v", len(page), next, err)
	}
}
