package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept is a Keeper that runs, in a bubble.
type kept struct {
	*Keeper
	path    string
	dropped int
	log     bytes.Buffer
	end     func()
}

func startKeeper(t *testing.T, path string, most int64) *kept {
	k := &kept{path: path}
	k.Keeper = NewKeeper(Options{
		Path: path, MaxBytes: most, Source: func() Source { return source }, Dropped: func(n int) { k.dropped += n },
		Logger: slog.New(slog.NewTextHandler(&k.log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { k.Run(ctx) })
	synctest.Wait()
	k.end = func() {
		cancel()
		wg.Wait()
	}
	return k
}

// count returns the numbers of the first and last result that are kept, how many there are, and
// the size of the files.
func (k *kept) count(t *testing.T) (first, last, n int, size int64) {
	t.Helper()
	first = -1
	broken, err := Each(k.path, func(r Record) error {
		last = int(r.Result.Start.Sub(start).Seconds())
		if first < 0 {
			first = last
		} else if last != first+n {
			t.Errorf("record %d comes as number %d", last, first+n)
		}
		n++
		return nil
	})
	noError(t, err)
	if broken > 0 {
		t.Errorf("%d lines are broken", broken)
	}
	names, err := filepath.Glob(k.path + "*")
	noError(t, err)
	for _, name := range names {
		info, err := os.Stat(name)
		noError(t, err)
		size += info.Size()
	}
	return first, last, n, size
}

func TestKeeperIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 64 << 10
		k := startKeeper(t, filepath.Join(t.TempDir(), "new", "results.jsonl"), most)
		const total = 500
		for i := range total {
			k.RequestDone(result(i))
			synctest.Wait()
			if i%50 != 0 {
				continue
			}
			if line, err := k.Find(ResultID(result(i))); err != nil || !strings.Contains(string(line), ResultID(result(i))) {
				t.Errorf("record %d: %s, %v", i, line, err)
			}
		}
		first, last, n, size := k.count(t)
		if last != total-1 || first == 0 || size > most || size < most*(files-2)/files || n != total-first {
			t.Errorf("records %d to %d, %d in all, %d bytes of %d", first, last, n, size, most)
		}
		for i, want := range map[int]bool{0: false, first: true, last: true} {
			if _, err := k.Find(ResultID(result(i))); (err == nil) != want {
				t.Errorf("record %d: %v", i, err)
			}
		}
		k.end()
		if k.dropped > 0 || k.log.Len() > 0 {
			t.Errorf("%d dropped; log %s", k.dropped, k.log.String())
		}

		// After a restart what is there stays, and a line that was broken off spoils no other.
		f, err := os.OpenFile(k.path, os.O_APPEND|os.O_WRONLY, 0)
		noError(t, err)
		_, err = f.WriteString(`{"schema":1,"id`)
		noError(t, err)
		noError(t, f.Close())
		again := startKeeper(t, k.path, most)
		again.RequestDone(result(total))
		synctest.Wait()
		again.end()
		seen := 0
		broken, err := Each(k.path, func(Record) error { seen++; return nil })
		if err != nil || broken != 1 || seen < n*(files-2)/files {
			t.Errorf("after a restart %d records, %d broken, %v; before there were %d", seen, broken, err, n)
		}
	})
}

// A disk that takes nothing costs records and never more: that is said once, and once when it is over.
func TestKeeperLosesRecordsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		noError(t, os.WriteFile(dir, nil, 0o600)) // where there should be a directory
		k := startKeeper(t, filepath.Join(dir, "results.jsonl"), 1<<20)
		for i := range 10 {
			k.RequestDone(result(i))
			synctest.Wait()
		}
		noError(t, os.Remove(dir))
		for i := range 10 {
			k.RequestDone(result(10 + i))
			synctest.Wait()
		}
		k.TurnDone(turn(result(1)))
		k.end()
		lines := strings.Split(strings.TrimSpace(k.log.String()), "\n")
		if k.dropped != 10 || len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[1], "kept again") ||
			!strings.Contains(lines[1], "dropped=10") {
			t.Errorf("%d dropped; log\n%s", k.dropped, k.log.String())
		}
		results, turns := 0, 0
		_, err := Each(k.path, func(r Record) error {
			if r.Turn != nil {
				turns++
			} else {
				results++
			}
			return nil
		})
		if err != nil || results != 10 || turns != 1 {
			t.Errorf("%d results and %d turns are kept, %v", results, turns, err)
		}
	})
}

