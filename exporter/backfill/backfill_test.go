package backfill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// kept writes records of three turns of one model, the last of which fails, and returns the file.
func kept(t *testing.T) string {
	t.Helper()
	report := record.Report{Schema: record.Schema}
	for i, outcome := range []workload.TurnOutcome{workload.TurnOK, workload.TurnOK, workload.TurnFailed} {
		start := noon.Add(time.Duration(i) * 15 * time.Minute)
		turn := workload.Turn{
			Model: "m", Start: start, Duration: 40 * time.Second, Outcome: outcome,
			Memory: workload.Memory{Samples: 1, Median: 5, Peak: 6, PeakSource: "samples"},
		}
		for k, prompt := range []string{"p", "q"} {
			r := workload.Result{
				Model: "m", Prompt: prompt, Start: start.Add(time.Duration(10+10*k) * time.Second), Outcome: workload.OutcomeHTTPError,
			}
			if outcome == workload.TurnOK {
				r.Outcome, r.Timed, r.TTFT, r.Decode, r.E2E = workload.OutcomeOK, true, time.Second, 4*time.Second, 5*time.Second
				r.OutputTokens, r.TokenEvents = 41+40*i, 41+40*i
			}
			turn.Results = append(turn.Results, r)
		}
		report.Cycle.Turns = append(report.Cycle.Turns, turn)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, r := range report.Records() {
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "results.jsonl")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var sampleForm = regexp.MustCompile(`^(\w+)\{(.*)\} (\S+) (\S+)$`)

// parse returns the values of one series by minutes after noon.
func parse(t *testing.T, text, series string) map[float64]float64 {
	t.Helper()
	values := map[float64]float64{}
	before := -1.0
	for line := range strings.Lines(text) {
		m := sampleForm.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || m[1]+"{"+m[2]+"}" != series {
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		at, err := strconv.ParseFloat(m[4], 64)
		if err != nil || at <= before {
			t.Errorf("%s comes after %v", line, before)
		}
		before = at
		values[(at-float64(noon.Unix()))/60] = v
	}
	return values
}

func TestWrite(t *testing.T) {
	o := Options{
		From: noon.Add(-2 * time.Minute), To: noon.Add(50 * time.Minute), Step: time.Minute, MaxAge: 30 * time.Minute,
		Job: "exo-bench-exporter", Instance: "localhost:9955",
	}
	var out bytes.Buffer
	n, err := Write(&out, kept(t), o)
	if err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if lines := strings.Count(text, "\n") - strings.Count(text, "\n#"); n != lines-1 && n != lines || !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("%d samples in %d lines, ending %q", n, lines, text[len(text)-20:])
	}
	const of = `,job="exo-bench-exporter",instance="localhost:9955"`
	for name, want := range map[string]map[[2]float64]float64{ // values from and to so many minutes after noon
		`exobench_model_output_tokens_per_second{model="m"` + of + `}`:      {{1, 15}: 10, {16, 30}: 20},
		`exobench_output_tokens_per_second{model="m",prompt="q"` + of + `}`: {{1, 15}: 10, {16, 30}: 20},
		`exobench_model_resident_memory_bytes{model="m"` + of + `}`:         {{1, 30}: 5},
		`exobench_model_up{model="m"` + of + `}`:                            {{1, 30}: 1, {31, 50}: 0},
	} {
		got, count := parse(t, text, name), 0
		for span, value := range want {
			for at := span[0]; at <= span[1]; at++ {
				if got[at] != value {
					t.Errorf("%s is %v after %v minutes, want %v", name, got[at], at, value)
				}
				if _, there := got[at]; there {
					count++
				}
			}
		}
		if count != len(got) {
			t.Errorf("%s has %d samples, want %d: %v", name, len(got), count, got)
		}
	}
	for _, never := range []string{"_total", "_bucket", "exobench_exo_up", "exobench_cycle"} {
		if strings.Contains(text, never) {
			t.Errorf("%s is written, of which nothing is lost or nothing known", never)
		}
	}

	// What nobody knows any more is not made up.
	o.From, o.To, o.MaxAge = noon.Add(2*time.Hour), noon.Add(3*time.Hour), 10*time.Minute
	out.Reset()
	if n, err := Write(&out, kept(t), o); n != 0 || err != nil || out.String() != "# EOF\n" {
		t.Errorf("hours later: %d, %v, %s", n, err, &out)
	}
	o.From, o.To = noon.Add(time.Minute), noon.Add(16*time.Minute)
	out.Reset()
	if _, err := Write(&out, kept(t), o); err != nil {
		t.Fatal(err)
	}
	if got := parse(t, out.String(), `exobench_model_up{model="m"`+of+`}`); len(got) != 11 {
		t.Errorf("up to ten minutes after a turn: %v", got)
	}
}

func TestWrongOptions(t *testing.T) {
	good := Options{From: noon, To: noon.Add(time.Hour), Step: time.Minute, MaxAge: time.Hour, Job: "j", Instance: "i"}
	for want, change := range map[string]func(*Options){
		"a -from before -to": func(o *Options) { o.To = o.From },
		"at least a second":  func(o *Options) { o.Step = 0 },
		"of each series":     func(o *Options) { o.To = o.From.Add(1000 * time.Hour) },
		"an -instance":       func(o *Options) { o.Instance = "" },
	} {
		o := good
		change(&o)
		if _, err := Write(&bytes.Buffer{}, kept(t), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error that says %q, got %v", want, err)
		}
	}
	if _, err := Write(
		&bytes.Buffer{}, filepath.Join(t.TempDir(), "none"), good,
	); err == nil || !strings.Contains(fmt.Sprint(err), "no records are kept") {
		t.Errorf("without a file: %v", err)
	}
}
