package memory

import (
	"encoding/binary"
	"testing"
)

// rusageFields are all fields of rusage_info after the UUID in their order, each of eight bytes, with the offset at which
// bsd/sys/resource.h of xnu-11417 has each, and the flavor that it came with.
var rusageFields = []struct {
	name   string
	offset int
	flavor int
}{
	{"user_time", 16, 0},
	{"system_time", 24, 0},
	{"pkg_idle_wkups", 32, 0},
	{"interrupt_wkups", 40, 0},
	{"pageins", 48, 0},
	{"wired_size", 56, 0},
	{"resident_size", 64, 0},
	{"phys_footprint", 72, 0},
	{"proc_start_abstime", 80, 0},
	{"proc_exit_abstime", 88, 0},
	{"child_user_time", 96, 1},
	{"child_system_time", 104, 1},
	{"child_pkg_idle_wkups", 112, 1},
	{"child_interrupt_wkups", 120, 1},
	{"child_pageins", 128, 1},
	{"child_elapsed_abstime", 136, 1},
	{"diskio_bytesread", 144, 2},
	{"diskio_byteswritten", 152, 2},
	{"cpu_time_qos_default", 160, 3},
	{"cpu_time_qos_maintenance", 168, 3},
	{"cpu_time_qos_background", 176, 3},
	{"cpu_time_qos_utility", 184, 3},
	{"cpu_time_qos_legacy", 192, 3},
	{"cpu_time_qos_user_initiated", 200, 3},
	{"cpu_time_qos_user_interactive", 208, 3},
	{"billed_system_time", 216, 3},
	{"serviced_system_time", 224, 3},
	{"logical_writes", 232, 4},
	{"lifetime_max_phys_footprint", 240, 4},
	{"instructions", 248, 4},
	{"cycles", 256, 4},
	{"billed_energy", 264, 4},
	{"serviced_energy", 272, 4},
	{"interval_max_phys_footprint", 280, 4},
	{"runnable_time", 288, 4},
	{"flags", 296, 5},
	{"user_ptime", 304, 6},
	{"system_ptime", 312, 6},
	{"pinstructions", 320, 6},
	{"pcycles", 328, 6},
	{"energy_nj", 336, 6},
	{"penergy_nj", 344, 6},
	{"secure_time_in_system", 352, 6},
	{"secure_ptime_in_system", 360, 6},
	{"neural_footprint", 368, 6},
	{"lifetime_max_neural_footprint", 376, 6},
	{"interval_max_neural_footprint", 384, 6},
	{"reserved0", 392, 6},
	{"reserved1", 400, 6},
	{"reserved2", 408, 6},
	{"reserved3", 416, 6},
	{"reserved4", 424, 6},
	{"reserved5", 432, 6},
	{"reserved6", 440, 6},
	{"reserved7", 448, 6},
	{"reserved8", 456, 6},
}

// writeRusage returns a rusage_info of a flavor in which each field that is named has its value, and every other byte is 0xA5.
func writeRusage(flavor int, values map[string]uint64) []byte {
	b := make([]byte, 16)
	for _, f := range rusageFields {
		if f.flavor <= flavor {
			b = append(b, make([]byte, 8)...)
		}
	}
	for i := range b {
		b[i] = 0xA5
	}
	for _, f := range rusageFields {
		if v, ok := values[f.name]; ok && f.flavor <= flavor {
			binary.LittleEndian.PutUint64(b[f.offset:], v)
		}
	}
	return b
}

func TestLayoutsOfRusage(t *testing.T) {
	offset := 16
	for _, f := range rusageFields {
		if f.offset != offset {
			t.Fatalf("the table has %s at %d, after what ends at %d", f.name, f.offset, offset)
		}
		offset += 8
	}
	values := map[string]uint64{
		"resident_size": 0x0102030405060708, "phys_footprint": 0x1112131415161718, "lifetime_max_phys_footprint": 0x2122232425262728,
	}
	want := rusage{values["resident_size"], values["phys_footprint"], values["lifetime_max_phys_footprint"]}
	for flavor, size := range []int{96, 144, 160, 232, 296, 304, 464} {
		b := writeRusage(flavor, values)
		if len(b) != size {
			t.Errorf("flavor %d has %d bytes by its fields, %d by its size", flavor, len(b), size)
			continue
		}
		if has := size >= rusageMost+8; has != (flavor >= rusageFlavor) {
			t.Errorf("flavor %d has a highest footprint: %v", flavor, has)
		}
		if flavor < rusageFlavor {
			continue
		}
		// Whatever a later flavor has at its end, what comes before is laid out alike.
		if got := decodeRusage((*[rusageSize]byte)(b)); got != want {
			t.Errorf("flavor %d is %+v, want %+v", flavor, got, want)
		}
	}
	if got := len(writeRusage(rusageFlavor, nil)); got != rusageSize {
		t.Errorf("the kernel writes %d bytes into a buffer of %d", got, rusageSize)
	}
}
