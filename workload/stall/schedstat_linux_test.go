package stall

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRunDelayOfThreads(t *testing.T) {
	for name, c := range map[string]struct {
		threads map[string]string // tid to content
		want    time.Duration
		ok      bool
	}{
		"three threads":         {map[string]string{"7": "12 3000 4\n", "8": "0 0 0\n", "9": "1 40000 2\n"}, 43 * time.Microsecond, true},
		"a thread that is gone": {map[string]string{"7": "12 3000 4\n", "8": ""}, 3 * time.Microsecond, true},
		"another kernel's form": {map[string]string{"7": "12 3000 4 5\n"}, 0, false},
		"not a number":          {map[string]string{"7": "a b c\n"}, 0, false},
		"no threads":            {nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for tid, content := range c.threads {
				if err := os.Mkdir(filepath.Join(dir, tid), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, tid, "schedstat"), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got, ok := runDelayOf(dir); got != c.want || ok != c.ok {
				t.Errorf("run delay is %v, %v; want %v, %v", got, ok, c.want, c.ok)
			}
		})
	}
	if d, ok := runDelayOf(filepath.Join(t.TempDir(), "none")); d != 0 || ok {
		t.Errorf("run delay without a process table is %v, %v", d, ok)
	}
}
