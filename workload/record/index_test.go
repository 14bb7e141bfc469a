package record

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// allIDs returns the ids of all pages.
func allIDs(t *testing.T, k *Keeper) (ids []string) {
	t.Helper()
	for before := ""; ; {
		page, next, err := k.Page(before, 3)
		noError(t, err)
		ids = append(ids, pageIDs(t, page)...)
		if before = next; next == "" {
			return ids
		}
	}
}

// After a restart pages lead to what was kept before, through all files, and what is written then comes first.
func TestPagesOverARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.jsonl")
	o := Options{Path: path, MaxBytes: files * 2048, Source: func() Source { return Source{} }}
	var want []string
	write := func(k *Keeper, from, to int) {
		for i := from; i < to; i++ {
			r := workload.Result{Model: "m", Prompt: "p", Start: time.Unix(int64(i), 0).UTC(), Outcome: workload.OutcomeOK}
			k.write(k.o.Source().ofResult(0, r))
			want = slices.Insert(want, 0, ResultID(r))
		}
	}
	first := NewKeeper(o)
	write(first, 0, 15)
	first.log.close()
	if _, err := os.Stat(nth(path, 2)); err != nil {
		t.Fatalf("there are too few files to be tried: %v", err)
	}

	second := NewKeeper(o)
	second.recall(t.Context())
	if got := allIDs(t, second); !slices.Equal(got, want) {
		t.Errorf("after a restart: %q, want %q", got, want)
	}
	write(second, 15, 22) // beyond a rotation
	defer second.log.close()
	if got := allIDs(t, second); !slices.Equal(got, want) {
		t.Errorf("after more records: %q, want %q", got, want)
	}
	line, err := second.Find(want[len(want)-1])
	var oldest Record
	if err != nil || json.Unmarshal(line, &oldest) != nil || oldest.ID != want[len(want)-1] {
		t.Errorf("the oldest is %s, %v", line, err)
	}
}

// What is no record is passed over, and of those that are the newest are known.
func TestIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.jsonl")
	long := `{"schema":1,"id":"long","x":"` + strings.Repeat("x", 200_000) + `"}`
	noError(t, os.WriteFile(nth(path, 1), []byte(`{"schema":1,"id":"oldest"}`+"\n"+`{"schema":1,"id":"old"}`+"\n"), 0o600))
	noError(t, os.WriteFile(path, []byte(strings.Join([]string{
		"not JSON", "", `{"schema":9,"id":"newer"}`, `{"id":"of no schema"}`, `["schema",1,"id","list"]`, `{"schema":1,"id":7}`,
		long, `{"schema":1,"id":"old"}`, `{"schema":1,"id":"new"}`, `{"schema":1,"id":"broken of`,
	}, "\n")), 0o600))
	l := log{path: path}
	ids := func(most int) (ids []string) {
		all, err := l.index(t.Context(), most)
		noError(t, err)
		for _, e := range all {
			ids = append(ids, e.id)
			line, err := l.read(e.at)
			if err != nil || !bytes.Contains(line, []byte(`"id":"`+e.id+`"`)) || !bytes.HasSuffix(line, []byte("\n")) {
				t.Errorf("%s is %.80s, %v", e.id, line, err)
			}
		}
		return ids
	}
	for most, want := range map[int][]string{
		1: {"new"}, 3: {"long", "old", "new"}, 4: {"old", "long", "old", "new"}, 100: {"oldest", "old", "long", "old", "new"},
	} {
		if got := ids(most); !slices.Equal(got, want) {
			t.Errorf("at most %d: %q, want %q", most, got, want)
		}
	}
	// One id twice is one record.
	k := NewKeeper(Options{Path: path, MaxBytes: 1 << 20})
	k.recall(t.Context())
	if want := []string{"oldest", "old", "long", "new"}; !slices.Equal(k.order, want) {
		t.Errorf("known are %q, want %q", k.order, want)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if all, err := l.index(stopped, 100); len(all) > 0 || err != nil {
		t.Errorf("of a program that ends: %v, %v", all, err)
	}
}

// What somebody has put in the place of a record is not shown as one.
func TestOtherFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.jsonl")
	noError(t, os.WriteFile(path, []byte(`{"schema":1,"id":"a"}`+"\n"), 0o600))
	k := NewKeeper(Options{Path: path, MaxBytes: 1 << 20})
	k.recall(t.Context())
	noError(t, os.WriteFile(path, []byte(strings.Repeat("other text, ", 10)), 0o600))
	if line, err := k.Find("a"); err == nil {
		t.Errorf("a is %s", line)
	}
	if page, _, err := k.Page("", 10); err == nil {
		t.Errorf("the page is %s", page)
	}
}
