package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// unmeasured says when nothing is known of a turn's conditions.
const unmeasured = "when no request of the last turn was measured"

// turnConditions are how it was on the exporter's machine while a turn's requests were measured, whatever came of them.
func turnConditions() metric.Group[workload.Conditions] {
	type conditions = workload.Conditions
	gauge := func(name, unit, help, absent string, value func(conditions) (float64, bool)) metric.Gauge[conditions] {
		return metric.Gauge[conditions]{Family: metric.Family{Name: name, Unit: unit, Help: help, Absent: absent}, Value: value}
	}
	const during = " of the exporter's machine while the requests of the model's last turn were measured"
	return metric.Group[conditions]{
		Labels: modelLabels,
		Known:  func(c conditions) bool { return c.Seconds > 0 },
		Absent: unmeasured,
		Gauges: []metric.Gauge[conditions]{
			gauge("model_thermal_pressure_peak", "level", "Highest thermal pressure"+during+": "+thermalLevels+".", withoutMacOS,
				func(c conditions) (float64, bool) { return deref(c.ThermalPressure) }),
			gauge("model_memory_pressure_peak", "level", "Highest memory pressure"+during+": "+memoryLevels+".", withoutMacOS,
				func(c conditions) (float64, bool) { return deref(c.MemoryPressure) }),
			gauge("model_cpu_frequency_limit_min_ratio", "ratio, 0 to 1",
				"Lowest limit of the frequency of the CPUs"+during+": "+frequencyIs+".", withoutLimit,
				func(c conditions) (float64, bool) { return deref(c.FrequencyLimit) }),
			gauge("model_cpu_core_throttles", "times", "How often cores"+during+" were slowed down for heat.", withoutHeat,
				func(c conditions) (float64, bool) { return deref(c.CoreThrottles) }),
			gauge("model_cpu_package_throttles", "times", "How often processors as a whole"+during+" were slowed down for heat.", withoutHeat,
				func(c conditions) (float64, bool) { return deref(c.PackageThrottles) }),
		},
	}
}

// turnSensors are how it was meanwhile on the machines that hold the model, by what exo shows of them.
func turnSensors() metric.Group[workload.Sensors] {
	type sensors = workload.Sensors
	const during = " while the requests of the model's last turn ran, by the readings that exo took meanwhile"
	gauge := func(name, unit, help string, value func(sensors) (float64, bool)) metric.Gauge[sensors] {
		return metric.Gauge[sensors]{
			Family: metric.Family{
				Name: name, Unit: unit, Help: help, Absent: powerless + ", where the last turn's answers came as one document",
			}, Value: value,
		}
	}
	return metric.Group[sensors]{
		Labels: modelLabels,
		Known:  func(s sensors) bool { return s.Readings > 0 },
		Absent: "when none of the last turn's requests took long enough for a reading",
		Gauges: []metric.Gauge[sensors]{
			gauge("model_temperature_peak_celsius", "degrees Celsius",
				"Highest temperature of the GPUs of the machines that hold the model"+during+".",
				func(s sensors) (float64, bool) { return deref(s.Celsius) }),
			gauge("model_gpu_utilization_ratio", "ratio, 0 to 1",
				"Mean share in use of the GPUs of the machines that hold the model"+during+".",
				func(s sensors) (float64, bool) { return deref(s.GPU) }),
			gauge("model_power_watts", "watts",
				"Mean power in watts of the machines that hold the model together"+during+".",
				func(s sensors) (float64, bool) { return deref(s.Watts) }),
		},
	}
}

// turnPressure is what a shortage of one resource cost meanwhile.
func turnPressure() metric.Group[workload.Pressure] {
	const during = "of the exporter's machine while the requests of the model's last turn were measured: the mean over that time of Linux' " +
		"pressure stall information (PSI)."
	return metric.Group[workload.Pressure]{
		Labels: []string{"model", "resource"},
		Absent: unmeasured,
		Gauges: []metric.Gauge[workload.Pressure]{
			{
				Family: metric.Family{
					Name: "model_pressure_waiting_ratio", Unit: "ratio, 0 to 1", Absent: withoutPSI,
					Help: "Share of the time in which one task at least waited for a resource (cpu, memory, io) " + during,
				},
				Value: metric.Always(func(p workload.Pressure) float64 { return p.Waiting }),
			},
			{
				Family: metric.Family{
					Name: "model_pressure_stalled_ratio", Unit: "ratio, 0 to 1", Absent: withoutPSI,
					Help: "Share of the time in which all tasks that had something to do waited for a resource (memory, io) " + during,
				},
				Value: func(p workload.Pressure) (float64, bool) { return deref(p.Stalled) },
			},
		},
	}
}

// conditionSeries are those series of one model.
type conditionSeries struct {
	machine  *metric.Series[workload.Conditions]
	sensors  *metric.Series[workload.Sensors]
	pressure map[workload.Resource]*metric.Series[workload.Pressure]
}

func (f modelFeeds) conditionsOf(model string) conditionSeries {
	s := conditionSeries{f.conditions.With(model), f.sensors.With(model), map[workload.Resource]*metric.Series[workload.Pressure]{}}
	for _, resource := range workload.Resources() {
		s.pressure[resource] = f.pressure.With(model, string(resource))
	}
	return s
}

// show shows what is known of t's conditions.
func (s conditionSeries) show(t workload.Turn) {
	c := t.Conditions
	s.machine.Show(c)
	s.sensors.Show(t.Sensors())
	for resource, series := range s.pressure {
		if p, ok := c.Pressure[resource]; ok {
			series.Show(p)
		} else {
			series.Withdraw()
		}
	}
}
