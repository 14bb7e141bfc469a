package answer

import (
	"encoding/json"
	"testing"
)

// A number that cannot be true is not believed, and what is no number is not known.
func TestNumbers(t *testing.T) {
	for in, want := range map[string]struct {
		count  Count
		bytes  Bytes
		rate   Rate
		amount Amount
	}{
		`7`:          {7, 7, 7, 7},
		`7.0`:        {7, 7, 7, 7},
		`0`:          {0, 0, 0, 0},
		`-0.0`:       {0, 0, 0, 0},
		`7.5`:        {Unbelievable, Unbelievable, 7.5, 7.5},
		`-1`:         {Unbelievable, Unbelievable, Unbelievable, Unbelievable},
		`1e12`:       {Unbelievable, 1e12, Unbelievable, 1e12},
		`1e400`:      {Unbelievable, Unbelievable, Unbelievable, Unbelievable},
		`9e18`:       {Unbelievable, Unbelievable, Unbelievable, Unbelievable},
		`null`:       {},
		`"12"`:       {12, 12, 12, 12},
		`"-12"`:      {Unbelievable, Unbelievable, Unbelievable, Unbelievable},
		`"twelve"`:   {},
		`1e6`:        {1e6, 1e6, Unbelievable, 1e6}, // what a division by nothing gives
		`true`:       {},
		`{"a":1}`:    {},
		`[1]`:        {},
		`"NaN"`:      {},
		`"Infinity"`: {},
	} {
		var got struct {
			C Count
			B Bytes
			R Rate
			A Amount
		}
		doc := `{"C":` + in + `,"B":` + in + `,"R":` + in + `,"A":` + in + `}`
		if err := json.Unmarshal([]byte(doc), &got); err != nil {
			t.Errorf("%s: %v: a figure never makes an answer fail", in, err)
		}
		if got.C != want.count || got.B != want.bytes || got.R != want.rate || got.A != want.amount {
			t.Errorf("%s: %+v, want %+v", in, got, want)
		}
	}
}

func TestPer(t *testing.T) {
	for _, tc := range []struct {
		amount Amount
		n      Count
		unit   float64
		want   Rate
	}{
		{3.2e8, 32, 1e9, 100},
		{0.5, 10, 1, 20},
		{0, 32, 1e9, 0},
		{1e9, 0, 1e9, 0},
		{Unbelievable, 32, 1e9, Unbelievable},
		{1e9, Unbelievable, 1e9, Unbelievable},
		{1, 32, 1e9, Unbelievable}, // 32 tokens within a nanosecond
	} {
		if got := tc.amount.Per(tc.n, tc.unit); got != tc.want {
			t.Errorf("%d in %v: %v, want %v", tc.n, tc.amount, got, tc.want)
		}
	}
}
