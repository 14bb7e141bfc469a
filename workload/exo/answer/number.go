package answer

import (
	"encoding/json"
	"math"
)

// The number types are the one place where a figure that a node tells is looked at before it is
// believed. A value that cannot be true (negative, fractional where it counts, beyond any bound)
// decodes as Unbelievable, and one that is no number at all as unknown: neither makes an answer
// fail, and neither goes any further.
type (
	// Count is a number of tokens; 0 where it is not known.
	Count int
	// Bytes is an amount of memory; 0 where it is not known.
	Bytes int64
	// Rate is in tokens a second; 0 where it is not known.
	Rate float64
	// Amount is a time, in the unit of its field; 0 where it is not known.
	Amount float64
	// Joules are an energy; 0 where it is not known.
	Joules float64
)

// Unbelievable stands in the place of a number that cannot be true.
const Unbelievable = -1

// Bounds far beyond any machine and any answer.
const (
	maxCount  = 1 << 30
	maxBytes  = 1 << 50
	maxRate   = 5e5
	maxAmount = 1e15 // nanoseconds of eleven days
	maxJoules = 1e9
)

// UnmarshalJSON implements json.Unmarshaler.
func (c *Count) UnmarshalJSON(b []byte) error { *c = Count(whole(b, maxCount)); return nil }

// UnmarshalJSON implements json.Unmarshaler.
func (n *Bytes) UnmarshalJSON(b []byte) error { *n = Bytes(whole(b, maxBytes)); return nil }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Rate) UnmarshalJSON(b []byte) error { *r = Rate(number(b, maxRate)); return nil }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amount) UnmarshalJSON(b []byte) error { *a = Amount(number(b, maxAmount)); return nil }

// UnmarshalJSON implements json.Unmarshaler.
func (j *Joules) UnmarshalJSON(b []byte) error { *j = Joules(number(b, maxJoules)); return nil }

func number(b []byte, most float64) float64 {
	if len(b) > 1 && b[0] == '"' { // some servers write numbers as texts
		b = b[1 : len(b)-1]
	}
	var v float64
	switch err := json.Unmarshal(b, &v); {
	case err != nil && len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		return Unbelievable // a number beyond what a float64 holds
	case err != nil:
		return 0
	case !(v >= 0 && v <= most): // true for NaN too
		return Unbelievable
	}
	return v
}

func whole(b []byte, most float64) float64 {
	v := number(b, most)
	if v != math.Trunc(v) {
		return Unbelievable
	}
	return v
}

// Per returns n a second over an amount of time that is given in units of so many a second; 0
// where either is not known, and Unbelievable where either cannot be true.
func (a Amount) Per(n Count, unitsPerSecond float64) Rate {
	switch {
	case a < 0 || n < 0:
		return Unbelievable
	case a == 0 || n == 0:
		return 0
	}
	r := float64(n) / (float64(a) / unitsPerSecond)
	if !(r <= maxRate) {
		return Unbelievable
	}
	return Rate(r)
}
