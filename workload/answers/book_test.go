package answers

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newBook(path string, log *bytes.Buffer) *Book {
	b := NewBook(Options{Path: path, Target: func() string { return "http://node.test" }, Logger: slog.New(slog.NewTextHandler(log, nil))})
	b.Load()
	return b
}

// answer is an answer with a fingerprint.
func answer(print uint64) workload.Result {
	return workload.Result{
		Model: "m", ExoModel: "x/m", Prompt: "p", Outcome: workload.OutcomeOK, Fingerprint: print,
		Epoch: workload.Epoch{SHA256: "s", Dialect: workload.DialectExo1, Endpoint: workload.EndpointBench},
	}
}

// What is said of answers in their order, a letter each: learning, same, changed, never.
func TestCompare(t *testing.T) {
	with := func(change func(*workload.Result)) func(workload.Result) workload.Result {
		return func(r workload.Result) workload.Result {
			change(&r)
			return r
		}
	}
	for name, tc := range map[string]struct {
		prints string // a letter an answer; "." is one that counts as the one before, changed by other
		other  func(workload.Result) workload.Result
		want   string
	}{
		"the same from the beginning": {"AAAAAAAA", nil, "LLLLLLSS"},
		"a change, and it stays":      {"AAAAAAABBBBBBBB", nil, "LLLLLLSCLLLLLSS"},
		"one that differs":            {"AAAAAAABAAAAAAA", nil, "LLLLLLSCLLLLLLS"},
		"another one each time":       {"ABCDEFGHIJKLMNOPQRSTU", nil, "LLLLLLLLLLLLLLLLLNNNN"},
		"two by turns":                {"ABABABABABABABABABABA", nil, "LLLLLLLLLLLLLLLLLNNNN"},
		"none, then the same":         {"ABCDEFGHIJKLMNOPQRRRRRRRRR", nil, "LLLLLLLLLLLLLLLLLNNNNNNSSS"},
		"beside others' work":         {"AAAAAAA.A", with(func(r *workload.Result) { r.Contended, r.Fingerprint = true, 99 }), "LLLLLLS S"},
		"one that failed":             {"AAAAAAA.A", with(func(r *workload.Result) { r.Outcome, r.Fingerprint = "truncated", 99 }), "LLLLLLS S"},
		"without a fingerprint":       {"AAAAAAA.A", with(func(r *workload.Result) { r.Fingerprint = 0 }), "LLLLLLS S"},
		"of another prompt":           {"AAAAAAA.A", with(func(r *workload.Result) { r.Prompt, r.Fingerprint = "q", 99 }), "LLLLLLSLS"},
		"of another model":            {"AAAAAAA.A", with(func(r *workload.Result) { r.Model, r.Fingerprint = "n", 99 }), "LLLLLLSLS"},
		"a question of that name":     {"AAAAAAA.A", with(func(r *workload.Result) { r.Verdict, r.Fingerprint = "right", 99 }), "LLLLLLSLS"},
		"more of it from the cache":   {"AAAAAAA.A", with(func(r *workload.Result) { r.CachedTokens, r.Fingerprint = 30, 99 }), "LLLLLLSLS"},
		"by another route":            {"AAAAAAA.A", with(func(r *workload.Result) { r.Epoch.Endpoint, r.Fingerprint = "v1", 99 }), "LLLLLLSLL"},
		"of another id":               {"AAAAAAA.A", with(func(r *workload.Result) { r.ExoModel, r.Fingerprint = "y/m", 99 }), "LLLLLLSLL"},
		"by another version":          {"AAAAAAA.A", with(func(r *workload.Result) { r.Epoch.Version, r.Fingerprint = "2", 99 }), "LLLLLLSCL"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
			var got strings.Builder
			for _, c := range tc.prints {
				r := answer(uint64(c))
				if c == '.' {
					r = tc.other(answer('A'))
				}
				got.WriteString(map[workload.Repeats]string{
					"": " ", workload.RepeatsLearning: "L", workload.RepeatsSame: "S", workload.RepeatsChanged: "C", workload.RepeatsNever: "N",
				}[b.Compare(r)])
			}
			if got.String() != tc.want {
				t.Errorf("%s: %s, want %s", tc.prints, got.String(), tc.want)
			}
		})
	}
}

