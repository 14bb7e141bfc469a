package render

// drawn is a graph of series whose values lie in that range.
func drawn(title string, least, most float64, legend ...string) PanelSight {
	p := graphOf(title, legend...)
	p.Drawn = &Range{least, most}
	return p
}

// conditionCases are of what explains a loss.
func conditionCases() map[string]sights {
	onModel := func(state string, memory, limit float64) Sight {
		s := Sight{UID: "exobench-model", state: state}
		for _, c := range conditionsOnModel {
			most, least := c.normal, 0.0
			if state == "slower" {
				most = c.strange
			}
			switch c.title {
			case "Waiting for the machine":
				most = memory
			case "Limit of the processor's frequency":
				least = limit
			}
			s.Panels = append(s.Panels, drawn(c.title, least, most, c.legend...))
		}
		return s
	}
	onNode := func(memory, level, heat float64) Sight {
		return Sight{UID: "exobench-node", state: "slower", Panels: []PanelSight{
			drawn("Waiting for each machine", 0, memory),
			drawn("Pressure of each Mac", 0, level),
			drawn("Each machine slowed down for heat", 0, heat),
		}}
	}
	return map[string]sights{
		"what explains a loss is on the model's page": {
			onModel("slower", memoryWaiting, 1), onModel("slower", memoryWaiting, frequencyLimit),
		},
		"nothing explains what is normal":            {onModel("healthy", memoryWaiting, 1), onModel("healthy", cpuWaiting, 1)},
		"what explains a loss is on the node's page": {onNode(cpuWaiting, 4, 2), onNode(0.46, 4, 2)},
	}
}
