package report_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/workload"
)

// Every figure is there or says why it is not, what it rests on is told, and nothing tells where it was measured.
func TestExport(t *testing.T) {
	m := two
	m.speed = map[string]float64{"llama-3.1-8b": 48, "llama-3.2-1b": 245, "qwen-1.5-7b": 0}
	e := of(t, m).Export("1.0.71")
	if e.Schema != 1 || e.Simulated || e.ExoVersion != "1.0.71" || e.Generator.Version != "test" || e.Workload.SHA256 != "5" ||
		!slices.Equal(e.Hardware, []workload.Machine{mini}) || len(e.Models) != 3 {
		t.Errorf("%+v", e)
	}
	for _, m := range e.Models {
		if n := len(m.Figures) + len(m.Absent); n != 21 {
			t.Errorf("%s has %d figures and reasons", m.Name, n)
		}
		for name, why := range m.Absent {
			if why == "" {
				t.Errorf("%s: nothing says why there is no %s", m.Name, name)
			}
		}
	}
	one := e.Models[1]
	if f := one.Figures["decode_tokens_per_second"]; f.N != 12 || f.Of != "turns" || f.Low == nil || *f.Low > f.Value || *f.High < f.Value {
		t.Errorf("decode: %+v", f)
	}
	if one.Requests["ok"] != 48 || e.Models[2].Turns["unavailable"] != 12 || len(e.Models[2].Figures) != 0 {
		t.Errorf("%+v\n%+v", one, e.Models[2])
	}
	b, err := json.Marshal(e)
	if err != nil || strings.Contains(string(b), "secret") || strings.Contains(string(b), "null") {
		t.Errorf("%v: %s", err, b)
	}
}
