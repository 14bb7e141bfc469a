package memory

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// recorded answers from files of testdata; the file is chosen by the columns asked for.
func recorded(t *testing.T, fail error) psSource {
	return psSource{run: func(_ context.Context, args ...string) ([]byte, error) {
		line := strings.Join(args, " ")
		for columns, file := range map[string]string{
			"-o ppid=":    "ps_table.txt",
			"-o lstart=":  "ps_read.txt",
			"-o command=": "ps_commands.txt",
		} {
			if strings.Contains(line, columns) {
				out, err := os.ReadFile("testdata/" + file)
				if err != nil {
					t.Fatal(err)
				}
				return out, fail
			}
		}
		t.Fatalf("unexpected ps %s", line)
		return nil, nil
	}}
}

func TestPSOnMacOS(t *testing.T) {
	for name, fail := range map[string]error{"": nil, "one pid is gone": &exec.ExitError{}} {
		s := recorded(t, fail)
		table, err := s.Table(t.Context(), true)
		want := []Process{{0, 0}, {1, 0}, {412, 1}, {98101, 501}, {98110, 98101}, {98111, 98110}, {98112, 98110}, {98160, 98110}, {98161, 98160}}
		if err != nil || !slices.Equal(table, want) {
			t.Errorf("%s: table %v (error %v)", name, table, err)
		}
		usages, err := s.Read(t.Context(), []int32{98110, 98111, 98112, 98160, 98161}, Detail{Peak: true, PSS: true})
		born := func(s string) int64 {
			at, err := time.Parse(time.DateTime, s)
			if err != nil {
				t.Fatal(err)
			}
			return at.UnixMilli()
		}
		wantUsage := []Usage{
			{PID: 98110, RSS: 412416 * 1024, Created: born("2026-06-03 09:14:02")},
			{PID: 98111, RSS: 11248 * 1024, Created: born("2026-06-03 09:14:03")},
			{PID: 98112, RSS: 0, Created: born("2026-06-03 09:14:03")},
			{PID: 98160, RSS: 5120004 * 1024, Created: born("2026-06-13 23:59:59")},
		}
		if err != nil || !reflect.DeepEqual(usages, wantUsage) {
			t.Errorf("%s: usages %+v (error %v)", name, usages, err)
		}
		commands, err := s.Commands(t.Context(), []int32{1, 98112})
		if err != nil || commands[1][0] != "/sbin/launchd" || commands[98112][0] != "<defunct>" || len(commands) != 8 {
			t.Errorf("%s: commands %q (error %v)", name, commands, err)
		}
	}
}

// dir is where testdata has exo.
const dir = "/Volumes/Samsung T7/EXO 2.app/Contents/Resources/exo/"

// TestBlanksInThePathOfAProgram has ps and the kernel's word for what a process runs tell together what it was started as.
func TestBlanksInThePathOfAProgram(t *testing.T) {
	const exo, macmon = dir + "exo", dir + "_internal/macmon"
	paths := map[int32]string{98110: exo, 98111: exo, 98160: exo, 98161: macmon, 98101: "/opt/other"}
	k := newFakeMac()
	for pid, path := range paths {
		k.tasks = append(k.tasks, fakeTask{pid: pid, ppid: 1, foreign: true, path: path})
	}
	commands, err := newMacSource(k, recorded(t, nil), lsof{}).Commands(t.Context(), slices.Collect(maps.Keys(paths)))
	if err != nil || !isExo(commands[98110]) || roleOf(commands[98111]) != RoleNode || roleOf(commands[98160]) != RoleRunner ||
		roleOf(commands[98161]) != RoleNode {
		t.Errorf("commands %q (error %v)", commands, err)
	}
	if got := commands[98101]; got[len(got)-1] != "exo" || len(got) != 3 {
		t.Errorf("a path that the command line does not begin with changed it: %q", got)
	}
}

func TestPSFindsTheTree(t *testing.T) {
	s := New(Config{PID: 98110, Source: recorded(t, nil)})
	v := s.Look()
	if v.PID != 98110 || v.Processes != 3 {
		t.Errorf("visibility: %v", v)
	}
	if c, ok := s.Current(); !ok || c.By != "ps" || c.Footprint != workload.FootprintNone || s.pause() != idleInterval {
		t.Errorf("current %+v, the next sample comes in %v", c, s.pause())
	}
	s.Begin("m")
	if got := s.pause(); got != 2*time.Second {
		t.Errorf("a sample is taken every %v of a turn", got)
	}
}

// TestLinesThatAreNotPS feeds what no ps prints.
func TestLinesThatAreNotPS(t *testing.T) {
	s := psSource{run: func(context.Context, ...string) ([]byte, error) {
		return []byte("\n  PID  PPID\n98170\n98171     x\n   -5     1\n99999999999999 1\n98161      - Sat Jun 13 23:59:59 2026\n" +
			"98161   4096 Sa. 13 Juni 23:59:59 2026\nps: 98161: No such process\n98172     1 98110\n"), nil
	}}
	table, err := s.Table(t.Context(), true)
	if err != nil || len(table) != 0 {
		t.Errorf("table %v (error %v)", table, err)
	}
	usages, err := s.Read(t.Context(), []int32{98161}, Detail{})
	if err != nil || len(usages) != 0 {
		t.Errorf("usages %v (error %v)", usages, err)
	}
}

func TestPSCannotRun(t *testing.T) {
	s := psSource{run: func(context.Context, ...string) ([]byte, error) { return nil, exec.ErrNotFound }}
	if _, err := s.Table(t.Context(), true); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s = recorded(t, &exec.ExitError{})
	if _, err := s.Read(ctx, []int32{1}, Detail{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a ps that was cut short passes for a whole one: %v", err)
	}
	if u, err := s.Read(t.Context(), nil, Detail{}); u != nil || err != nil {
		t.Errorf("reading nothing gives %v (error %v)", u, err)
	}
}