// turn is a turn of ten answers.
func turn(right, nonsense int) workload.Turn {
	t := workload.Turn{Model: "m", ExoModel: "x/m", Outcome: workload.TurnOK}
	if right >= 0 {
		t.Asked = &workload.Asked{Version: "canary-1", Right: right, Of: 10}
	}
	for i := range 10 {
		signs := &workload.Signs{Characters: 200}
		if i < nonsense {
			signs.Garbled = 1
		}
		t.Results = append(t.Results, workload.Result{Outcome: workload.OutcomeOK, Signs: signs})
	}
	return t
}

// judge says of each turn, by the number of right answers, whether answers are worse: a letter each, Learning, ok or Worse.
func judge(b *Book, by workload.Yardstick, turns ...workload.Turn) string {
	var said strings.Builder
	for _, t := range turns {
		all := b.Judge(t)
		i := slices.IndexFunc(all, func(q workload.Quality) bool { return q.By == by })
		switch {
		case i < 0:
			said.WriteString(" ")
		case all[i].Worse:
			said.WriteString("W")
		case all[i].Learning:
			said.WriteString("L")
		default:
			said.WriteString("o")
		}
	}
	return said.String()
}

func TestJudge(t *testing.T) {
	of := func(rights ...int) (all []workload.Turn) {
		for _, n := range rights {
			all = append(all, turn(n, 0))
		}
		return all
	}
	usual := func(n int, after ...int) []workload.Turn {
		return of(append(slices.Repeat([]int{n}, leastTurns), after...)...)
	}
	unanswered, others, failed := turn(0, 0), turn(0, 0), workload.Turn{Model: "m", Outcome: workload.TurnUnavailable}
	unanswered.Asked = &workload.Asked{Version: "canary-1", Reason: "other people's work"}
	others.Asked = &workload.Asked{Version: "canary-2", Reason: "other people's work"}
	long := func(n int) []int { return slices.Repeat([]int{n}, 3*mostTurns) }
	learnt := strings.Repeat("L", leastTurns)
	for name, tc := range map[string]struct {
		turns []workload.Turn
		want  string
	}{
		"all is well":                  {usual(9, 9, 10, 8, 9, 7, 9), learnt + "oooooo"},
		"nothing is right any more":    {usual(9, 0, 0, 0, 0), learnt + "oWWW"},
		"three fewer":                  {usual(9, 6, 6, 6), learnt + "oWW"},
		"two fewer, for long":          {usual(9, 7, 7, 7, 7, 7, 7, 7, 7), learnt + "oooooooo"},
		"once, and once more later":    {usual(9, 0, 9, 0, 9), learnt + "oooo"},
		"until it is mended":           {usual(9, 0, 0, 0, 9, 9, 9), learnt + "oWWWoo"},
		"one good turn among bad ones": {usual(9, 0, 0, 9, 0, 0), learnt + "oWWWW"},
		"a turn without questions":     {usual(9, 0, -1, 0, 0), learnt + "o WW"},
		"a turn without a verdict": {
			append(usual(9, 0, 0), unanswered, turn(0, 0), unanswered, turn(9, 0), turn(9, 0)), learnt + "oWWWWWo",
		},
		"such while all is well":             {append(usual(9), unanswered, turn(0, 0), unanswered, turn(0, 0)), learnt + "oooW"},
		"such before anything is known":      {[]workload.Turn{unanswered, turn(9, 0), unanswered}, " LL"},
		"such of other questions":            {append(usual(9, 0, 0), others), learnt + "oW "},
		"a turn that failed":                 {append(usual(9, 0, 0), failed, turn(9, 0), failed, turn(9, 0)), learnt + "oWWWWo"},
		"for longer than is remembered":      {usual(9, long(2)...), learnt + "o" + strings.Repeat("W", 3*mostTurns-1)},
		"broken from the beginning":          {of(1, 0, 1, 0), "LWWW"},
		"weak from the beginning":            {of(2, 3, 2, 2), "LLLL"},
		"weak, and then nothing":             {usual(3, 0, 0, 0), learnt + "oWW"},
		"two right, and then nothing":        {usual(2, 0, 0, 0), learnt + "ooo"}, // within what is a loss
		"better than it was, and back again": {usual(5, append(long(9), 5, 5)...), learnt + strings.Repeat("o", 3*mostTurns) + "oW"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
			if got := judge(b, workload.ByCanary, tc.turns...); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
	b := newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
	signs := slices.Repeat([]workload.Turn{turn(9, 2)}, leastTurns)
	if got := judge(b, workload.BySigns, append(signs, turn(9, 4), turn(9, 5), turn(9, 5))...); got != learnt+"ooW" {
		t.Errorf("by signs: %q", got)
	}
	few := turn(9, 10)
	few.Results = few.Results[:fewAnswers-1]
	if got := judge(b, workload.BySigns, few, few); got != "WW" {
		t.Errorf("of few answers: %q, want what was said before", got)
	}
	unseen := turn(9, 0)
	for i := range fewAnswers {
		unseen.Results[i].Signs = nil
	}
	if got := judge(b, workload.BySigns, unseen, unseen); got != "WW" {
		t.Errorf("of answers whose text was not seen: %q, want what was said before", got)
	}
	b = newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
	if got := judge(b, workload.BySigns, slices.Repeat([]workload.Turn{unseen}, leastTurns+2)...); strings.TrimSpace(got) != "" {
		t.Errorf("of answers whose text was never seen: %q", got)
	}
	b = newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
	if got := judge(b, workload.BySigns, slices.Repeat([]workload.Turn{turn(9, 10)}, leastTurns+6)...); got != learnt+"oooooo" {
		t.Errorf("of a model that repeats itself in health: %q", got)
	}
}

// What is accepted is usual from then on.
func TestAccept(t *testing.T) {
	b := newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
	if b.Accept("m") != nil {
		t.Error("something is known of a model that was never measured")
	}
	judge(b, workload.ByCanary, slices.Repeat([]workload.Turn{turn(9, 0)}, 20)...)
	if got := judge(b, workload.ByCanary, turn(4, 0), turn(4, 0)); got != "oW" {
		t.Errorf("before: %q", got)
	}
	if got := b.Accept("m"); len(got) != 2 || got[0] != (workload.Quality{By: workload.ByCanary, Now: 0.4, Usual: 0.4}) {
		t.Errorf("%+v", got)
	}
	if b.Accept("n") != nil {
		t.Error("something is known of a model that was never measured")
	}
	if got := judge(b, workload.ByCanary, turn(4, 0), turn(4, 0), turn(1, 0), turn(1, 0)); got != "oooW" {
		t.Errorf("after: %q", got)
	}
	b = newBook(filepath.Join(t.TempDir(), File), new(bytes.Buffer))
	if got := judge(b, workload.ByCanary, turn(0, 0), turn(0, 0), turn(0, 0)); got != "LWW" || b.Accept("m") == nil {
		t.Errorf("a model that knows nothing: %q", got)
	}
	if got := judge(b, workload.ByCanary, turn(0, 0), turn(0, 0), turn(0, 0), turn(0, 0)); got != "oooo" {
		t.Errorf("after it was accepted that it knows nothing: %q", got)
	}
}

// The command accepts where no exporter runs, and makes no file where there is none.
func TestAcceptIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	if known, err := AcceptIn(path, "m"); known || err != nil {
		t.Errorf("without a file: %v, %v", known, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a file now")
	}
	ctx, cancel := context.WithCancel(t.Context())
	b := newBook(path, new(bytes.Buffer))
	judge(b, workload.ByCanary, append(slices.Repeat([]workload.Turn{turn(9, 0)}, 20), turn(4, 0), turn(4, 0))...)
	cancel()
	b.Run(ctx)
	if known, err := AcceptIn(path, "n"); known || err != nil {
		t.Errorf("of a model that is not known: %v, %v", known, err)
	}
	if known, err := AcceptIn(path, "m"); !known || err != nil {
		t.Errorf("%v, %v", known, err)
	}
	if err := os.WriteFile(path+"2", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := AcceptIn(path+"2", "m"); err == nil || !strings.Contains(err.Error(), path+"2") {
		t.Errorf("a file that cannot be used: %v", err)
	}
	if got := judge(newBook(path, new(bytes.Buffer)), workload.ByCanary, turn(4, 0), turn(4, 0)); got != "oo" {
		t.Errorf("after it: %q", got)
	}
}

// A restart forgets nothing, and no text can be told from what is kept.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "new", File)
		var log bytes.Buffer
		run := func(do func(*Book)) {
			b := newBook(path, &log)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { b.Run(ctx) })
			do(b)
			cancel()
			wg.Wait()
		}
		var key []byte
		run(func(b *Book) {
			key = b.Key()
			for range 2 * enough {
				b.Compare(answer(7))
				b.Judge(turn(9, 0))
			}
		})
		run(func(b *Book) {
			if !bytes.Equal(b.Key(), key) || len(key) != keyLength {
				t.Error("the key is another one")
			}
			if got := b.Compare(answer(8)); got != workload.RepeatsChanged {
				t.Errorf("another answer after the restart: %s", got)
			}
			if got := judge(b, workload.ByCanary, turn(0, 0), turn(0, 0)); got != "oW" {
				t.Errorf("worse answers after the restart: %q", got)
			}
		})
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || log.Len() > 0 {
			t.Errorf("%v, %v, log %s", info, err, &log)
		}
	})
}

