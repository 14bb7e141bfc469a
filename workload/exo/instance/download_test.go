package instance

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// downloading lets somebody download a model until it is told to end. exo may go on listing
// the download as it was.
func downloading(f *fakeNode, model string) (end func(listed bool)) {
	start := time.Now()
	f.downloads = append(f.downloads, nil)
	i := len(f.downloads) - 1
	var ended, listed bool
	f.outage = func() bool { // on every call
		switch kind, _, _ := downloadParts(f.downloads[i]); {
		case ended && !listed:
			f.downloads[i] = nil
		case !ended && kind != "DownloadPending":
			f.downloads[i] = ongoing(model, uint64(time.Since(start)), 40*gig)
		}
		return false
	}
	return func(stays bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		ended, listed = true, stays
	}
}

// TestDownloadOfOthersSurvives has somebody download a model while ours is loaded. Deleting
// ours would make exo cancel the download.
func TestDownloadOfOthersSurvives(t *testing.T) {
	for _, stale := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, dir := newFake(), t.TempDir()
			m := newTestManager(t, f, dir)
			lease, err := m.Acquire(t.Context(), llama)
			if err != nil {
				t.Fatal(err)
			}
			end := downloading(f, qwen)
			if err := lease.Release(t.Context()); err == nil || !strings.Contains(err.Error(), "cancel somebody else's download, of "+qwen) {
				t.Errorf("release: %v", err)
			}
			pass(time.Hour)
			if err := m.Sweep(t.Context()); err == nil {
				t.Error("no word of the instance that stays")
			}
			if n := f.called("DELETE"); n != 0 {
				t.Errorf("%d DELETEs", n)
			}
			end(stale)
			if stale { // exo still lists it, but nothing comes any more
				if err := m.Sweep(t.Context()); err == nil {
					t.Error("a download that has just moved counts as over")
				}
				pass(downloadStall)
			}
			if err := m.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			wantNothingLeft(t, f)
			if left := records(t, dir); len(left) != 0 {
				t.Errorf("records left: %v", left)
			}
			if len(f.crimes) != 0 && !stale {
				t.Error(f.crimes)
			}
		})
	}
}

// TestDownloadThatNoDeleteCancels measures beside downloads that some instance needs.
func TestDownloadThatNoDeleteCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.stranger(qwen, always("RunnerIdle"))
		downloading(f, qwen)
		m := newTestManager(t, f, t.TempDir())
		start := time.Now()
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		wantNothingLeft(t, f)
		if len(f.crimes) != 0 {
			t.Error(f.crimes)
		}
	})
}

// TestDownloadIsWaitedFor places a model when somebody's download is over.
func TestDownloadIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		end := downloading(f, llama) // not ours, although it is our model's
		time.AfterFunc(time.Minute, func() { end(false) })
		m := newTestManager(t, f, t.TempDir())
		start := time.Now()
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Minute || took > 75*time.Second {
			t.Errorf("took %s", took)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if len(f.crimes) != 0 {
			t.Error(f.crimes)
		}
	})
}
