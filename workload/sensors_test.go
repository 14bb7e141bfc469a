package workload

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestSensorsOfATurn(t *testing.T) {
	of := func(readings int, celsius, gpu, watts float64) *Sensors {
		return &Sensors{Readings: readings, Celsius: &celsius, GPU: &gpu, Watts: &watts}
	}
	for name, c := range map[string]struct {
		requests []*Sensors
		want     Sensors
	}{
		"none":                      {},
		"of requests without":       {requests: []*Sensors{nil, {}, nil}},
		"of one":                    {[]*Sensors{nil, of(2, 60, 0.5, 30)}, *of(2, 60, 0.5, 30)},
		"the longer counts more":    {[]*Sensors{of(1, 70, 1, 40), of(3, 60, 0.5, 20)}, *of(4, 70, 0.625, 25)},
		"what one does not tell":    {[]*Sensors{of(1, 70, 1, 40), {Readings: 1, GPU: new(0.5)}}, Sensors{Readings: 2, GPU: new(0.75)}},
		"three, in whatever order":  {[]*Sensors{of(1, 60, 0, 10), of(2, 80, 0.5, 20), of(1, 70, 1, 30)}, *of(4, 80, 0.5, 20)},
		"one that had no readings":  {[]*Sensors{of(1, 60, 0, 10), {}}, *of(1, 60, 0, 10)},
		"one that is told 0 is not": {[]*Sensors{of(1, 0, 0, 0)}, *of(1, 0, 0, 0)},
	} {
		var turn Turn
		for _, s := range c.requests {
			turn.Results = append(turn.Results, Result{Sensors: s, Outcome: OutcomeTruncated})
		}
		if got := turn.Sensors(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		written, err := json.Marshal(turn)
		if err != nil {
			t.Fatal(err)
		}
		var again Turn
		if err := json.Unmarshal(written, &again); err != nil || !reflect.DeepEqual(again.Sensors(), c.want) {
			t.Errorf("%s: read back it is %+v (error %v)", name, again.Sensors(), err)
		}
		var told struct {
			Sensors *Sensors `json:"sensors"`
		}
		if err := json.Unmarshal(written, &told); err != nil || (told.Sensors != nil) != (c.want.Readings > 0) {
			t.Errorf("%s: the record tells %+v (error %v)", name, told.Sensors, err)
		}
	}
}
