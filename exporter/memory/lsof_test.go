package memory

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"testing"
)

func TestLsof(t *testing.T) {
	all, loopback := netip.IPv6Unspecified(), netip.MustParseAddr("127.0.0.1")
	for name, c := range map[string]struct {
		out  string
		want []listener
	}{
		"one": {"p51\nu501\nf11\nn*:52415\n", []listener{{all, []int32{51}, 501}}},
		"both families": {
			"p51\nu501\nf11\nn127.0.0.1:52415\nf12\nn[::1]:52415\n",
			[]listener{{loopback, []int32{51}, 501}, {netip.IPv6Loopback(), []int32{51}, 501}},
		},
		"inherited":      {"p51\nu501\nf11\nn*:52415\np60\nu501\nf3\nn*:52415\nf4\nn*:52415\n", []listener{{all, []int32{51, 60}, 501}}},
		"mapped":         {"p51\nf1\nn[::ffff:127.0.0.1]:52415\n", []listener{{loopback, []int32{51}, noUser}}},
		"another port":   {"p51\nu501\nf11\nn*:5241\nf12\nn*:152415\n", nil},
		"nothing":        {"", nil},
		"no process":     {"n*:52415\n", nil},
		"other text":     {"lsof: WARNING: can't stat()\n\np51\nx\nnfoo\n", nil},
		"nonsense value": {"px\nu\nn*:52415\n", nil},
	} {
		l := lsof{run: func(context.Context, ...string) ([]byte, error) { return []byte(c.out), &exec.ExitError{} }}
		got, err := l.listeners(t.Context(), 52415)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v (error %v), want %+v", name, got, err, c.want)
		}
	}
	l := lsof{run: func(context.Context, ...string) ([]byte, error) { return nil, exec.ErrNotFound }}
	if got, err := l.listeners(t.Context(), 1); err == nil {
		t.Errorf("without lsof: %+v", got)
	}
}

// TestRealLsof asks the lsof of this machine, which is the same program as Apple's.
func TestRealLsof(t *testing.T) {
	path, err := exec.LookPath("lsof")
	if err != nil {
		t.Skip("no lsof here:", err)
	}
	l := lsof{run: func(ctx context.Context, args ...string) ([]byte, error) {
		return exec.CommandContext(ctx, path, args...).Output()
	}}
	got, err := l.listeners(t.Context(), listenHere(t))
	if err != nil || len(got) != 1 || got[0].addr.String() != "127.0.0.1" || got[0].uid != os.Getuid() ||
		!slices.Equal(got[0].pids, []int32{int32(os.Getpid())}) {
		t.Errorf("listeners: %+v (error %v)", got, err)
	}
	if got, err := l.listeners(t.Context(), 1); err != nil || len(got) != 0 {
		t.Errorf("nobody listens on port 1, but %+v (error %v)", got, err)
	}
}
