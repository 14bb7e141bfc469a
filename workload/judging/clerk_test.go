package judging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/statefile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	ours   = What{Node: Node{Target: "http://node.test"}, SHA256: "abc", Models: []string{"a", "b"}}
)

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// turnOf is a turn of a model in a cycle, one every quarter of an hour, at a decode rate.
func turnOf(model string, cycle int, rate float64) workload.Turn {
	start := monday.Add(time.Duration(cycle) * 15 * time.Minute)
	t := workload.Turn{Cycle: cycle, Model: model, ExoModel: "id/" + model, Start: start, Duration: time.Minute, Outcome: workload.TurnOK}
	for i, prompt := range []string{"p", "q"} {
		rate *= 1 + 0.002*float64((cycle*7+i*3)%5-2) // some scatter
		t.Results = append(t.Results, workload.Result{
			Model: model, Prompt: prompt, Start: start.Add(time.Duration(i+1) * time.Second), Outcome: workload.OutcomeOK, Timed: true,
			TTFT: time.Second, Decode: time.Duration(100 / rate * float64(time.Second)), E2E: 10 * time.Second, OutputTokens: 101, TokenEvents: 101,
			AskedTokens: 101, PromptTokens: 500, Epoch: workload.Epoch{SHA256: "abc", Engine: "exo"},
		})
	}
	return t
}

// desk is a Clerk that runs, in a bubble.
type desk struct {
	*Clerk
	what What
	log  bytes.Buffer
	end  func()
}

func open(t *testing.T, path, records string, what What) *desk {
	t.Helper()
	d := &desk{what: what}
	d.Clerk = NewClerk(Options{
		Path: path, Records: records, What: func() What { return d.what }, Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
	})
	d.Load()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(ctx) })
	d.end = func() {
		cancel()
		wg.Wait()
	}
	return d
}

// measure tells d of the cycles from from to before to.
func (d *desk) measure(from, to int, rate float64, models ...string) {
	for c := from; c < to; c++ {
		for _, m := range models {
			d.TurnDone(turnOf(m, c, rate))
		}
		d.CycleDone(workload.Cycle{Number: c})
		synctest.Wait()
	}
}

// says returns what d says of a model's decoding.
func (d *desk) says(model string) (judge.Verdict, bool) {
	for _, v := range d.Verdicts() {
		if v.Model == model && v.Quantity == judge.Decode {
			return v, true
		}
	}
	return judge.Verdict{}, false
}

func (d *desk) worst(model string) judge.Kind {
	v, _ := d.says(model)
	a, _ := v.Worst()
	return a.Kind
}

const learnt = 120 // cycles

// What was known is known again after a restart, before anything is measured, and judged on.
func TestARestartForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "new", File)
		d := open(t, path, "", ours)
		d.measure(0, learnt, 50, "a", "b")
		before := d.Verdicts()
		if v, ok := d.says("a"); !ok || v.Learning || v.Cycles < 90 || len(v.Alarms) > 0 {
			t.Fatalf("%+v", v)
		}
		d.TurnDone(turnOf("a", learnt, 45)) // in the middle of a cycle
		synctest.Wait()
		d.end()
		if d.log.Len() > 0 {
			t.Errorf("log: %s", &d.log)
		}

		d = open(t, path, "", ours)
		synctest.Wait()
		if after := d.Verdicts(); len(after) != len(before) {
			t.Errorf("after the restart %+v, before it %+v", after, before)
		}
		d.TurnDone(turnOf("a", learnt, 45)) // which is known
		d.measure(learnt+1, learnt+8, 45, "a")
		if k := d.worst("a"); k != judge.Drop {
			t.Errorf("%q after the restart, want a drop", k)
		}
		v, _ := d.says("a")
		if since := v.Alarms[0].Since; since.Sub(monday.Add(learnt*15*time.Minute)).Abs() > 15*time.Minute {
			t.Errorf("since %v", since)
		}
		d.end()
		if got := strings.Count(d.log.String(), "The speed has changed"); got != 1 || !strings.Contains(d.log.String(), "level=WARN") {
			t.Errorf("said %d times: %s", got, &d.log)
		}
	})
}

