package instance

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// slowly are the options of a node that needs so long for the weights of the large model.
func slowly(d time.Duration) exosim.Options {
	return exosim.Options{NotDownloaded: []string{qwen}, DownloadRate: 4.3e9 / d.Seconds()}
}

// download has a stranger download a model.
func (s *sim) download(t *testing.T, model string) {
	t.Helper()
	if err := s.StartDownload(model); err != nil {
		t.Error(err)
	}
}

// wantDownloaded wants nobody to have canceled the download of a model, which goes on or is done.
func (s *sim) wantDownloaded(t *testing.T, model string) {
	t.Helper()
	if s.StartDownload(model) == nil {
		t.Errorf("the download of %s was canceled", model)
	}
}

// TestDownloadOfOthersSurvives has somebody download a model while ours is loaded. Deleting
// ours would make exo cancel the download.
func TestDownloadOfOthersSurvives(t *testing.T) {
	for _, stale := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, dir := newSim(t, slowly(90*time.Minute)), t.TempDir()
			m := newTestManager(t, s, dir)
			lease, err := m.Acquire(t.Context(), llama)
			if err != nil {
				t.Fatal(err)
			}
			s.download(t, qwen)
			if err := lease.Release(t.Context()); err == nil || !strings.Contains(err.Error(), "cancel somebody else's download, of "+qwen) {
				t.Errorf("release: %v", err)
			}
			pass(time.Hour)
			if err := m.Sweep(t.Context()); err == nil {
				t.Error("no word of the instance that stays")
			}
			if n := s.called("DELETE"); n != 0 {
				t.Errorf("%d DELETEs", n)
			}
			if stale { // exo still lists it, but nothing comes any more
				s.inject(t, exosim.Fault{Kind: exosim.DownloadStalls})
				if err := m.Sweep(t.Context()); err == nil {
					t.Error("a download that has just moved counts as over")
				}
				pass(downloadStall)
			} else {
				pass(time.Hour)
				s.wantDownloaded(t, qwen)
			}
			if err := m.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			s.wantNothingLeft(t)
			wantNoRecords(t, dir)
		})
	}
}

// TestDownloadThatNoDeleteCancels measures beside downloads that some instance needs.
func TestDownloadThatNoDeleteCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, slowly(time.Hour))
		s.download(t, qwen)
		s.place(t, qwen)
		pass(5 * time.Second)
		m := newTestManager(t, s, t.TempDir())
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
		s.wantNothingLeft(t)
		s.wantDownloaded(t, qwen)
	})
}

// TestDownloadIsWaitedFor places a model when somebody's download is over, also one of that very model.
func TestDownloadIsWaitedFor(t *testing.T) {
	for _, model := range []string{llama, qwen} {
		synctest.Test(t, func(t *testing.T) {
			s := newSim(t, slowly(time.Minute))
			s.download(t, qwen)
			m := newTestManager(t, s, t.TempDir())
			start := time.Now()
			lease, err := m.Acquire(t.Context(), model)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < time.Minute || took > 75*time.Second {
				t.Errorf("took %s", took)
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
			s.wantDownloaded(t, qwen)
		})
	}
}
