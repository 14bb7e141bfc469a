package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/exporter"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main() // does not return
	}
	goleak.VerifyTestMain(m)
}

// run executes a command as if args had been typed.
func run(ctx context.Context, args []string, env map[string]string, stdout, stderr io.Writer) int {
	return invocation{env: env, stdout: stdout, stderr: stderr}.run(ctx, args)
}

// buffer is a bytes.Buffer for one writer and another's looking on.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// env returns a hermetic environment with the given additions.
func env(t *testing.T, more ...string) map[string]string {
	t.Helper()
	e := map[string]string{"HOME": t.TempDir()}
	for i := 0; i < len(more); i += 2 {
		e[exporter.EnvPrefix+more[i]] = more[i+1]
	}
	return e
}

// tinySuite is over at once.
const tinySuite = `version: tiny-1
temperature: 0
seed: 1
prompts:
  - {id: one, kind: chat, max_tokens: 8, messages: [{role: user, content: "Say something short, please."}]}
  - {id: two, kind: chat, max_tokens: 8, messages: [{role: user, content: "Now say something else."}]}
`

// watched is a model that streams the answers of writeSuite's suite, in the demo's fast motion, for a
// quarter of a second: too long to pass for held back where the machine is busy.
const watched = "llama-3.1-8b"

func writeSuite(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "suite.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(tinySuite, "max_tokens: 8", "max_tokens: 64")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// deadURL returns the URL of a port on which nothing listens.
func deadURL(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(nil)
	defer s.Close()
	return s.URL
}

func TestUsage(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		env    map[string]string
		status int
		stdout []string
		stderr []string
	}{
		"help": {
			args: []string{"-h"}, stdout: []string{"Usage: exo-bench-exporter", "once", "check", "EXOBENCH_EXO_URL", "Exit status"},
		},
		"help command":    {args: []string{"help"}, stdout: []string{"Usage: exo-bench-exporter"}},
		"help on once":    {args: []string{"help", "once"}, stdout: []string{"Usage: exo-bench-exporter once", "-json"}},
		"help on nothing": {args: []string{"help", "measure"}, status: exitUsage, stderr: []string{`no command "measure"`}},
		"version flag":    {args: []string{"--version"}, stdout: []string{"exo-bench-exporter " + exporter.Version()}},
		"help of once":    {args: []string{"once", "-h"}, stdout: []string{"Usage: exo-bench-exporter once", "-json", "Exits 0"}},
		"help of check":   {args: []string{"check", "-h"}, stdout: []string{"exo-bench-exporter check", "changes nothing"}},
		"version":         {args: []string{"version"}, stdout: []string{"exo-bench-exporter ", "go1."}},
		"no such command": {args: []string{"measure"}, status: exitUsage, stderr: []string{`no command "measure"`, "-h"}},
		"no such flag":    {args: []string{"once", "-xml"}, status: exitUsage, stderr: []string{"-xml", "exo-bench-exporter once -h"}},
		"extra argument":  {args: []string{"version", "please"}, status: exitUsage, stderr: []string{`"please"`}},
		"bad variables": {
			env: env(t, "CYCLE_INTERVAL", "5", "MODELZ", "x", "EXO_URL", "http://me:hunter2@host"), status: exitUsage,
			stderr: []string{"EXOBENCH_CYCLE_INTERVAL", "EXOBENCH_MODELZ", "EXOBENCH_MODELS", "EXOBENCH_EXO_URL"},
		},
		"no interval for rules": {args: []string{"rules", "-interval", "0"}, status: exitUsage, stderr: []string{"-interval: want a value"}},
		"no job for rules":      {args: []string{"rules", "-job", ""}, status: exitUsage, stderr: []string{"-job: want a value"}},
		"rules for ages":        {args: []string{"rules", "-interval", "100000h"}, status: exitUsage, stderr: []string{"too long"}},
		"rules":                 {args: []string{"rules", "-interval", "10m"}, stdout: []string{"-interval 10m >exobench.yml", `"failed"}[30m]`}},
		"bad suite": {
			args: []string{"check"}, env: env(t, "SUITE", "/nonexistent.yaml"), status: exitUsage,
			stderr: []string{"EXOBENCH_SUITE", "/nonexistent.yaml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr buffer
			if got := run(t.Context(), tt.args, tt.env, &stdout, &stderr); got != tt.status {
				t.Errorf("exit status %d, want %d; stderr: %s", got, tt.status, stderr.String())
			}
			for _, w := range tt.stdout {
				if !strings.Contains(stdout.String(), w) {
					t.Errorf("stdout lacks %q:\n%s", w, stdout.String())
				}
			}
			for _, w := range tt.stderr {
				if !strings.Contains(stderr.String(), w) {
					t.Errorf("stderr lacks %q:\n%s", w, stderr.String())
				}
			}
			if strings.Contains(stdout.String()+stderr.String(), "hunter2") {
				t.Error("the output shows a password")
			}
		})
	}
}

