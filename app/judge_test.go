package app

import (
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/judging"
)

const third = "mistral-7b"

// judged is a program that measures three models every hour, and may be started again.
type judged struct {
	*reloadable
	node       *exosim.Node
	dir, suite string
}

func newJudged(t *testing.T) *judged {
	node := exosim.New(exosim.Options{Profiles: profilesOf(victim, next, third), Jitter: 0.02, Seed: 3})
	t.Cleanup(func() { _ = node.Close() })
	return &judged{reloadable: newReloadable(t), node: node, dir: t.TempDir(), suite: suiteFile(t, shortSuite(1, faultTokens))}
}

func (j *judged) vars(more ...string) []string {
	return append([]string{
		"MODELS", strings.Join([]string{victim, next, third}, ","), "SUITE", j.suite, "CYCLE_INTERVAL", "1h", "MEMORY_INTERVAL", "5s",
	}, more...)
}

// begin starts the program with variables beside its own.
func (j *judged) begin(more ...string) {
	j.t.Helper()
	j.write(j.vars(more...)...)
	j.stack = newStack(j.t, setting{
		node: j.node, vars: []string{"ENV_FILE", j.file, "STATE_DIR", j.dir, "WEB_ACCEPT", "true"},
		seams: Seams{Listener: newQuietListener(), Hangup: j.hangup},
	})
	j.end = j.serve(j.t)
}

func (j *judged) finish() {
	noError(j.t, j.end())
	j.Bench.Close()
}

// metric returns the value of a series of the model's decoding; false when it is absent.
func (j *judged) metric(name, model, kind string) (float64, bool) {
	series := name + "{"
	if kind != "" {
		series += `kind="` + kind + `",`
	}
	v, ok := j.scrape(j.t)[series+`model="`+model+`",quantity="decode"}`]
	return v, ok
}

func (j *judged) alarms(model, kind string, want float64) {
	j.t.Helper()
	if got, ok := j.metric("exobench_speed_alarm", model, kind); !ok || got != want {
		j.t.Errorf("%s: alarm %s is %v (there: %t), want %v; log:\n%s", model, kind, got, ok, want, tail(j.log.String()))
	}
}

func tail(log string) string { return log[max(0, len(log)-2000):] }

func cycles(n int) time.Duration { return time.Duration(n) * time.Hour }

// The judge in the whole program: it learns for a day, finds a loss of one model, says so on every surface,
// and knows all of it after a restart, after its file was lost, and after the configuration has changed.
func TestJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJudged(t)
		j.begin()
		time.Sleep(cycles(14) - time.Minute)
		if n, _ := j.metric("exobench_judge_history_cycles", victim, ""); n != 14 {
			t.Errorf("%v cycles of history", n)
		}
		learning, _ := j.metric("exobench_judge_learning", victim, "")
		if learning != 1 || !strings.Contains(j.page(t), "learning: 14 of 24 cycles") {
			t.Errorf("learning %v", learning)
		}
		if v, there := j.metric("exobench_speed_change_ratio", victim, ""); there {
			t.Errorf("a change of %v is told while it learns", v)
		}
		time.Sleep(cycles(16))
		for _, model := range []string{victim, next, third} {
			change, there := j.metric("exobench_speed_change_ratio", model, "")
			if !there || change != 0 {
				t.Errorf("%s: change %v (there: %t) without cause", model, change, there)
			}
			j.alarms(model, "drop", 0)
		}
		if !strings.Contains(j.page(t), "steady") {
			t.Error("the page does not say that all is well")
		}

		onset := time.Now()
		_, err := j.node.Inject(exosim.Fault{Kind: exosim.Slow, Model: victim, Percent: 10})
		noError(t, err)
		time.Sleep(cycles(8))
		j.found(onset)
		if turns, log := j.turns(victim), j.log.String(); turns != 38 || strings.Count(log, "kind=drop") == 0 {
			t.Errorf("%v turns; log:\n%s", turns, tail(log))
		}

		j.finish()
		j.begin()
		j.found(onset) // before anything is measured
		j.finish()

		noError(t, os.Remove(filepath.Join(j.dir, judging.File)))
		j.begin()
		synctest.Wait()
		j.found(onset)
		if !strings.Contains(j.log.String(), "made again of the records") {
			t.Errorf("log:\n%s", j.log)
		}
		time.Sleep(cycles(2))
		j.alarms(victim, "drop", 1)
		w := httptest.NewRecorder()
		j.front.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/accept?model="+victim, nil))
		if w.Code != http.StatusOK {
			t.Errorf("accepting is answered with %d %s", w.Code, w.Body)
		}
		j.alarms(victim, "drop", 0)
		time.Sleep(cycles(4))
		j.alarms(victim, "drop", 0)

		j.write(j.vars("MODELS", next+","+third)...)
		j.hangup <- syscall.SIGHUP
		synctest.Wait()
		for series := range j.scrape(t) {
			if strings.Contains(series, `model="`+victim+`"`) {
				t.Errorf("%s is left of a model that is gone", series)
			}
		}
		j.alarms(next, "drop", 0)
		j.write(j.vars()...)
		j.hangup <- syscall.SIGHUP
		synctest.Wait()
		j.alarms(victim, "drop", 0) // it is known again

		// Another address is another node, of which nothing is known.
		j.write(j.vars("EXO_URL", "http://other.test:52415")...)
		j.hangup <- syscall.SIGHUP
		synctest.Wait()
		if v, there := j.metric("exobench_judge_history_cycles", next, ""); there {
			t.Errorf("%v cycles are known of another node", v)
		}
		j.finish()
	})
}

// found asserts that every surface tells of a loss of ten per cent of the victim since then, and of no other.
func (j *judged) found(since time.Time) {
	j.t.Helper()
	j.alarms(victim, "drop", 1)
	for _, model := range []string{next, third} {
		j.alarms(model, "drop", 0)
	}
	change, _ := j.metric("exobench_speed_change_ratio", victim, "")
	low, _ := j.metric("exobench_speed_change_low_ratio", victim, "")
	high, _ := j.metric("exobench_speed_change_high_ratio", victim, "")
	if math.Abs(change+0.1) > 0.02 || low > change || high < change || low == high {
		j.t.Errorf("the loss is %v, from %v to %v", change, low, high)
	}
	if evidence, _ := j.metric("exobench_speed_change_evidence", victim, ""); evidence < 1 {
		j.t.Errorf("evidence %v", evidence)
	}
	at, _ := j.metric("exobench_speed_alarm_since_timestamp_seconds", victim, "drop")
	if math.Abs(at-float64(since.Unix())) > cycles(1).Seconds() {
		j.t.Errorf("since %v, want %v", at, since.Unix())
	}
	page := j.page(j.t)
	if !strings.Contains(page, "% slower since") || !strings.Contains(page, "steady") || strings.Contains(page, "All models") {
		j.t.Errorf("the page:\n%s", page)
	}
}
