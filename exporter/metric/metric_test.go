package metric

import (
	"bytes"
	"maps"
	"math"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// trip is what the groups of these tests record.
type trip struct {
	ok      bool
	km      float64
	vehicle string
	plate   string
}

func trips() Group[trip] {
	return Group[trip]{
		Labels: []string{"driver"},
		Known:  func(t trip) bool { return t.ok },
		Absent: "when the last trip failed",
		Counters: []Counter[trip]{
			{Family: Family{Name: "trips_total", Unit: "trips", Help: "Trips."}},
			{
				Family: Family{Name: "km_total", Unit: "km", Help: "Way.", Labels: []string{"vehicle"}},
				Value:  func(t trip) float64 { return t.km },
				Values: []string{"bike", "car"}, Of: func(t trip) string { return t.vehicle },
			},
			{
				Family: Family{Name: "fuel_total", Unit: "liters", Help: "Fuel.", Absent: "until some was burnt"},
				Value:  func(t trip) float64 { return t.km * boolTo(t.vehicle == "car") }, Late: true,
			},
		},
		Histograms: []Histogram[trip]{{
			Family: Family{Name: "way_km", Unit: "km", Help: "Ways."}, Buckets: []float64{1, 10},
			Samples: func(t trip, o prometheus.Observer) { o.Observe(t.km) },
		}},
		Gauges: []Gauge[trip]{
			{
				Family: Family{Name: "last_km", Unit: "km", Help: "Last way.", Absent: "where it is not known"},
				Value:  func(t trip) (float64, bool) { return t.km, t.km != 0 },
			},
			{
				Family: Family{Name: "vehicle_info", Unit: "none", Help: "Last vehicle.", Labels: []string{"plate"}},
				Value:  Constant[trip], Own: func(t trip) []string { return []string{t.plate} },
			},
		},
	}
}

func boolTo(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// samples returns what reg exposes, by name and labels without the namespace.
func samples(t *testing.T, reg prometheus.Gatherer) map[string]string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, f := range families {
		var b bytes.Buffer
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if i := strings.LastIndex(line, " "); !strings.HasPrefix(line, "#") {
				all[strings.TrimPrefix(line[:i], Namespace+"_")] = strings.TrimSpace(line[i:])
			}
		}
	}
	return all
}

func TestSeriesFollowFromTheDeclaration(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	set := NewSet(reg)
	feed := Register(set, trips())
	anna, ben := feed.With("anna"), feed.With("ben")
	want := map[string]string{}
	for _, driver := range []string{"anna", "ben"} {
		maps.Copy(want, map[string]string{
			`trips_total{driver="` + driver + `"}`:             "0",
			`km_total{driver="` + driver + `",vehicle="bike"}`: "0",
			`km_total{driver="` + driver + `",vehicle="car"}`:  "0",
			`way_km_sum{driver="` + driver + `"}`:              "0",
			`way_km_count{driver="` + driver + `"}`:            "0",
		})
		for _, le := range []string{"1", "10", "+Inf"} {
			want[`way_km_bucket{driver="`+driver+`",le="`+le+`"}`] = "0"
		}
	}
	check := func(what string, change map[string]string) {
		t.Helper()
		for name, value := range change {
			if want[name] = value; value == "" {
				delete(want, name)
			}
		}
		if got := samples(t, reg); !maps.Equal(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", what, got, want)
		}
	}
	check("at the start", nil)

	anna.Record(trip{ok: true, km: 8, vehicle: "car", plate: "B-1"})
	check("a good trip", map[string]string{
		`trips_total{driver="anna"}`: "1", `km_total{driver="anna",vehicle="car"}`: "8", `fuel_total{driver="anna"}`: "8",
		`way_km_sum{driver="anna"}`: "8", `way_km_count{driver="anna"}`: "1",
		`way_km_bucket{driver="anna",le="10"}`: "1", `way_km_bucket{driver="anna",le="+Inf"}`: "1",
		`last_km{driver="anna"}`: "8", `vehicle_info{driver="anna",plate="B-1"}`: "1",
	})
	anna.Record(trip{ok: true, vehicle: "rocket", plate: "B-2"})
	check("no way, a vehicle that is not declared, another plate", map[string]string{
		`trips_total{driver="anna"}`: "2", `way_km_count{driver="anna"}`: "2",
		`way_km_bucket{driver="anna",le="1"}`: "1", `way_km_bucket{driver="anna",le="10"}`: "2",
		`way_km_bucket{driver="anna",le="+Inf"}`: "2",
		`last_km{driver="anna"}`:                 "", `vehicle_info{driver="anna",plate="B-1"}`: "",
		`vehicle_info{driver="anna",plate="B-2"}`: "1",
	})
	anna.Record(trip{km: 5, vehicle: "car", plate: "B-3"})
	check("a trip that failed", map[string]string{`vehicle_info{driver="anna",plate="B-2"}`: ""})

	ben.Record(trip{ok: true, km: 1, vehicle: "bike"})
	ben.Withdraw()
	check("withdrawn", map[string]string{
		`trips_total{driver="ben"}`: "1", `km_total{driver="ben",vehicle="bike"}`: "1",
		`way_km_sum{driver="ben"}`: "1", `way_km_count{driver="ben"}`: "1",
		`way_km_bucket{driver="ben",le="1"}`: "1", `way_km_bucket{driver="ben",le="10"}`: "1", `way_km_bucket{driver="ben",le="+Inf"}`: "1",
	})
	ben.Record(trip{ok: true, km: 1, vehicle: "bike"})
	ben.Delete()
	maps.DeleteFunc(want, func(name, _ string) bool { return strings.Contains(name, `"ben"`) })
	check("deleted", nil)
	set.Delete(prometheus.Labels{"driver": "anna"})
	clear(want)
	check("deleted by label", nil)
}

