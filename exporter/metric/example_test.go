package metric_test

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
)

// A family is declared once; its series, and what withdraws them, follow.
func ExampleRegister() {
	type turn struct {
		ok     bool
		tokens float64
	}
	reg := prometheus.NewRegistry()
	group := metric.Group[turn]{
		Labels: []string{"model"},
		Known:  func(t turn) bool { return t.ok },
		Absent: "when the last turn failed",
		Gauges: []metric.Gauge[turn]{{
			Family: metric.Family{Name: "example_tokens", Unit: "tokens", Help: "Tokens of the last turn."},
			Value:  func(t turn) (float64, bool) { return t.tokens, true },
		}},
	}
	series := metric.Register(metric.NewSet(reg), group).With("mistral-7b")

	for _, t := range []turn{{ok: true, tokens: 64}, {ok: false}} {
		series.Record(t)
		families, err := reg.Gather()
		if err != nil {
			panic(err)
		}
		for _, f := range families {
			fmt.Println(f.GetName(), f.GetMetric()[0].GetGauge().GetValue())
		}
		fmt.Println(len(families), "families")
	}
	// Output:
	// exobench_example_tokens 64
	// 1 families
	// 0 families
}
