package instance

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// source is something that exo tells of now and then.
type source struct {
	every  time.Duration
	events int
}

// What exo tells of on Linux, and on a Mac that takes no time to find it out, so that much of it
// comes at once, or takes its time.
var (
	linux   = []source{{1003 * time.Millisecond, 1}, {10*time.Second + 40*time.Millisecond, 1}, {30 * time.Second, 1}, {time.Minute, 2}}
	atOnce  = []source{{time.Second, 1}, {5 * time.Second, 2}, {10 * time.Second, 3}, {30 * time.Second, 1}, {time.Minute, 2}}
	atTimes = []source{
		{time.Second, 1},
		{6300 * time.Millisecond, 2},
		{10*time.Second + 7*time.Millisecond, 1},
		{10*time.Second + 40*time.Millisecond, 1},
		{10*time.Second + 90*time.Millisecond, 1},
		{30 * time.Second, 1},
		{60*time.Second + 200*time.Millisecond, 1},
		{time.Minute, 1},
	}
)

// byItself returns how many events exo, which knows so many models, has had by itself so long
// after its start.
func byItself(sources []source, cards int, age time.Duration) int {
	const scan = 400 * time.Millisecond
	whole := int(age / (time.Minute + scan))
	begun := age - time.Duration(whole)*(time.Minute+scan)
	n := whole*cards + int(int64(cards)*int64(min(begun, scan))/int64(scan))
	for _, s := range sources {
		n += s.events * int(age/s.every)
	}
	return n
}

// TestEveryChatAndNothingElse puts request after request to an exo that does what it does by
// itself, for hours: nothing of that is taken for somebody's chat, and every chat is told.
func TestEveryChatAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources []source
		false   int // marks at most: of what comes at once some may be taken for a chat
	}{{"Linux", linux, 0}, {"macOS", atTimes, 0}, {"macOS at once", atOnce, 24}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const cards = 123
				f, start := newFake(), time.Now()
				f.stranger(llama, always("RunnerReady"))
				f.downloads = make([]any, cards)
				for i := range f.downloads {
					f.downloads[i] = j{"DownloadPending": j{}}
				}
				f.idle = func() int { return byItself(c.sources, cards, time.Since(start)) }
				m := newTestManager(t, f, t.TempDir())
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				rnd := rand.New(rand.NewPCG(1, 2))
				request := func(tokens, chat int, took time.Duration) (bool, string) {
					stop := lease.Watch(t.Context())
					pass(took)
					f.mu.Lock()
					f.events += tokens + ownEvents
					if chat > 0 {
						f.events += chat + ownEvents
					}
					f.mu.Unlock()
					return stop(workload.Result{Outcome: workload.OutcomeOK, TokenEvents: tokens, OutputTokens: tokens})
				}
				for range 5 {
					request(64, 0, 3*time.Second)
				}
				wrong := 0
				for i := range 1500 {
					pass(time.Duration(rnd.IntN(500)) * time.Millisecond)
					tokens, chat := []int{64, 256, 128}[rnd.IntN(3)], 0
					if i%5 == 4 {
						chat = 3 + rnd.IntN(60)
					}
					took := time.Duration(300+rnd.IntN(12000)) * time.Millisecond
					at := time.Since(start)
					contended, why := request(tokens, chat, took)
					if contended && chat == 0 {
						wrong++
					}
					if contended != (chat > 0) && c.false == 0 || !contended && chat > 0 {
						t.Errorf("request %d, %s after the start, took %s: contended %v (%s), a chat of %d tokens", i, at, took, contended, why, chat)
					}
				}
				if wrong > c.false {
					t.Errorf("%d requests were marked beside which nobody chatted", wrong)
				}
			})
		})
	}
}
