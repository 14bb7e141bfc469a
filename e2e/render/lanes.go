package render

import (
	"fmt"
	"regexp"
)

// Lane is a line of a state timeline.
type Lane struct {
	Name      string   `json:"name"`
	States    []string `json:"states"` // all that it has been in, each once
	Last      string   `json:"last"`
	LastColor string   `json:"lastColor"`
}

var lanesClaims = []claim{
	{name: "a failing model's lane is red", states: []string{"modelfails"}, dashboard: "exobench-overview", check: failingLane},
}

var threshold = regexp.MustCompile(`\d$|\+$`)

// wordless finds lanes that say a number, or which threshold it has passed, instead of what the number stands for.
func wordless(_ Sight, p PanelSight) []string {
	var found []string
	for _, l := range p.Lanes {
		for _, state := range l.States {
			if threshold.MatchString(state) {
				found = append(found, fmt.Sprintf("%s is %q", l.Name, state))
			}
		}
	}
	return found
}

func failingLane(s Sight) []string {
	lanes := s.find("Models, up and down").Lanes
	for _, l := range lanes {
		switch {
		case l.Name != failing:
		case l.Last == "DOWN" && l.LastColor == "#f2495c":
			return nil
		default:
			return []string{fmt.Sprintf("%s is at last %q in %s", l.Name, l.Last, l.LastColor)}
		}
	}
	return []string{fmt.Sprintf("%s has none of %d lanes", failing, len(lanes))}
}
