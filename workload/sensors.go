package workload

// Sensors are what the machines that hold a model together showed while requests of it ran, as the node tells. They explain
// figures, and are no figure of a model. What one of the machines does not show is nil.
type Sensors struct {
	// Readings is how many readings of the machines, all together, this is taken from; 0 means that there was none.
	Readings int `json:"readings"`
	// Celsius is the highest temperature of a machine's GPU.
	Celsius *float64 `json:"temperature_celsius,omitempty"`
	// GPU is the share of a machine's GPU that was in use, 0 to 1: the mean.
	GPU *float64 `json:"gpu_utilization_ratio,omitempty"`
	// Watts is the power of the machines together: the mean.
	Watts *float64 `json:"power_watts,omitempty"`
}

// Sensors returns what the machines showed while the turn's requests ran, whatever came of them; without readings where
// nothing was seen. A mean is one of readings: a request that took long has more of them.
func (t Turn) Sensors() Sensors {
	var all Sensors
	for _, r := range t.Results {
		if s := r.Sensors; s != nil && s.Readings > 0 {
			all = all.with(*s)
		}
	}
	return all
}

// with returns s and other as one.
func (s Sensors) with(other Sensors) Sensors {
	if s.Readings == 0 {
		return other
	}
	n := s.Readings + other.Readings
	both := func(a, b *float64, join func(a, b float64) float64) *float64 {
		if a == nil || b == nil {
			return nil
		}
		return new(join(*a, *b))
	}
	mean := func(a, b float64) float64 {
		return (a*float64(s.Readings) + b*float64(other.Readings)) / float64(n)
	}
	return Sensors{
		Readings: n,
		Celsius:  both(s.Celsius, other.Celsius, func(a, b float64) float64 { return max(a, b) }),
		GPU:      both(s.GPU, other.GPU, mean), Watts: both(s.Watts, other.Watts, mean),
	}
}
