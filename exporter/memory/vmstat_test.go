package memory

import (
	"strings"
	"testing"
)

// What vm_stat prints, by the source of Apple's system_cmds: the names, and numbers that end in a
// full stop.
const vmStat = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               13370.
Pages active:                            273571.
Pages inactive:                          270420.
Pages speculative:                         2325.
Pages throttled:                              0.
Pages wired down:                        126843.
Pages purgeable:                          13126.
"Translation faults":                 402411573.
Pages copy-on-write:                   31425125.
Pages zero filled:                    217361410.
Pages reactivated:                     15283613.
Pages purged:                           2954342.
File-backed pages:                       162046.
Anonymous pages:                         384270.
Pages stored in compressor:              580412.
Pages occupied by compressor:            326416.
Decompressions:                        12345678.
`

func TestMemoryOfAMac(t *testing.T) {
	const total = 16 << 30
	const used = (273571 + 270420 + 2325 + 126843 + 326416 - 13126 - 162046) * 16384
	got, err := parseVMStat([]byte(vmStat), total)
	if want := (HostMemory{Total: total, Available: total - used}); err != nil || got != want {
		t.Errorf("memory is %+v (error %v), want %+v", got, err, want)
	}
	if got, err := parseVMStat([]byte(vmStat), 1<<30); err != nil || got.Available != 0 {
		t.Errorf("with more used than there is: %+v (error %v)", got, err)
	}
	for name, c := range map[string]struct{ drop, want string }{
		"no page size":  {"(page size of 16384 bytes)", "want its page size"},
		"no compressor": {"Pages occupied by compressor", `does not say "Pages occupied by compressor"`},
		"no file cache": {"File-backed pages", `does not say "File-backed pages"`},
		"nothing":       {vmStat, "want its page size"},
	} {
		if got, err := parseVMStat([]byte(strings.Replace(vmStat, c.drop, "", 1)), total); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v (error %v), want %s", name, got, err, c.want)
		}
	}
}
