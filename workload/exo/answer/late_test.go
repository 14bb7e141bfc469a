package answer

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// cameBefore says of each arrival how many milliseconds before its stamp its bytes had come: those that are
// named, and all others by so many.
func cameBefore(arrivals []Arrival, usual float64, late map[int]float64) []Arrival {
	return change(arrivals, func(i int, a *Arrival) {
		ms, ok := late[i]
		if !ok {
			ms = usual
		}
		a.Came = a.At.Add(-time.Duration(ms * float64(time.Millisecond)))
	})
}

// What the exporter's own lateness leaves of an answer of 100 tokens a second, whose first one comes after
// 100 ms. A stamp is as late as its read was.
func TestLateReads(t *testing.T) {
	const us = time.Microsecond
	stamps := func(late map[int]float64) []Arrival {
		ms := every(32, 100, 10)
		for i, d := range late {
			ms[i] += d
		}
		return cameBefore(at(ms...), 0, late)
	}
	for _, tc := range []struct {
		name     string
		arrivals []Arrival
		wrote    time.Duration // after t0
		gaps     int
		withheld int
		late     string        // words; empty where the answer's own times stand
		decode   time.Duration // by how much that of decoding is off, where it is too much; milliseconds
	}{
		{"all in time", stamps(nil), 0, 31, 0, "", 0},
		{"the kernel does not tell", at(every(32, 100, 10)...), time.Second, 31, 0, "", 0},
		{"the kernel does not tell of one", change(stamps(map[int]float64{9: 8}), func(i int, a *Arrival) {
			if i == 3 {
				a.Came = time.Time{}
			}
		}), 0, 31, 0, "", 0},
		{"all equally late, by a quarter of a gap", cameBefore(at(every(32, 100, 10)...), 2.5, nil), 0, 31, 0, "", 0},
		{"one by less than a tenth of a gap", stamps(map[int]float64{9: 0.8}), 0, 31, 0, "", 0},
		{"one by more", stamps(map[int]float64{9: 1.3}), 0, 29, 2, "", 0},
		{"two in a row, by the same", stamps(map[int]float64{9: 4, 10: 4}), 0, 29, 2, "", 0},
		{"the first, by less than a tenth of its time", stamps(map[int]float64{0: 5}), 0, 30, 1, "", 0},
		{"the first, by more", stamps(map[int]float64{0: 9.99, 1: 9}), 0, 30, 1, "", -9990 * us},
		{"the first of all that are late, by more", cameBefore(at(every(32, 100, 10)...), 11, nil), 0, 31, 0, "time to first token", 0},
		{"the last, by more than 2 % of decoding", stamps(map[int]float64{31: 7}), 0, 30, 1, "", 7000 * us},
		{"the last, by less", stamps(map[int]float64{31: 5}), 0, 30, 1, "", 0},
		{"the request was written late", stamps(nil), 12 * time.Millisecond, 31, 0, "12ms of the time to first token of 100ms", 0},
		{"it was written at once", stamps(nil), time.Millisecond, 31, 0, "", 0},
		{"few tokens, by what any machine may be", cameBefore(at(100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111), 0,
			map[int]float64{11: 0.9}), 0, 10, 1, "", 0},
		{"fewer, by more than a tenth", cameBefore(at(100, 101, 102, 103, 104), 0, map[int]float64{4: 0.9}), 0, 3, 1, "", 900 * us},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := Evidence{Arrivals: tc.arrivals, Asked: 64, Finish: "length", Sent: t0, Wrote: t0.Add(tc.wrote)}
			s := Look(t0, &e, Take(&e))
			if len(s.Gaps) != tc.gaps || s.Withheld != tc.withheld {
				t.Errorf("%d samples and %d withheld, want %d and %d", len(s.Gaps), s.Withheld, tc.gaps, tc.withheld)
			}
			if (s.Late == "") != (tc.late == "") || !strings.Contains(s.Late, tc.late) {
				t.Errorf("late: %q, want %q", s.Late, tc.late)
			}
			if s.DecodeOff.Round(us) != tc.decode {
				t.Errorf("the time of decoding is off by %v, want %v", s.DecodeOff, tc.decode)
			}
			known := !slices.ContainsFunc(tc.arrivals, func(a Arrival) bool { return a.Came.IsZero() })
			if known != (len(s.Lateness) > 0) {
				t.Errorf("lateness %v, known: %v", s.Lateness, known)
			}
		})
	}
}

// What the exporter asked for meanwhile may have held a token up: that gap is no sample, nor is the next one, which is
// as much shorter.
func TestGapsBesideLooks(t *testing.T) {
	const ms = time.Millisecond
	span := func(from, to float64) Span {
		return Span{t0.Add(time.Duration(from * float64(ms))), t0.Add(time.Duration(to * float64(ms)))}
	}
	held := every(32, 100, 10) // by 6 ms, and by 8 ms
	held[9], held[20] = held[9]+6, held[20]+8
	looks := []Span{span(50, 57), span(185, 195.9), span(295, 307.9), span(1000, 1010)}
	for name, tc := range map[string]struct {
		looks    []Span
		withheld int
	}{
		"nothing was asked":                         {nil, 0},
		"before the first token and after the last": {[]Span{looks[0], looks[3]}, 0},
		"twice meanwhile":                           {looks, 4},
	} {
		e := Evidence{Arrivals: at(held...), Asked: 64, Finish: "length", Sent: t0, Looks: tc.looks}
		s := Look(t0, &e, Take(&e))
		if s.Withheld != tc.withheld || len(s.Gaps) != 31-tc.withheld {
			t.Errorf("%s: %d samples and %d withheld, want %d withheld of 31", name, len(s.Gaps), s.Withheld, tc.withheld)
		}
		if tc.withheld > 0 && (slices.Max(s.Gaps) > 10*ms+time.Microsecond || slices.Min(s.Gaps) < 10*ms-time.Microsecond) {
			t.Errorf("%s: gaps from %v to %v, want 10ms", name, slices.Min(s.Gaps), slices.Max(s.Gaps))
		}
	}
}

// Events of one read are late together, and a first output that is late is one of the figures.
func TestLatenessIsThatOfReads(t *testing.T) {
	e := Evidence{Arrivals: cameBefore(at(100, 110, 110, 120), 0.5, nil), Sent: t0, Finish: "stop"}
	if s := Look(t0, &e, Take(&e)); len(s.Lateness) != 3 {
		t.Errorf("three reads were late by %v", s.Lateness)
	}
	thinking := cameBefore(at(every(32, 100, 10)...), 0, map[int]float64{20: 80})
	for i := range thinking {
		thinking[i].Content = i >= 20
	}
	e = Evidence{Arrivals: thinking, Sent: t0, Finish: "stop"}
	if s := Look(t0, &e, Take(&e)); !strings.Contains(s.Late, "time to first output") {
		t.Errorf("a first output that was read 80 ms late of 300 passes: %q", s.Late)
	}
}
