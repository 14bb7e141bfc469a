package render

import (
	"slices"
	"testing"
)

// TestEveryRuleSeesItsFault shows each rule a panel that breaks it and one beside it that does not.
func TestEveryRuleSeesItsFault(t *testing.T) {
	const (
		sentence = "No turn of this node has ended in this period yet"
		green    = "#73bf69"
	)
	tile := func(title, text, color string) Tile {
		return Tile{Text: Text{Text: text, Color: color}, Title: title, Size: 40, Least: 14}
	}
	axis := func(low, high float64, ticks ...string) *Axis { return &Axis{Range: Range{low, high}, Ticks: ticks} }
	cases := map[string]struct {
		state     string
		bad, good PanelSight
	}{
		"every query is answered and every component works": {"", PanelSight{Errors: []string{"A: parse error"}}, PanelSight{}},
		"a figure is of now": {
			"",
			PanelSight{Gone: []string{failing}, Tiles: []Tile{tile(failing, failing+" 51.1 tok/s", "")}},
			PanelSight{Gone: []string{failing}, Tiles: []Tile{tile(failing, failing+" DOWN", "")}},
		},
		"no sentence in a cell or on an axis": {
			"",
			PanelSight{NoValues: []string{sentence}, Rows: [][]Text{{{Text: sentence}}}},
			PanelSight{NoValues: []string{sentence}, Rows: [][]Text{{{Text: "–"}}}},
		},
		"all columns, rows and texts can be seen": {
			"", PanelSight{Columns: []Column{{Name: "Succeeded"}}}, PanelSight{Columns: []Column{{Name: "Succeeded", Visible: true}}},
		},
		"ticks are numbers with a unit": {
			"", PanelSight{Axis: axis(-1, 1, "-100%", sentence, "100%")}, PanelSight{Axis: axis(0, 256, "0  tok/s", "1.5 MiB", "-10%")},
		},
		"the axis fits what is drawn": {
			"",
			PanelSight{Axis: axis(-1, 1), Drawn: &Range{-0.02, 0.01}},
			PanelSight{Axis: axis(-0.1, 0.1, "-10%", "10%"), Drawn: &Range{-0.02, 0.01}},
		},
		"the legend's colours tell series apart": {
			"",
			PanelSight{Legend: []Text{{Text: "client", Color: "#ffb357"}, {Text: "server", Color: "#ffb357"}}},
			PanelSight{Legend: []Text{{Text: "client", Color: "#ffb357"}, {Text: "server", Color: green}}},
		},
		"lanes say words": {
			"",
			PanelSight{Lanes: []Lane{{Name: failing, States: []string{"-Infinity+"}}}},
			PanelSight{Lanes: []Lane{{Name: failing, States: []string{"up", "DOWN"}}}},
		},
		"texts of tiles are legible": {
			"", PanelSight{Tiles: []Tile{{Text: Text{Text: sentence}, Size: 6, Least: 6}}}, PanelSight{Tiles: []Tile{tile("", "no data", "")}},
		},
		"figures have as many digits as they carry": {
			"", PanelSight{Rows: [][]Text{{{Text: "20.9495 ms"}}}}, PanelSight{Rows: [][]Text{{{Text: "20.9 ms"}}}},
		},
		"nothing is green when nothing is scraped": {
			"exporterdown",
			PanelSight{Tiles: []Tile{tile("models", "all up", green)}},
			PanelSight{Tiles: []Tile{tile("models", "no data", "#808080")}},
		},
		"no speed of what does not run": {
			"modelfails",
			PanelSight{Tiles: []Tile{tile(failing, failing+" 51.1 tok/s", "")}},
			PanelSight{Tiles: []Tile{tile(failing, failing+" DOWN", ""), tile(slower, slower+" 55.0 tok/s", "")}},
		},
		"what was removed is gone": {
			"removed",
			PanelSight{Columns: []Column{{Name: "State", Visible: true}}, Rows: [][]Text{{{Text: failing}}}},
			PanelSight{Rows: [][]Text{{{Text: failing}}}},
		},
		"no rules is a state of the alerts": {
			"norules",
			PanelSight{Type: "stat", Title: "Alerts firing", Tiles: []Tile{tile("alerts", "none", green)}},
			PanelSight{Type: "stat", Title: "Alerts firing", Tiles: []Tile{tile("alerts", "rules not loaded", "#ff9830")}},
		},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			found := func(p PanelSight) []string {
				var rules []string
				panels := []PanelSight{p, aBanner, aLane}
				for _, f := range faults(Sight{UID: "exobench-overview", Greens: []string{green}, state: tt.state, Panels: panels}) {
					rules = append(rules, f.rule)
				}
				return rules
			}
			if got := found(tt.bad); !slices.Contains(got, name) {
				t.Errorf("the fault is seen by %q", got)
			}
			if got := found(tt.good); len(got) > 0 {
				t.Errorf("what is right breaks %q", got)
			}
		})
	}
	for _, r := range everywhere {
		if _, there := cases[r.name]; !there {
			t.Errorf("nothing shows that %q sees a fault", r.name)
		}
	}
}