// keep writes the records of cycles as a running exporter does.
func keep(t *testing.T, path string, of Node, cycles int) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for c := range cycles {
		r := record.Report{
			Schema: record.Schema, Source: record.Source{Target: of.Target, Simulated: of.Simulated, Suite: record.Suite{SHA256: "abc"}},
			Cycle: workload.Cycle{Number: c, Turns: []workload.Turn{turnOf("a", c, 50), turnOf("b", c, 50)}},
		}
		for _, rec := range r.Records() {
			noError(t, enc.Encode(rec))
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	noError(t, err)
	_, err = f.Write(b.Bytes())
	noError(t, errors.Join(err, f.Close()))
}

// What is lost is made again of the records: the same that it was.
func TestWhatIsLostIsMadeAgain(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"lost":    os.Remove,
		"corrupt": func(path string) error { return os.Truncate(path, 1000) },
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"newer": func(path string) error {
			content, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, bytes.Replace(content, []byte(`"schema":1`), []byte(`"schema":9`), 1), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				path, records := filepath.Join(dir, File), filepath.Join(dir, "results.jsonl")
				keep(t, records, ours.Node, learnt)
				d := open(t, path, "", ours)
				d.measure(0, learnt, 50, "a", "b")
				want := d.Verdicts()
				d.end()
				noError(t, spoil(path))

				d = open(t, path, records, ours)
				synctest.Wait()
				if got := d.Verdicts(); !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
				d.end()
				log := d.log.String()
				if !strings.Contains(log, "made again of the records") || strings.Contains(log, "set aside") != (name != "lost") {
					t.Errorf("log: %s", log)
				}
				_, err := os.Stat(path + ".unusable")
				if (err == nil) != (name != "lost") {
					t.Errorf("set aside: %v", err)
				}
			})
		})
	}
}

// What is known of a node is never used for another, also where one is the simulator at the same address.
func TestNodesNeverMeet(t *testing.T) {
	other, simulated := ours, ours
	other.Target, simulated.Simulated = "http://other.test", true
	for name, what := range map[string]What{"another address": other, "the simulator": simulated} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				path, records := filepath.Join(dir, File), filepath.Join(dir, "results.jsonl")
				keep(t, records, what.Node, 30)
				keep(t, records, ours.Node, learnt)
				d := open(t, path, records, ours)
				synctest.Wait()
				if v, ok := d.says("a"); !ok || v.Learning {
					t.Fatalf("of ours %+v", v)
				}
				d.what = what
				if got := d.Verdicts(); got != nil {
					t.Errorf("of %v is said %+v", what.Node, got)
				}
				if err := d.Accept("a"); !errors.Is(err, ErrUnknown) {
					t.Errorf("accepted: %v", err)
				}
				d.measure(30, 31, 10, "a")
				if v, ok := d.says("a"); !ok || v.Cycles != 31 || !v.Learning || len(v.Alarms) > 0 {
					t.Errorf("of %v is said %+v", what.Node, v)
				}
				d.what = ours
				d.measure(learnt, learnt+1, 50, "a")
				if v, ok := d.says("a"); !ok || v.Learning || len(v.Alarms) > 0 {
					t.Errorf("of ours again %+v", v)
				}
				d.end()
			})
		})
	}
}

// Of models and suites that are not configured any more nothing is shown.
func TestOnlyWhatIsMeasuredIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, filepath.Join(t.TempDir(), File), "", ours)
		if d.Verdicts() != nil {
			t.Error("something is said of nothing")
		}
		d.measure(0, 30, 50, "a", "b", "c")
		if _, ok := d.says("c"); ok {
			t.Error("something is said of a model that is not configured")
		}
		d.what.Models = []string{"b", "c"}
		_, a := d.says("a")
		if _, b := d.says("b"); a || !b {
			t.Errorf("a is shown: %t, b: %t", a, b)
		}
		d.what.SHA256 = "def"
		if got := d.Verdicts(); got != nil {
			t.Errorf("of another suite is said %+v", got)
		}
		d.end()
	})
}

func TestAcceptance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), File)
		d := open(t, path, "", ours)
		d.measure(0, learnt, 50, "a", "b")
		d.measure(learnt, learnt+8, 45, "a", "b")
		if d.worst("a") != judge.Drop || d.worst("b") != judge.Drop {
			t.Fatalf("%q and %q", d.worst("a"), d.worst("b"))
		}
		if err := d.Accept("stranger"); !errors.Is(err, ErrUnknown) {
			t.Errorf("a stranger is accepted: %v", err)
		}
		noError(t, d.Accept("a"))
		if d.worst("a") != "" || d.worst("b") != judge.Drop {
			t.Errorf("%q and %q after a was accepted", d.worst("a"), d.worst("b"))
		}
		if _, ours := statefile.Lock(path); ours {
			t.Error("the file of a running exporter can be changed")
		}
		d.end()
		if release, ours := statefile.Lock(path); !ours {
			t.Error("the file of an exporter that has ended cannot be changed")
		} else {
			release()
		}
		if err := AcceptIn(path, "stranger"); !errors.Is(err, ErrUnknown) {
			t.Errorf("a stranger is accepted: %v", err)
		}
		noError(t, AcceptIn(path, "b"))
		d = open(t, path, "", ours)
		synctest.Wait()
		if d.worst("a") != "" || d.worst("b") != "" {
			t.Errorf("%q and %q after the restart", d.worst("a"), d.worst("b"))
		}
		d.end()
	})
	if err := AcceptIn(filepath.Join(t.TempDir(), File), "a"); !errors.Is(err, ErrUnknown) {
		t.Errorf("without a file: %v", err)
	}
	broken := filepath.Join(t.TempDir(), File)
	noError(t, os.WriteFile(broken, []byte("{"), 0o600))
	if err := AcceptIn(broken, "a"); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("a broken file: %v", err)
	}
}

