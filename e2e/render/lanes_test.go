package render

import "testing"

// aLane is that of the model that fails, as a reader has to find it where one does.
var aLane = PanelSight{
	Type: "state-timeline", Title: "Models, up and down",
	Lanes: []Lane{{Name: failing, States: []string{"up", "DOWN"}, Last: "DOWN", LastColor: "#f2495c"}},
}

func lanesCases() map[string]sights {
	seen := func(p PanelSight) Sight {
		return Sight{UID: "exobench-overview", state: "modelfails", Panels: []PanelSight{p}}
	}
	grey := aLane
	grey.Lanes = []Lane{{Name: failing, States: []string{"-Infinity+"}, Last: "-Infinity+", LastColor: "#ccccdc"}}
	return map[string]sights{"a failing model's lane is red": {bad: seen(grey), good: seen(aLane)}}
}

// TestFailingLane shows the claim about a failing model a lane that says so, and what does not.
func TestFailingLane(t *testing.T) {
	seen := func(lanes ...Lane) Sight {
		return Sight{Panels: []PanelSight{{Title: aLane.Title, Lanes: lanes}}}
	}
	for name, tt := range map[string]struct {
		seen   Sight
		faults int
	}{
		"red and DOWN":       {Sight{Panels: []PanelSight{aLane}}, 0},
		"a threshold":        {seen(Lane{Name: failing, Last: "-Infinity+", LastColor: "#ccccdc"}), 1},
		"DOWN in no red":     {seen(Lane{Name: failing, Last: "DOWN", LastColor: "#73bf69"}), 1},
		"up":                 {seen(Lane{Name: failing, Last: "up", LastColor: "#73bf69"}), 1},
		"only another model": {seen(Lane{Name: slower, Last: "DOWN", LastColor: "#f2495c"}), 1},
		"no such panel":      {Sight{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := failingLane(tt.seen); len(got) != tt.faults {
				t.Errorf("got %q", got)
			}
		})
	}
}