// A full disk keeps no half line.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	link := filepath.Join(t.TempDir(), "results.jsonl")
	noError(t, os.Symlink("/dev/full", link))
	l := log{path: link, most: 1 << 20}
	for range 3 {
		if _, err := l.append([]byte("x\n")); err == nil || l.size != 0 {
			t.Errorf("written to a full disk: size %d, %v", l.size, err)
		}
	}
	l.close()
}

// Nobody waits for the disk: what is more than the queue holds is dropped.
func TestKeeperNeverBlocks(t *testing.T) {
	dropped := 0
	k := NewKeeper(Options{
		Path: filepath.Join(t.TempDir(), "r"), MaxBytes: 1 << 20, Source: func() Source { return source }, Dropped: func(n int) { dropped += n },
	})
	k.RequestDone(result(0)) // before it runs nothing is kept
	k.runs.Store(true)
	k.mu.Lock() // as while the disk hangs
	for i := range maxQueued + 10 {
		k.RequestDone(result(i))
	}
	k.mu.Unlock()
	if dropped != 10 {
		t.Errorf("%d dropped", dropped)
	}
}

func TestHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startKeeper(t, filepath.Join(t.TempDir(), "r"), 1<<20)
		defer k.end()
		k.RequestDone(result(3))
		synctest.Wait()
		mux := http.NewServeMux()
		mux.Handle(Pattern, k)
		get := func(id string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path+id, nil))
			return w
		}
		if w := get(ResultID(result(3))); w.Code != 200 || !strings.Contains(w.Body.String(), `"time_to_first_token_seconds": 0.123456789`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w := get("nonesuch"); w.Code != 404 || !strings.Contains(w.Body.String(), "EXOBENCH_RESULTS") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		noError(t, os.WriteFile(k.path, nil, 0o600)) // somebody has emptied it
		if w := get(ResultID(result(3))); w.Code != 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestKnownIsBounded(t *testing.T) {
	k := NewKeeper(Options{Path: "unused"})
	for i := range maxKnown + 5 {
		k.remember(fmt.Sprint(i), place{})
	}
	if _, ok := k.known["4"]; ok || len(k.known) != maxKnown || len(k.order) != maxKnown {
		t.Errorf("%d known", len(k.known))
	}
}

// A file that is gone, or whose directory is another one now, is begun anew; what it held is not
// taken for what the new one holds.
func TestFileThatIsTakenAway(t *testing.T) {
	for name, take := range map[string]func(dir string) error{
		"removed": func(dir string) error { return os.Remove(filepath.Join(dir, "results.jsonl")) },
		"rotated by somebody": func(dir string) error {
			return os.Rename(filepath.Join(dir, "results.jsonl"), filepath.Join(dir, "elsewhere"))
		},
		"with its directory": os.RemoveAll,
		"another directory":  func(dir string) error { return errors.Join(os.Rename(dir, dir+".old"), os.Symlink(t.TempDir(), dir)) },
	} {
		dir := filepath.Join(t.TempDir(), "state")
		l := log{path: filepath.Join(dir, "results.jsonl"), most: 1 << 20}
		before, err := l.append([]byte("before\n"))
		noError(t, err)
		noError(t, take(dir))
		after, err := l.append([]byte("behind\n"))
		noError(t, err)
		if content, err := os.ReadFile(l.path); err != nil || string(content) != "behind\n" {
			t.Errorf("%s: the file holds %q, %v", name, content, err)
		}
		if line, err := l.read(before); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %q is taken for what is gone, %v", name, line, err)
		}
		if line, err := l.read(after); err != nil || string(line) != "behind\n" {
			t.Errorf("%s: read %q, %v", name, line, err)
		}
		l.close()
	}
}