func TestImplausibleNumbersAreNotShown(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		reg := prometheus.NewPedanticRegistry()
		g := trips()
		g.Histograms = nil
		s := Register(NewSet(reg), g).With("anna")
		s.Record(trip{ok: true, km: 1, vehicle: "car"})
		s.Record(trip{ok: true, km: bad, vehicle: "car"})
		got := samples(t, reg)
		if got[`km_total{driver="anna",vehicle="car"}`] != "1" || got[`fuel_total{driver="anna"}`] != "1" {
			t.Errorf("%v was counted: %v", bad, got)
		}
		if shown, is := got[`last_km{driver="anna"}`]; is && bad != -1 {
			t.Errorf("%v is shown as %q", bad, shown)
		}
	}
}

func TestDeclared(t *testing.T) {
	set := NewSet(prometheus.NewRegistry())
	Register(set, trips())
	var got []string
	for _, d := range Families(set, set) {
		got = append(got, strings.Join([]string{d.FullName(), string(d.Kind), strings.Join(d.Labels, ","), d.Absent}, "; "))
	}
	want := []string{
		"exobench_fuel_total; counter; driver; until some was burnt",
		"exobench_km_total; counter; driver,vehicle; ",
		"exobench_last_km; gauge; driver; where it is not known, and when the last trip failed",
		"exobench_trips_total; counter; driver; ",
		"exobench_vehicle_info; gauge; driver,plate; when the last trip failed",
		"exobench_way_km; histogram; driver; ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestSnapshot(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	set := NewSet(reg)
	now := map[string]trip{}
	order := []string{"anna", "ben", "anna"}
	state := func(name string, value func(trip) (float64, bool)) Gauge[trip] {
		return Gauge[trip]{
			Family: Family{Name: "km", Unit: "km", Help: "Way.", Labels: []string{"of"}},
			Value:  value, Own: func(trip) []string { return []string{name} },
		}
	}
	Snapshot(set, []string{"driver"},
		func(emit func(trip, ...string)) {
			for _, name := range order {
				if r, ok := now[name]; ok {
					emit(r, name)
				}
			}
		},
		state("one", func(t trip) (float64, bool) { return t.km, t.ok }),
		state("two", func(t trip) (float64, bool) { return 2 * t.km, t.ok }))
	if got := samples(t, reg); len(got) != 0 {
		t.Errorf("at the start: %v", got)
	}
	now["anna"], now["ben"] = trip{ok: true, km: 4}, trip{ok: true, km: math.NaN()}
	want := map[string]string{`km{driver="anna",of="one"}`: "4", `km{driver="anna",of="two"}`: "8"}
	if got := samples(t, reg); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if d := Families(set); len(d) != 1 || strings.Join(d[0].Labels, ",") != "driver,of" {
		t.Errorf("declared: %+v", d)
	}
}

// What somebody else counts is a counter.
func TestSnapshotOfTotals(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	set := NewSet(reg)
	SnapshotTotals(set, []string{"driver"},
		func(emit func(trip, ...string)) { emit(trip{km: 4}, "anna") },
		Total[trip]{
			Family: Family{Name: "km_total", Unit: "km", Help: "Way.", Labels: []string{"of"}},
			Value:  func(t trip) (float64, bool) { return t.km, true }, Own: func(trip) []string { return []string{"all"} },
		})
	if got, want := samples(t, reg), map[string]string{`km_total{driver="anna",of="all"}`: "4"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	families, err := reg.Gather()
	if err != nil || families[0].GetType() != dto.MetricType_COUNTER || Families(set)[0].Kind != KindCounter {
		t.Errorf("%v, %v, declared as %s", families, err, Families(set)[0].Kind)
	}
}

// Names that a node gives are cut and made printable wherever they become labels, and found again.
func TestForeignLabels(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	set := NewSet(reg)
	long := "\xff\x1b[31m" + strings.Repeat("ü", 5_000_000)
	Register(set, trips()).With(long).Record(trip{ok: true, km: 1, vehicle: "car", plate: long})
	Snapshot(set, []string{"driver"},
		func(emit func(trip, ...string)) { emit(trip{plate: long}, long) },
		Gauge[trip]{
			Family: Family{Name: "now", Unit: "none", Help: "Now.", Labels: []string{"plate"}},
			Value:  Constant[trip], Own: func(t trip) []string { return []string{t.plate} },
		})
	all := samples(t, reg)
	if len(all) != 12 {
		t.Errorf("%d series, want 12", len(all))
	}
	for name := range all {
		if len(name) > 2*maxLabel+100 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("a series is called %q", name)
		}
	}
	set.Delete(prometheus.Labels{"driver": long})
	if all := samples(t, reg); len(all) != 1 { // the snapshot
		t.Errorf("after it was deleted: %v", all)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	g := trips()
	g.Gauges = g.Gauges[:1] // labels of its own have to be made
	s := Register(NewSet(prometheus.NewRegistry()), g).With("anna")
	good, bad := trip{ok: true, km: 8, vehicle: "car"}, trip{}
	s.Record(good)
	if n := testing.AllocsPerRun(100, func() { s.Record(good) }); n != 0 {
		t.Errorf("a record allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { s.Record(bad) }); n != 0 {
		t.Errorf("a record that yields nothing allocates %v times", n)
	}
}

// A feed of several groups feeds all of them; one that keeps its gauges shows the last that there was.
func TestSeveralGroups(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	kept := Group[trip]{
		Labels: []string{"driver"}, Known: func(t trip) bool { return t.ok }, Keep: true,
		Gauges: []Gauge[trip]{{
			Family: Family{Name: "kept_km", Unit: "km", Help: "Way."}, Value: func(t trip) (float64, bool) { return t.km, t.km != 0 },
		}},
	}
	s := Register(NewSet(reg), trips(), kept).With("anna")
	expect := func(what, last, keeps string) {
		t.Helper()
		got := samples(t, reg)
		if got[`last_km{driver="anna"}`] != last || got[`kept_km{driver="anna"}`] != keeps {
			t.Errorf("%s: %v", what, got)
		}
	}
	s.Record(trip{ok: true, km: 8, vehicle: "car"})
	expect("a good trip", "8", "8")
	s.Record(trip{ok: true, vehicle: "car"})
	expect("one without a figure", "", "8")
	s.Record(trip{km: 3})
	expect("one that failed", "", "8")
	s.Withdraw()
	expect("withdrawn", "", "8")
	s.Record(trip{ok: true, km: 2, vehicle: "car"})
	expect("another good one", "2", "2")
	s.Delete()
	if got := samples(t, reg); len(got) != 0 {
		t.Errorf("deleted: %v", got)
	}

	defer func() {
		if recover() == nil {
			t.Error("groups with different labels made a feed")
		}
	}()
	other := kept
	other.Labels = []string{"vehicle"}
	Register(NewSet(prometheus.NewRegistry()), trips(), other)
}
