package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// powerless says where nothing is known of energy.
const powerless = "where exo shows no power"

// energyGauges are what a turn took of its machines.
func energyGauges() []metric.Gauge[workload.Turn] {
	return []metric.Gauge[workload.Turn]{
		{
			Family: metric.Family{
				Name: "model_energy_per_token_joules", Unit: "joules per token",
				Absent: powerless + ", when no request took long enough for two readings of it",
				Help: "Energy in joules that an output token took in the last turn, its share of the prefill and of the machines at " +
					"rest included: of the successful requests of which it is known, see exobench_energy_joules_total. One value a cycle.",
			},
			Value: workload.Turn.EnergyPerToken,
		},
		{
			Family: metric.Family{
				Name: "model_energy_info", Unit: "none", Labels: []string{"source"}, Absent: "when that turn's energy is not known",
				Help: "Constant 1; source says where the energy of the last turn was taken from: answer (exo's own figure) or power " +
					"(integrated over the power that exo showed).",
			},
			Value: func(t workload.Turn) (float64, bool) {
				_, tokens, _ := t.Energy()
				return 1, tokens > 0
			},
			Own: func(t workload.Turn) []string {
				_, _, from := t.Energy()
				return []string{string(from)}
			},
		},
		{
			Family: metric.Family{
				Name: "model_idle_power_watts", Unit: "watts", Absent: powerless + ", and where they were in use then, or until just before",
				Help: "Power in watts just before the model's last turn of the machines that hold it together: what they draw at rest, " +
					"which is part of exobench_energy_joules_total.",
			},
			Value: func(t workload.Turn) (float64, bool) { return t.Host.IdleWatts, t.Host.IdleWatts > 0 },
		},
	}
}