// A file that cannot be used is set aside, and what is learnt begins anew with another key.
func TestUnusableFiles(t *testing.T) {
	for _, content := range []string{
		"", "{", "[]", `{"schema":2}`, `{"schema":1,"key":"AAAA"}`, strings.Repeat("x", maxFile+1),
		`{"schema":1,"key":"` + strings.Repeat("A", 43) + `=","prints":{"a":null}}`,
		`{"schema":1,"key":"` + strings.Repeat("A", 43) + `=","quality":{"a":null}}`,
	} {
		path := filepath.Join(t.TempDir(), File)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		b := newBook(path, &log)
		if !strings.Contains(log.String(), "unusable") || len(b.Key()) != keyLength {
			t.Errorf("%.20q: %s", content, &log)
		}
		b.Compare(answer(1))
		b.Judge(turn(9, 0))
	}
	path := filepath.Join(t.TempDir(), File)
	half := `{"schema":1,"key":"` + strings.Repeat("A", 43) + `=","prints":{"` + name("m", "prompt", "p") + `":{"variants":[null]}}}`
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(half, "\n", `\n`)), 0o600); err != nil {
		t.Fatal(err)
	}
	newBook(path, new(bytes.Buffer)).Compare(answer(1))
}

// A Book beside the one that keeps the file reads it, and neither writes it nor sets it aside.
func TestOneExporterKeepsTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), File)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var log bytes.Buffer
		first := newBook(path, &log)
		judge(first, workload.ByCanary, slices.Repeat([]workload.Turn{turn(9, 0)}, leastTurns)...)
		first.Run(ctx)

		first = newBook(path, &log)
		second := newBook(path, &log)
		if !bytes.Equal(second.Key(), first.Key()) || strings.Count(log.String(), "Another exporter keeps") != 1 {
			t.Errorf("the second has another key, or says nothing: %s", &log)
		}
		if got := judge(second, workload.ByCanary, turn(0, 0), turn(0, 0)); got != "oW" {
			t.Errorf("the second says %q", got)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		second.Run(ctx)
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the second has written over the first one's file: %v", err)
		}
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, look := range []func(*Book){(*Book).Look, (*Book).Load} {
			b := NewBook(Options{Path: path, Target: func() string { return "" }, Logger: slog.New(slog.DiscardHandler)})
			look(b)
			if _, err := os.Stat(path); err != nil || len(b.Key()) != keyLength {
				t.Errorf("the first one's file: %v", err)
			}
		}
		first.Run(ctx)
	})
}

// A disk that is not there is said once and holds up nobody; what is remembered is bounded.
func TestDiskThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		b := newBook(filepath.Join(file, File), &log)
		log.Reset()
		for i := range maxEntries + 50 {
			r := answer(1)
			r.Prompt = strings.Repeat("p", i%64) + string(rune('a'+i/64))
			b.Compare(r)
			if i%64 == 0 { // with nobody who writes
				b.Judge(turn(9, 0))
			}
		}
		b.Judge(turn(9, 0))
		if len(b.d.Prints) != maxEntries {
			t.Errorf("%d are remembered", len(b.d.Prints))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { b.Run(ctx) })
		synctest.Wait()
		b.Judge(turn(9, 0))
		cancel()
		wg.Wait()
		if n := strings.Count(log.String(), "cannot be saved"); n != 1 {
			t.Errorf("said %d times: %s", n, &log)
		}
	})
}
