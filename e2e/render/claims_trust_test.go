package render

import "slices"

func graphOf(title string, names ...string) PanelSight {
	p := PanelSight{Type: "timeseries", Title: title}
	for _, name := range names {
		p.Legend = append(p.Legend, Text{Text: name})
	}
	return p
}

func bars(title string, values ...string) PanelSight {
	p := PanelSight{Type: "bargauge", Title: title}
	for _, v := range values {
		p.Tiles = append(p.Tiles, Tile{Text: Text{Text: v}, Size: 20, Least: 14})
	}
	return p
}

func trustCases() map[string]sights {
	disturbed := func(uid string, panels ...PanelSight) Sight {
		return Sight{UID: uid, state: "disturbed", Width: 1440, Panels: panels}
	}
	trust := func(starved string) PanelSight {
		return table("How far to trust the figures", []string{"Model", "Requests", "Contended", "Starved", "Cached"},
			[]Text{{Text: cached}, {Text: "40"}, {Text: "7"}, {Text: starved}, {Text: "1,024 tok"}})
	}
	energy := func(joules string) PanelSight {
		return table("Models", []string{"Model", "J/token"}, []Text{{Text: cached}, {Text: joules}})
	}
	rest := stat("Machines at rest", Text{Text: "6.2 W"})
	through := graphOf("Memory through the turns", "node", "runner", "node, PSS", "runner, PSS")
	byToken := graphOf("Energy by token", "from power")
	last := func(more ...string) PanelSight {
		return graphOf("Memory of the last turn", slices.Concat([]string{"RSS median"}, more)...)
	}
	overview := func(starved, joules string) Sight {
		return disturbed("exobench-overview", trust(starved), energy(joules))
	}
	model := func(memory PanelSight) Sight {
		return disturbed("exobench-model", trust("3"), memory, through, byToken, rest)
	}
	compared := func(share string) PanelSight {
		return table("Time by prompt, "+partly+" = 1", []string{"prompt", partly, failing}, texts("chat-short", "1.00 ×", share))
	}
	return map[string]sights{
		"what disturbs is counted":          {overview("0", "6.05"), overview("3", "6.05")},
		"energy has figures":                {overview("3", "too short"), overview("3", "6.05")},
		"PSS is drawn where it can be read": {model(last()), model(last("PSS"))},
		"disturbed requests are in no comparison": {
			disturbed("exobench-compare", compared("3.76 ×")), disturbed("exobench-compare", compared("0.95 ×")),
		},
		"the use of the memory's bandwidth has a figure": {
			disturbed("exobench-compare", bars("Memory bandwidth used")),
			disturbed("exobench-compare", bars("Memory bandwidth used", "83.10%", "66.02%")),
		},
	}
}