// TestRowsBelowThePanel shows the rule about what can be seen a list of alerts, of which the worst are enough.
func TestRowsBelowThePanel(t *testing.T) {
	sorted := []string{"critical", "critical", "warning", "warning", "info", "info"}
	mixed := []string{"critical", "warning", "critical", "warning", "info", "info"}
	for name, tt := range map[string]struct {
		title      string
		severities []string
		onScreen   int
		want       int
	}{
		"four of six alerts":          {"Firing alerts", sorted, 4, 0},
		"three of six alerts":         {"Firing alerts", sorted, 3, 1},
		"alerts in no order":          {"Firing alerts", mixed, 4, 1},
		"four of six rows":            {"What has changed and holds", sorted, 4, 1},
		"rows of a table in no order": {"What has changed and holds", mixed, 6, 0},
	} {
		var rows [][]Text
		for _, s := range tt.severities {
			rows = append(rows, texts(s))
		}
		p := table(tt.title, []string{"Level"}, rows...)
		p.RowCount, p.RowsOnScreen = len(rows), tt.onScreen
		if got := hidden(Sight{Width: 1440}, p); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}

// TestFlatLines shows the rule about axes what is drawn on a small part of one.
func TestFlatLines(t *testing.T) {
	for name, tt := range map[string]struct {
		drawn float64
		asked bool
		want  int
	}{
		"a hundredth of what the panel asks for": {0.01, true, 1},
		"a twentieth of it":                      {0.05, true, 0},
		"a twentieth of what the panel came to":  {0.05, false, 1},
		"a tenth of it":                          {0.1, false, 0},
	} {
		p := PanelSight{Axis: &Axis{Range: Range{0, 1}, Asked: tt.asked}, Drawn: &Range{0, tt.drawn}}
		if got := badAxis(Sight{}, p); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}

// TestSpeedsAreSeen shows the rule about speeds the kinds of tiles and cells that have them.
func TestSpeedsAreSeen(t *testing.T) {
	tile := func(title, text string) PanelSight {
		return PanelSight{Title: title, Tiles: []Tile{{Text: Text{Text: failing + " " + text}, Title: failing}}}
	}
	row := PanelSight{Columns: []Column{{Name: "Model"}, {Name: "State"}, {Name: "Decode"}}}
	row.Rows = [][]Text{{{Text: failing}, {Text: "DOWN"}, {Text: "51.1 tok/s"}}}
	for name, tt := range map[string]struct {
		panel PanelSight
		want  int
	}{
		"with a unit":      {tile("Decode", "51.1 tok/s"), 1},
		"under a title":    {tile("Decode, tokens per second, last turn", "51.1"), 1},
		"a state":          {tile("Decode, tokens per second, last turn", "DOWN"), 0},
		"of a period":      {tile("Decode, 6h", "51.1 tok/s"), 0},
		"beside its state": {row, 1},
	} {
		if got := speedOfTheDown(Sight{UID: "exobench-overview", state: "modelfails"}, tt.panel); len(got) != tt.want {
			t.Errorf("%s: %q, want %d", name, got, tt.want)
		}
	}
}

// TestSpeedsOfAPeriod shows the rule about speeds of what does not run a tile of now and, beside it, one of a period.
func TestSpeedsOfAPeriod(t *testing.T) {
	tile := func(title string) PanelSight {
		return PanelSight{Type: "stat", Title: "Decode", Tiles: []Tile{{Title: title, Text: Text{Text: title + " 51.0 tok/s"}}}}
	}
	for title, want := range map[string]int{failing: 1, "median, 6h": 0} {
		if got := speedOfTheDown(Sight{state: "exporterdown"}, tile(title)); len(got) != want {
			t.Errorf("%s: %q, want %d", title, got, want)
		}
	}
}
