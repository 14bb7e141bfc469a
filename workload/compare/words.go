package compare

import (
	"fmt"
	"math"
)

// Words says what may be said of c.
func (c Change) Words() string {
	switch c.Verdict {
	case Higher, Lower:
		return c.Quantity.Moved(c.Ratio)
	case Same:
		return fmt.Sprintf("no change (%s)", signed(c.Ratio))
	}
	if c.Turns[0] == 0 || c.Turns[1] == 0 { // none shows half of the prompts
		return fmt.Sprintf("cannot tell: needs about %d more", c.More)
	}
	found := signed(c.Ratio)
	if !c.Known {
		found = fmt.Sprintf("%+.1f %%", 100*c.Ratio.Centre)
	}
	return fmt.Sprintf("cannot tell (%s): needs about %d more", found, c.More)
}

// Moved says by how much there is more or less of q.
func (q Quantity) Moved(i Interval) string {
	more, less := q.Words()
	word := more
	if i.Centre < 0 {
		word = less
	}
	if i.Centre >= 1 { // 150 % faster is hard to read
		return fmt.Sprintf("%s, %.2f × (%.2f–%.2f)", word, 1+i.Centre, 1+i.Low, 1+i.High)
	}
	if lopsided(i) {
		low, high := math.Abs(i.Low), math.Abs(i.High)
		return fmt.Sprintf("%s by %.1f %% (%.1f–%.1f %%)", word, 100*math.Abs(i.Centre), 100*min(low, high), 100*max(low, high))
	}
	return fmt.Sprintf("%s by %.1f %% ± %.1f %%", word, 100*math.Abs(i.Centre), 100*(i.High-i.Low)/2)
}

func signed(i Interval) string {
	if lopsided(i) {
		return fmt.Sprintf("%+.1f %%, from %+.1f to %+.1f %%", 100*i.Centre, 100*i.Low, 100*i.High)
	}
	return fmt.Sprintf("%+.1f %% ± %.1f %%", 100*i.Centre, 100*(i.High-i.Low)/2)
}

// lopsided reports whether one number does not describe both arms of i, so that ± would say an untruth.
func lopsided(i Interval) bool {
	low, high := i.Centre-i.Low, i.High-i.Centre
	return max(low, high) > 1.25*min(low, high)
}

// Amount is v of q with its unit.
func (q Quantity) Amount(v float64) string {
	switch q.Unit {
	case "s":
		if v < 0.1 {
			return fmt.Sprintf("%.1f ms", 1000*v)
		}
		return fmt.Sprintf("%.0f ms", 1000*v)
	case "B":
		return fmt.Sprintf("%.2f GiB", v/(1<<30))
	case "ratio":
		return fmt.Sprintf("%.0f %%", 100*v)
	case "J/token":
		return fmt.Sprintf("%.2f J", v)
	}
	return fmt.Sprintf("%.1f %s", v, q.Unit)
}

// Several is a number of things in words: "1 turn", "1,200 turns".
func Several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Thousands(n) + " " + thing + "s"
}

// Thousands writes a number as people read it.
func Thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
