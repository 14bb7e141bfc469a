package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	kept := writeRecords(t, "results.jsonl", compareStart, 10, 2)
	call := func(env map[string]string, args ...string) (int, string, string) {
		var stdout, stderr buffer
		status := run(t.Context(), append([]string{"report"}, args...), env, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "r.html")
	for _, before := range []string{"", "something else"} {
		if before != "" {
			if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		status, out, said := call(nil, "-o", file, kept)
		if status != exitOK || said != "" || !strings.Contains(out, "a is 2.0 × as fast") {
			t.Errorf("status %d: %s%s", status, out, said)
		}
		page, err := os.ReadFile(file)
		if err != nil || !strings.HasSuffix(string(page), "</html>\n") || !strings.Contains(string(page), "a is 2.0 × as fast") {
			t.Errorf("%v: %.100s", err, page)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v: beside the page there is %v", err, left)
	}
	env := map[string]string{"EXOBENCH_RESULTS": kept, "EXOBENCH_STATE_DIR": dir}
	if status, out, said := call(env, "-o", "-"); status != exitOK || !strings.HasPrefix(out, "<!DOCTYPE html>") {
		t.Errorf("status %d: %s%.200s", status, said, out)
	}
	half := compareStart.Add(75 * time.Minute).Format(time.RFC3339)
	if _, out, _ := call(nil, "-o", "-", "-to", half, kept); !strings.Contains(out, "10 turns of 2 models") {
		t.Errorf("half of it has other turns: %.2000s", out)
	}
	if _, out, _ := call(nil, "-o", "-", kept, kept); !strings.Contains(out, "20 turns of 2 models") {
		t.Errorf("a file that is named twice counts otherwise: %.2000s", out)
	}
	for name, args := range map[string][]string{
		"nothing in it": {"-from", compareStart.AddDate(1, 0, 0).Format(time.RFC3339), kept},
		"no such file":  {filepath.Join(dir, "no.jsonl")},
		"no time":       {"-from", "yesterday", kept},
	} {
		if status, _, said := call(nil, append([]string{"-o", filepath.Join(dir, "no.html")}, args...)...); status != exitUsage || said == "" {
			t.Errorf("%s: status %d: %q", name, status, said)
		}
	}
	if status, _, said := call(nil, "-o", filepath.Join(dir, "no", "r.html"), kept); status != exitFailed || said == "" {
		t.Errorf("no directory: status %d: %q", status, said)
	}
	if _, err := os.Stat(filepath.Join(dir, "no.html")); err == nil {
		t.Error("a page of nothing was written")
	}
}

func TestExport(t *testing.T) {
	kept := writeRecords(t, "results.jsonl", compareStart, 10, 2)
	call := func(args ...string) (int, string, string) {
		var stdout, stderr buffer
		status := run(t.Context(), append([]string{"export"}, args...), nil, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	status, out, said := call("-exo-version", "1.0.71", kept)
	if status != exitOK || said != "" || !strings.Contains(out, `"exo_version_stated": "1.0.71"`) || !strings.Contains(out, `"name": "a"`) {
		t.Errorf("status %d: %s%.500s", status, said, out)
	}
	for name, args := range map[string][]string{
		"no version":   {"-exo-version", "on alice's Mac", kept},
		"no such file": {filepath.Join(t.TempDir(), "no.jsonl")},
	} {
		if status, out, said := call(args...); status != exitUsage || out != "" || said == "" {
			t.Errorf("%s: status %d: %q", name, status, said)
		}
	}
}
