package render

import (
	"maps"
	"slices"
	"testing"
)

// table is a table with one row for each list of cells.
func table(title string, headings []string, rows ...[]Text) PanelSight {
	p := PanelSight{Type: "table", Title: title, Rows: rows}
	for _, h := range headings {
		p.Columns = append(p.Columns, Column{Name: h, Visible: true})
	}
	return p
}

func stat(title string, t Text) PanelSight {
	return PanelSight{Type: "stat", Title: title, Tiles: []Tile{{Text: t, Title: "x", Size: 40, Least: 14}}}
}

// sights are a dashboard for which a claim does not hold, and the same with that one thing mended.
type sights struct{ bad, good Sight }

func generalCases() map[string]sights {
	const green = "#73bf69"
	headings := []string{"Model", "Speed"}
	models := func(of, speed, color string) PanelSight {
		return table("Models", headings, []Text{{Text: of}, {Text: speed, Color: color}}, []Text{{Text: failing}, {Text: "normal", Color: green}})
	}
	changed := func(by string) PanelSight {
		return table("What has changed and holds", []string{"Model", "Kind", "Since, ago", "By"},
			[]Text{{Text: slower}, {Text: "drop"}, {Text: "1.5 hours"}, {Text: by}})
	}
	nothing := func(since string) PanelSight {
		return table("What has changed and holds", []string{"Model", "Since, ago"}, []Text{{Text: "Nothing has changed"}, {Text: since}})
	}
	list := func(link string) PanelSight {
		return table("Firing alerts", []string{"Level", "For", "Model", "What to do", "Where", "Alert"}, []Text{
			{Text: "warning"},
			{Text: "42 mins"},
			{Text: slower},
			{Text: "runbook", Link: "http://localhost:9955/runbook#exobenchthroughputdrop"},
			{Text: "panel", Link: link},
			{Text: "ExoBenchThroughputDrop"},
		})
	}
	speed := PanelSight{Title: "Speed against its baseline"}
	for _, name := range []string{"decode", "normal", "noise", "found", "95 %"} {
		speed.Legend = append(speed.Legend, Text{Text: name})
	}
	evidence := func(lines ...float64) PanelSight {
		return PanelSight{Title: "Evidence of a change", Axis: &Axis{Range: Range{0, 40}}, Drawn: &Range{0, 36}, Lines: lines}
	}
	judge := table("What the judge says", []string{"Of", "It is", "Since, ago"}, []Text{{Text: "decode"}, {Text: "slower"}, {Text: "1 hour"}})
	const right = "/d/exobench-model?viewPanel=7&var-model=" + slower
	return map[string]sights{
		"nothing is wider than the window": {Sight{Width: 390, PageWidth: 400}, Sight{Width: 390, PageWidth: 390}},
		"one screenful answers": {
			Sight{UID: "exobench-overview", Width: 1440, Panels: []PanelSight{{Title: "Models", Top: 700, Height: 200}}},
			Sight{UID: "exobench-overview", Width: 1440, Panels: []PanelSight{{Title: "Models", Top: 500, Height: 200}}},
		},
		"what is learning says so in grey": {
			Sight{UID: "exobench-model", state: "firstday", Panels: []PanelSight{stat("Speed", Text{Text: "normal", Color: green})}},
			Sight{
				UID: "exobench-model", state: "firstday",
				Panels: []PanelSight{stat("Speed", Text{Text: "learns 12/24", Color: neutral})},
			},
		},
		"a healthy node is normal": {
			Sight{UID: "exobench-overview", state: "healthy", Panels: []PanelSight{models(slower, "normal", green), nothing("-15.0 s")}},
			Sight{UID: "exobench-overview", state: "healthy", Panels: []PanelSight{models(slower, "normal", green), nothing("–")}},
		},
		"a loss is on the overview": {
			Sight{UID: "exobench-overview", state: "slower", Panels: []PanelSight{models(slower, "slower", red), changed("-3.0%")}},
			Sight{UID: "exobench-overview", state: "slower", Panels: []PanelSight{models(slower, "slower", red), changed("-10.1%")}},
		},
		"a loss is told as an alert": {
			Sight{
				UID: "exobench-overview", state: "slower",
				Panels: []PanelSight{stat("Alerts firing", Text{Text: "warning 1", Color: "#ff9830"}), list("/d/exobench-node")},
			},
			Sight{
				UID: "exobench-overview", state: "slower",
				Panels: []PanelSight{stat("Alerts firing", Text{Text: "warning 1", Color: "#ff9830"}), list(right)},
			},
		},
		"a loss is on the model's page": {
			Sight{
				UID: "exobench-model", state: "slower",
				Panels: []PanelSight{stat("Speed", Text{Text: "slower", Color: red}), speed, evidence(), judge},
			},
			Sight{
				UID: "exobench-model", state: "slower",
				Panels: []PanelSight{stat("Speed", Text{Text: "slower", Color: red}), speed, evidence(1), judge},
			},
		},
	}
}

// TestEveryClaimSeesItsFault shows each claim a dashboard for which it holds, and the same with one thing that does not.
func TestEveryClaimSeesItsFault(t *testing.T) {
	cases := generalCases()
	for _, more := range []map[string]sights{lanesCases(), trustCases(), judgeCases(), monthCases(), conditionCases()} {
		maps.Copy(cases, more)
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(claims, func(c claim) bool { return c.name == name })
			if i < 0 {
				t.Fatal("there is no such claim")
			}
			for _, s := range []*Sight{&tt.bad, &tt.good} {
				s.Greens = []string{"#73bf69"}
			}
			if got := claims[i].check(tt.good); len(got) > 0 {
				t.Errorf("of what is right it says %q", got)
			}
			if got := faults(tt.bad); !slices.ContainsFunc(got, func(f fault) bool { return f.rule == name }) {
				t.Errorf("the fault is seen by %v", got)
			}
		})
	}
	for _, c := range claims {
		if _, there := cases[c.name]; !there {
			t.Errorf("nothing shows that %q sees a fault", c.name)
		}
	}
}