func TestOnceInDemo(t *testing.T) {
	e := env(t, "SUITE", writeSuite(t), "MODELS", watched+",nonesuch")
	var stdout, stderr buffer
	if got := run(t.Context(), []string{"once", "-demo", "-json"}, e, &stdout, &stderr); got != exitFailed {
		t.Errorf("exit status %d, want %d because one model is unknown", got, exitFailed)
	}
	var doc struct {
		Simulated bool
		Dialect   string
		Workload  struct{ Version, SHA256 string }
		Cycle     struct {
			Outcome string
			Turns   []struct {
				Model, Outcome, Reason string
				Memory                 map[string]any   `json:"resident_memory"`
				Results                []map[string]any `json:"results"`
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout.String()), &doc); err != nil {
		t.Fatalf("stdout is not one JSON document: %v\n%s", err, stdout.String())
	}
	if !doc.Simulated || doc.Dialect != "exo1" || doc.Workload.Version != "tiny-1" || doc.Cycle.Outcome != "partial" ||
		len(doc.Cycle.Turns) != 2 {
		t.Fatalf("document: %+v", doc)
	}
	for _, turn := range doc.Cycle.Turns {
		switch turn.Model {
		case watched:
			if turn.Outcome != "ok" || len(turn.Results) != 2 || turn.Memory["peak_bytes"] == nil {
				t.Errorf("turn: %+v", turn)
			}
			for _, r := range turn.Results {
				if r["output_tokens"] != 64.0 || r["time_to_first_token_seconds"] == nil || r["response_id"] == "" {
					t.Errorf("result: %v", r)
				}
			}
		default:
			if turn.Outcome != "unavailable" || turn.Reason == "" {
				t.Errorf("turn: %+v", turn)
			}
		}
	}
	if !strings.Contains(stderr.String(), "[1/2]") {
		t.Errorf("no progress on stderr: %s", stderr.String())
	}
}

func TestOnceTable(t *testing.T) {
	e := env(t, "SUITE", writeSuite(t), "MODELS", watched)
	var stdout, stderr buffer
	if got := run(t.Context(), []string{"once", "-demo"}, e, &stdout, &stderr); got != exitOK {
		t.Errorf("exit status %d: %s", got, stderr.String())
	}
	for _, w := range []string{"SIMULATED", "MODEL", watched, "2 of 2 ok", "cycle ok"} {
		if !strings.Contains(stdout.String(), w) {
			t.Errorf("the table lacks %q:\n%s", w, stdout.String())
		}
	}
}

func TestCheck(t *testing.T) {
	var stdout, stderr buffer
	if got := run(t.Context(), []string{"check", "-demo"}, env(t), &stdout, &stderr); got != exitOK {
		t.Errorf("exit status %d:\n%s%s", got, stdout.String(), stderr.String())
	}
	for _, w := range []string{
		"ok    exo ", "ok    simulated", "ok    dialect        exo1", "ok    deepseek-r1    as mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit",
		"ok    memory", "ok    machine        this machine tells ",
	} {
		if !strings.Contains(stdout.String(), w) {
			t.Errorf("check lacks %q:\n%s", w, stdout.String())
		}
	}
	stdout = buffer{}
	url := deadURL(t)
	if got := run(t.Context(), []string{"check"}, env(t, "EXO_URL", url), &stdout, &stderr); got != exitFailed {
		t.Errorf("exit status %d with exo absent", got)
	}
	if !strings.Contains(stdout.String(), "FAIL  exo") || !strings.Contains(stdout.String(), url) {
		t.Errorf("check does not say that exo is absent:\n%s", stdout.String())
	}
}

// What cannot be kept is said with what to do, for every turn on exo 1.x would fail.
func TestCheckSaysWhatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	noError(t, os.WriteFile(file, nil, 0o600))
	for _, tt := range []struct {
		env  map[string]string
		want []string
	}{
		{env(t, "STATE_DIR", filepath.Join(file, "state")), []string{"FAIL  state", "not a directory", "EXOBENCH_STATE_DIR"}},
		{env(t, "RESULTS", filepath.Join(file, "r.jsonl")), []string{"ok    state", "FAIL  records", "EXOBENCH_RESULTS"}},
		{env(t, "RESULTS", filepath.Join(t.TempDir(), "r.jsonl")), []string{"ok    state", "ok    records"}},
	} {
		tt.env[exporter.EnvPrefix+"EXO_URL"] = deadURL(t)
		var out buffer
		if got := run(t.Context(), []string{"check"}, tt.env, &out, &out); got != exitFailed {
			t.Errorf("exit status %d", got)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("check lacks %q:\n%s", want, out.String())
			}
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServeWithoutExo(t *testing.T) {
	addr := freeAddress(t)
	e := env(t, "EXO_URL", deadURL(t), "LISTEN_ADDRESS", addr, "API_KEY", "s3cr3t")
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr buffer
	done := make(chan int)
	go func() { done <- run(ctx, nil, e, &stdout, &stderr) }()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) string { return fetch(client, "http://"+addr+path) }
	until(t, client, addr, "exobench_exo_up 0", &stderr)
	var checked buffer
	if got := run(ctx, []string{"healthcheck"}, e, &checked, &checked); got != exitOK {
		t.Errorf("healthcheck: %d %s", got, checked.String())
	}
	if page := get("/"); !strings.Contains(page, "refused") || strings.Contains(page, "SIMULATED") {
		t.Errorf("the status page does not say why exo is down:\n%s", page)
	}
	if strings.Contains(get("/")+get("/metrics")+stderr.String(), "s3cr3t") {
		t.Error("the API key shows")
	}
	cancel()
	if got := <-done; got != exitOK {
		t.Errorf("exit status %d:\n%s", got, stderr.String())
	}
	if got := run(t.Context(), []string{"healthcheck"}, e, &checked, &checked); got != exitFailed {
		t.Errorf("healthcheck of a stopped exporter: %d", got)
	}
}

// fetch returns what is served at url; nothing while nobody serves there.
func fetch(client *http.Client, url string) string {
	resp, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

// until waits until the metrics served at addr hold a line.
func until(t *testing.T, client *http.Client, addr, line string, log *buffer) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(fetch(client, "http://"+addr+"/metrics"), "\n"+line+"\n") {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not served:\n%s", line, log.String())
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestServeOnATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stdout, stderr buffer
	got := run(t.Context(), nil, env(t, "LISTEN_ADDRESS", l.Addr().String()), &stdout, &stderr)
	if got != exitFailed || !strings.Contains(stderr.String(), "EXOBENCH_LISTEN_ADDRESS") {
		t.Errorf("exit status %d: %s", got, stderr.String())
	}
}
