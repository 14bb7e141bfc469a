package render

// aBanner is the line at the top as it should be.
var aBanner = PanelSight{
	Type: "stat", Height: lineHeight, Tiles: []Tile{{Text: Text{Text: "measured on a real node"}, Size: 14, Least: 14}},
}

func monthCases() map[string]sights {
	tall := aBanner
	tall.Height = 3 * lineHeight
	marked := func(lines int) Sight {
		marks := []Marks{{Name: "Alerts", Color: red, Lines: lines}, {Name: simulatedMark, Lines: 2, Shaded: 1}}
		return Sight{Panels: []PanelSight{aBanner}, Marks: marks}
	}
	against := func(heading string) Sight {
		return Sight{UID: "exobench-overview", state: "month", Panels: []PanelSight{
			table("Models", []string{"Model", heading}), table("Objectives met, last 7d", nil),
			{Type: "stat", Title: "ok", Tiles: []Tile{{Title: "requests, 7d"}}},
		}}
	}
	return map[string]sights{
		"the banner is one line":                       {Sight{Panels: []PanelSight{tall}}, Sight{Panels: []PanelSight{aBanner}}},
		"marks are no fence":                           {marked(29), marked(9)},
		"titles name the period that is compared with": {against("vs yesterday"), against("vs 7d")},
	}
}
