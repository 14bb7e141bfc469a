package render

// texts makes a row of a table.
func texts(all ...string) []Text {
	row := make([]Text, len(all))
	for i, text := range all {
		row[i].Text = text
	}
	return row
}

func judgeCases() map[string]sights {
	seen := func(state, uid string, panels ...PanelSight) Sight {
		return Sight{UID: uid, state: state, Width: 1440, Panels: panels}
	}
	kinds := func(unstable string) PanelSight {
		return table("Models", []string{"Model", "Speed"},
			[]Text{{Text: partly}, {Text: "some prompts", Color: orange}},
			[]Text{{Text: gaining}, {Text: "faster", Color: blue}},
			[]Text{{Text: sometimes}, {Text: "at times", Color: orange}},
			[]Text{{Text: recurring}, {Text: unstable, Color: blue}})
	}
	list := func(evidence string) PanelSight {
		return table("What has changed and holds", []string{"Model", "Of", "Kind", "By", "Evidence", "Prompts"},
			texts(partly, "decode", "partial", "-24.8%", "–", "2"),
			texts(gaining, "decode", "gain", "19.9%", evidence, "–"),
			texts(sometimes, "decode", "intermittent", "-29.8%", "–", "–"),
			texts(recurring, "decode", "unstable", "-9.9%", "–", "–"))
	}
	part := func(prompts string) []PanelSight {
		return []PanelSight{
			stat("Speed", Text{Text: "some prompts", Color: orange}),
			table("What the judge says", []string{"Of", "Prompts"}, texts("decode", prompts)),
		}
	}
	slow := func(of string) []PanelSight {
		return []PanelSight{
			table("Models", []string{"Model", "Speed"}, texts(slower, "as all are"), texts(halved, "collapsed")),
			table("What has changed and holds", []string{"Model", "Kind", "By"}, texts("all models", "drop", "-11.9%")),
			table("Firing alerts", []string{"Alert", "Model"}, texts("ExoBenchAllModelsSlow", "–"), texts("ExoBenchThroughputDrop", of)),
			graphOf("Decode speed against its baseline", slower, "all models"),
		}
	}
	tile := func(text string) PanelSight { return stat("Speed", Text{Text: text, Color: orange}) }
	const overview, model = "exobench-overview", "exobench-model"
	return map[string]sights{
		"each kind of change has its word and colour": {
			seen("changed", overview, kinds("normal"), list("–")), seen("changed", overview, kinds("unstable"), list("–")),
		},
		"each change is in the list": {
			seen("changed", overview, kinds("unstable"), list("0.0 ×")), seen("changed", overview, kinds("unstable"), list("–")),
		},
		"a change of some prompts is on the model's page": {seen("changed", model, part("–")...), seen("changed", model, part("2")...)},
		"a loss of the node is no model's": {
			seen("allslow", overview, slow(slower)...), seen("allslow", overview, slow(halved)...),
		},
		"a loss of the node is on the model's page": {
			seen("allslow", model, tile("slower")), seen("allslow", model, tile("as all are")),
		},
	}
}
