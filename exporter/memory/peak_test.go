package memory

import "testing"

func TestPeak(t *testing.T) {
	at := func(values ...uint64) sample { // rss, mark of processes 1, 2, …; 0 for one that is not there
		var s sample
		for i := 0; i < len(values); i += 2 {
			if values[i] > 0 {
				s.readings = append(s.readings, reading{key: key{pid: int32(i)}, rss: level{values[i], values[i+1]}})
				s.total += values[i]
			}
		}
		return s
	}
	for name, c := range map[string]struct {
		samples []sample // the first one starts
		want    uint64
		source  string
	}{
		"no marks":                  {[]sample{at(5, 0), at(7, 0), at(6, 0)}, 7, peakFromSamples},
		"start counts not":          {[]sample{at(9, 9), at(7, 9)}, 7, peakFromSamples},
		"spike of one":              {[]sample{at(5, 5, 10, 10), at(5, 5, 10, 10), at(5, 5, 10, 30)}, 35, peakFromMarks},
		"older mark":                {[]sample{at(5, 50), at(6, 50)}, 6, peakFromSamples},
		"older mark surpassed":      {[]sample{at(5, 50), at(6, 60)}, 60, peakFromMarks},
		"others at their smaller":   {[]sample{at(5, 5, 10, 10), at(9, 9, 10, 10), at(3, 9, 10, 30)}, 33, peakFromMarks},
		"two at once do not add up": {[]sample{at(5, 5, 10, 10), at(5, 20, 10, 30)}, 35, peakFromMarks},
		"new process":               {[]sample{at(5, 5), at(8, 8), at(6, 8, 100, 150)}, 155, peakFromMarks},
		"sample larger than mark":   {[]sample{at(5, 5, 5, 5), at(9, 9, 9, 9)}, 18, peakFromSamples},
		"growing alone":             {[]sample{at(5, 5, 5, 5), at(5, 5, 9, 9)}, 14, peakFromMarks},
		"never anything":            {[]sample{at(5, 5)}, 0, peakFromSamples},
	} {
		p := peak{of: residentOf}
		p.start(c.samples[0])
		for _, s := range c.samples[1:] {
			p.add(s)
		}
		if got, source := p.result(); got != c.want || source != c.source {
			t.Errorf("%s: peak %d from %s, want %d from %s", name, got, source, c.want, c.source)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[uint64][]uint64{7: {7}, 5: {9, 1, 5}, 4: {9, 3, 5, 1}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %d, want %d", values, got, want)
		}
	}
}
