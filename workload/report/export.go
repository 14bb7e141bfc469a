package report

import (
	"math"
	"time"

	"exo-bench-exporter/workload"
)

// ExportSchema is the version of the form of Export, which docs/export.schema.json describes. It is raised when a reader of the
// old form would misunderstand the new one; fields may be added without.
const ExportSchema = 1

// Export is a Report as a row of a public table: figures and facts, without sentences, addresses, and names and ids of nodes. What
// models and the suite are called is as whoever measured called them. Durations are in seconds, sizes in bytes.
type Export struct {
	Schema    int       `json:"schema"`
	Generator Generator `json:"generator"`
	Simulated bool      `json:"simulated"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	// ExoVersion is what whoever exported says: exo tells it nowhere.
	ExoVersion string             `json:"exo_version_stated,omitempty"`
	Hardware   []workload.Machine `json:"hardware"`
	Workload   ExportWorkload     `json:"workload"`
	Method     ExportMethod       `json:"method"`
	Models     []ExportModel      `json:"models"`
}

// Generator is the program that made the document.
type Generator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ExportWorkload names the suite.
type ExportWorkload struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
	BuiltIn bool   `json:"built_in"`
	Prompts int    `json:"prompts"`
}

// ExportMethod is how it was measured.
type ExportMethod struct {
	Dialects  []string `json:"dialects"`
	Routes    []string `json:"routes"`
	Engines   []Engine `json:"engines"`
	Nonce     *bool    `json:"nonce,omitempty"` // absent where series do not tell
	Exporters []string `json:"exporter_versions"`
}

// ExportModel is one model.
type ExportModel struct {
	Name       string                  `json:"name"`
	ExoModel   string                  `json:"exo_model,omitempty"`
	Parameters string                  `json:"parameters,omitempty"`
	Turns      map[string]int          `json:"turns"`    // by outcome
	Requests   map[string]int          `json:"requests"` // by outcome
	Clean      int                     `json:"clean_requests"`
	Figures    map[string]ExportFigure `json:"figures"`
	Absent     map[string]string       `json:"absent"` // why a figure is not there
}

// ExportFigure is a value with its 95 % interval, where turns are enough for one, and what it was taken from.
type ExportFigure struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
	N     int      `json:"n"`
	Of    string   `json:"of"` // turns, requests or gaps
}

// exported are the figures of a model by the name that has their unit.
func (m Model) exported() map[string]Figure {
	return map[string]Figure{
		"decode_tokens_per_second":           m.Decode,
		"server_decode_tokens_per_second":    m.ServerDecode,
		"prefill_tokens_per_second":          m.Prefill,
		"time_to_first_token_p50_seconds":    m.TTFT50,
		"time_to_first_token_p99_seconds":    m.TTFT99,
		"inter_token_latency_p50_seconds":    m.Gap50,
		"inter_token_latency_p99_seconds":    m.Gap99,
		"request_duration_seconds":           m.Whole,
		"footprint_bytes":                    m.Footprint,
		"footprint_peak_bytes":               m.FootprintPeak,
		"gpu_memory_bytes":                   m.GPU,
		"resident_memory_bytes":              m.Memory,
		"resident_memory_peak_bytes":         m.Peak,
		"proportional_memory_bytes":          m.Proportional,
		"reported_peak_memory_bytes":         m.Reported,
		"weights_bytes":                      m.Weights,
		"unreleased_memory_bytes":            m.Unreleased,
		"load_seconds":                       m.Load,
		"energy_joules_per_token":            m.Energy,
		"idle_power_watts":                   m.Idle,
		"memory_bandwidth_utilization_ratio": m.BandwidthUtilization,
	}
}

// Export returns r for a public table. exoVersion is what whoever exports says of exo, empty for nothing.
func (r Report) Export(exoVersion string) Export {
	e := Export{
		Schema: ExportSchema, Generator: Generator{"exo-bench-exporter", r.Program}, Simulated: r.Simulated, From: r.From, To: r.To,
		ExoVersion: exoVersion, Hardware: orEmpty(r.Method.Machines),
		Workload: ExportWorkload{r.Method.Suite, r.Method.SHA256, r.Method.BuiltIn, r.Method.Prompts},
		Method: ExportMethod{
			orEmpty(r.Method.Dialects), orEmpty(r.Method.Routes), orEmpty(r.Method.Engines), nil, orEmpty(r.Method.Exporters),
		},
	}
	if r.Method.NonceKnown {
		e.Method.Nonce = &r.Method.Nonce
	}
	for _, m := range r.Models {
		model := ExportModel{
			Name: m.Name, ExoModel: m.ExoModel, Parameters: m.Facts.Parameters, Turns: byName(m.Turns), Requests: byName(m.Requests), Clean: m.Clean,
			Figures: map[string]ExportFigure{}, Absent: map[string]string{},
		}
		for name, f := range m.exported() {
			if !f.Known {
				model.Absent[name] = f.Absent
				continue
			}
			figure := ExportFigure{Value: whole(f, f.Value), N: f.N, Of: f.Of}
			if f.Sure {
				low, high := whole(f, f.Range.Low), whole(f, f.Range.High)
				figure.Low, figure.High = &low, &high
			}
			model.Figures[name] = figure
		}
		e.Models = append(e.Models, model)
	}
	return e
}

// whole leaves no parts of bytes.
func whole(f Figure, v float64) float64 {
	if f.Quantity.Unit == "B" {
		return math.Round(v)
	}
	return v
}

// byName returns the numbers of counts by their names.
func byName(counts []Count) map[string]int {
	n := map[string]int{}
	for _, c := range counts {
		n[c.Name] = c.N
	}
	return n
}

// orEmpty returns all, never nil: in JSON there is a list where there may be one.
func orEmpty[T any](all []T) []T { return append([]T{}, all...) }