// From the moment on at which an exporter has read what is known, nobody else changes it: what was accepted then would be lost.
func TestWhatWasReadIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), File)
		d := open(t, path, "", ours)
		d.measure(0, learnt, 50, "a", "b")
		d.end()
		c := NewClerk(Options{Path: path, What: func() What { return ours }})
		c.Load()
		if release, got := statefile.Lock(path); got {
			release()
			t.Error("another takes the file between reading and keeping it")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c.Run(ctx)
		release, got := statefile.Lock(path)
		release()
		if !got {
			t.Error("the file of a clerk that has ended is not given up")
		}
	})
}

// Two exporters with one directory do not write over each other, and the second says so.
func TestOneExporterKeepsTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), File)
		first := open(t, path, "", ours)
		first.measure(0, 30, 50, "a")
		second := open(t, path, "", ours)
		time.Sleep(time.Second) // of the bubble: it tries for a while
		second.measure(30, 31, 20, "b")
		if !strings.Contains(second.log.String(), "Another exporter keeps") {
			t.Errorf("log: %s", &second.log)
		}
		if _, ok := second.says("b"); !ok {
			t.Error("the second judges nothing")
		}
		second.end()
		first.end()
		third := open(t, path, "", ours)
		if _, ok := third.says("b"); ok {
			t.Error("the second has written over the first one's file")
		}
		synctest.Wait()
		third.end()
	})
}

// A disk that takes nothing is said once and costs no verdict.
func TestWhatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		noError(t, os.WriteFile(file, nil, 0o600))
		d := open(t, filepath.Join(file, File), "", ours)
		d.measure(0, 30, 50, "a")
		if _, ok := d.says("a"); !ok {
			t.Error("nothing is judged")
		}
		d.end()
		if n := strings.Count(d.log.String(), "cannot be saved"); n != 1 {
			t.Errorf("said %d times: %s", n, &d.log)
		}
	})
}

// A program of one cycle says what it makes of it and writes nothing.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path, records := filepath.Join(dir, File), filepath.Join(dir, "results.jsonl")
		keep(t, records, ours.Node, learnt)
		for range 2 { // without a file, and with one
			d := &desk{what: ours}
			d.Clerk = NewClerk(Options{Path: path, Records: records, What: func() What { return d.what }})
			d.TurnDone(turnOf("a", learnt, 50))
			d.CycleDone(workload.Cycle{})
			before, _ := os.ReadFile(path)
			d.Settle(t.Context())
			if v, ok := d.says("a"); !ok || v.Learning {
				t.Errorf("%+v", v)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was written")
			}
			d2 := open(t, path, records, ours)
			d2.measure(learnt, learnt+1, 50, "a")
			d2.end()
		}
	})
}

// Nobody waits for a judge that does not come along.
func TestTurnsAreNeverWaitedFor(t *testing.T) {
	var log bytes.Buffer
	c := NewClerk(Options{
		Path: filepath.Join(t.TempDir(), File), What: func() What { return ours }, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for i := range 2 * maxQueued {
		c.TurnDone(turnOf("a", i, 50))
	}
	c.TurnDone(workload.Turn{Model: "a"}) // without figures
	if strings.Count(log.String(), "left out") != 1 || len(c.queue) != maxQueued {
		t.Errorf("%d wait; log: %s", len(c.queue), &log)
	}
}

// The file is one document, which gives back what was known, and the same bytes again.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	s := newSheet(ours.Node)
	for c := range 40 {
		s.add(judge.Of(turnOf("a", c, 50)), "abc")
	}
	var first, second bytes.Buffer
	noError(t, s.encode(&first))
	if !json.Valid(first.Bytes()) || !bytes.HasSuffix(first.Bytes(), []byte("}\n")) {
		t.Fatalf("not a document: %s", &first)
	}
	var d document
	noError(t, json.Unmarshal(first.Bytes(), &d))
	if want, err := s.judge.MarshalJSON(); err != nil || !bytes.Equal(d.Judge, want) {
		t.Errorf("of the judge it has %s, want %s, %v", d.Judge, want, err)
	}
	again, err := decode(first.Bytes())
	noError(t, err)
	noError(t, again.encode(&second))
	if !bytes.Equal(first.Bytes(), second.Bytes()) || !reflect.DeepEqual(again.suites, s.suites) {
		t.Errorf("read again it is %s", &second)
	}
}
