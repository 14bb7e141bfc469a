package memory

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// procargs returns what kern.procargs2 gives of a process.
func procargs(path string, argv, env []string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(argv)))
	b = append(b, path...)
	for b = append(b, 0); len(b)%8 != 0; {
		b = append(b, 0)
	}
	for _, s := range slices.Concat(argv, env) {
		b = append(append(b, s...), 0)
	}
	return b
}

func TestArguments(t *testing.T) {
	for name, argv := range map[string][]string{
		"blanks":         {"/Volumes/Samsung T7/EXO 2.app/Contents/Resources/exo/exo", "--multiprocessing-fork", "tracker_fd=5"},
		"one":            {"exo"},
		"empty argument": {"python3", "", "-m", "exo"},
		"not ASCII":      {"/Users/zoë/exo"},
		"none":           nil,
	} {
		for _, env := range [][]string{nil, {"EXO_HOME=x", "A=b"}} {
			got, err := decodeArguments(procargs("/usr/bin/thing", argv, env))
			if err != nil || !slices.Equal(got, argv) {
				t.Errorf("%s: %q (error %v)", name, got, err)
			}
		}
	}
	for _, b := range []string{
		"", "\x01\x00\x00", "\x01\x00\x00\x00path", "\x02\x00\x00\x00path\x00\x00a\x00b", "\xff\xff\xff\xffp\x00a\x00",
	} {
		if got, err := decodeArguments([]byte(b)); err == nil {
			t.Errorf("%q is %q", b, got)
		}
	}
}

func FuzzArguments(f *testing.F) {
	f.Add(procargs("/bin/exo", []string{"exo", "-v"}, []string{"A=b"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		argv, err := decodeArguments(b)
		if err == nil && len(strings.Join(argv, "")) > len(b) {
			t.Errorf("%d bytes give %q", len(b), argv)
		}
	})
}
