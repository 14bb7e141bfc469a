package chips

import "testing"

func TestMemoryBandwidth(t *testing.T) {
	for _, c := range []struct {
		chip   string
		memory uint64
		want   float64 // 0 for unknown
	}{
		{"Apple M1", 8 << 30, 68.25e9},
		{"Apple M4 Pro", 24 << 30, 273e9},
		{"Apple M4 Pro", 0, 273e9},
		{"M2 Ultra", 0, 800e9},
		{"Apple M3 Max", 96 << 30, 300e9},
		{"Apple M3 Max", 64 << 30, 400e9},
		{"Apple M4 Max", 36 << 30, 410e9},
		{"Apple M4 Max", 128 << 30, 546e9},
		{"Apple M4 Max", 0, 0}, // one of two
		{"Apple M99", 8 << 30, 0},
		{"Unknown Chip", 8 << 30, 0},
		{"", 8 << 30, 0},
		{"Intel Core i9", 64 << 30, 0},
	} {
		got, ok := MemoryBandwidth(c.chip, c.memory)
		if got != c.want || ok != (c.want > 0) {
			t.Errorf("%q with %d: %v, %v; want %v", c.chip, c.memory, got, ok, c.want)
		}
	}
}
