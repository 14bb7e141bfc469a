package render

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// claim is something that a reader has to find on a dashboard in some states.
type claim struct {
	name      string
	states    []string // all when empty
	dashboard string   // uid, all when empty
	check     func(s Sight) []string
}

// claims are all that readers have to find.
var claims = slices.Concat(generalClaims, lanesClaims, trustClaims, judgeClaims, monthClaims)

var generalClaims = []claim{
	{name: "nothing is wider than the window", check: wide},
	{name: "one screenful answers", dashboard: "exobench-overview", check: screenful},
	{name: "what is learning says so in grey", states: []string{"firstday"}, check: learning},
	{name: "a healthy node is normal", states: []string{"healthy"}, dashboard: "exobench-overview", check: normal},
	{name: "a loss is on the overview", states: []string{"slower"}, dashboard: "exobench-overview", check: lossOnOverview},
	{name: "a loss is told as an alert", states: []string{"slower"}, dashboard: "exobench-overview", check: lossAlerts},
	{name: "what explains a loss is on the model's page", states: []string{"slower"}, dashboard: "exobench-model", check: reasonsOnModel},
	{name: "nothing explains what is normal", states: []string{"healthy"}, dashboard: "exobench-model", check: noReasonsOnModel},
	{name: "what explains a loss is on the node's page", states: []string{"slower"}, dashboard: "exobench-node", check: reasonsOnNode},
	{name: "a loss is on the model's page", states: []string{"slower"}, dashboard: "exobench-model", check: lossOnModel},
}

func wide(s Sight) []string {
	if s.PageWidth > s.Width {
		return []string{fmt.Sprintf("the page is %d pixels wide in a window of %d", s.PageWidth, s.Width)}
	}
	return nil
}

// screen is the height in pixels of a window of 1440 by 900 below Grafana's own two bars.
const screen = 900 - 96

// screenful finds panels that are open from the start and end below a window's edge.
func screenful(s Sight) []string {
	var found []string
	for _, p := range s.Panels {
		if bottom := p.Top + p.Height; s.Width > phone && !p.Folded && p.Type != "row" && bottom > screen {
			found = append(found, fmt.Sprintf("%q ends %.0f pixels down, and %d are seen", p.Title, bottom, screen))
		}
	}
	return found
}

// neutral is the colour of what is neither good nor bad.
const neutral = "#8e8e8e"

func learning(s Sight) []string {
	var found []string
	says := func(where, want string, got Text) {
		if !strings.HasPrefix(got.Text, want) || got.Color != neutral {
			found = append(found, fmt.Sprintf("%s says %q in %s, want %s … in %s", where, got.Text, got.Color, want, neutral))
		}
	}
	switch s.UID {
	case "exobench-overview":
		models := s.find("Models")
		for _, row := range models.Rows {
			says(row[0].Text, "learns ", models.cell(row, "Speed"))
		}
		if len(models.Rows) == 0 {
			found = append(found, "no models")
		}
	case "exobench-model":
		for _, t := range append(s.find("Speed").Tiles, Tile{})[:1] {
			says("the tile", "learns ", t.Text)
		}
	}
	return found
}

// good reports whether text is green.
func (s Sight) good(t Text) bool {
	return slices.Contains(s.Greens, t.Color) || slices.Contains(s.Greens, t.Background)
}

// speeds finds models of which the overview does not say what it should.
func speeds(s Sight, want func(model string) string) []string {
	var found []string
	models := s.find("Models")
	for _, row := range models.Rows {
		got, want := models.cell(row, "Speed"), want(row[0].Text)
		if got.Text != want || s.good(got) != (want == "normal") {
			found = append(found, fmt.Sprintf("%s: %q in %s, want %q", row[0].Text, got.Text, got.Color, want))
		}
	}
	if len(models.Rows) < 2 {
		found = append(found, fmt.Sprintf("%d models", len(models.Rows)))
	}
	return found
}

func normal(s Sight) []string {
	found := speeds(s, func(string) string { return "normal" })
	changes := s.find("What has changed and holds")
	row := changes.row("Model", "Nothing has changed")
	if since := changes.cell(row, "Since, ago").Text; len(changes.Rows) != 1 || since != "–" {
		found = append(found, fmt.Sprintf("what has changed: %v", changes.Rows))
	}
	for _, t := range s.find("Alerts firing").Tiles {
		if !s.good(t.Text) {
			found = append(found, fmt.Sprintf("alerts: %q", t.Text.Text))
		}
	}
	return found
}

func lossOnOverview(s Sight) []string {
	found := speeds(s, func(model string) string {
		if model == slower {
			return "slower"
		}
		return "normal"
	})
	changes := s.find("What has changed and holds")
	row := changes.row("Kind", "drop")
	by, err := percent(changes.cell(row, "By").Text)
	since := changes.cell(row, "Since, ago").Text
	if len(row) == 0 || row[0].Text != slower || err != nil || math.Abs(by+10) > 1 || !digit.MatchString(since) {
		found = append(found, fmt.Sprintf("what has changed: %v", changes.Rows))
	}
	return found
}

// lossAlerts finds what the tile and the list do not say of the alert that a loss raises.
func lossAlerts(s Sight) []string {
	var found []string
	tiles := s.find("Alerts firing").Tiles
	if len(tiles) == 0 || slices.ContainsFunc(tiles, func(t Tile) bool { return s.good(t.Text) }) {
		found = append(found, fmt.Sprintf("the tile says %v", tiles))
	}
	list := s.find("Firing alerts")
	row := list.row("Alert", "ExoBenchThroughputDrop")
	for heading, want := range map[string]string{"Model": slower, "Level": "warning", "What to do": "runbook", "Where": "panel"} {
		if s.Width == phone && heading != "Level" && heading != "Model" {
			continue
		}
		if got := list.cell(row, heading).Text; got != want {
			found = append(found, fmt.Sprintf("%s in the list is %q, want %q", heading, got, want))
		}
	}
	if age := list.cell(row, "For").Text; !digit.MatchString(age) {
		found = append(found, fmt.Sprintf("for %q", age))
	}
	for heading, parts := range map[string][]string{
		"What to do": {"/runbook#exobenchthroughputdrop"},
		"Where":      {"/d/exobench-model?viewPanel=", "var-model=" + slower},
	} {
		for _, part := range parts {
			if link := list.cell(row, heading).Link; !strings.Contains(link, part) {
				found = append(found, fmt.Sprintf("%s leads to %q, want %s in it", heading, link, part))
			}
		}
	}
	return found
}

func lossOnModel(s Sight) []string {
	var found []string
	if tiles := s.find("Speed").Tiles; len(tiles) != 1 || tiles[0].Text.Text != "slower" || s.good(tiles[0].Text) {
		found = append(found, fmt.Sprintf("the tile says %v", tiles))
	}
	graph := s.find("Speed against its baseline")
	for _, name := range []string{"decode", "normal", "noise", "found", "95 %"} {
		if !graph.draws(name) {
			found = append(found, fmt.Sprintf("the graph of the speed has no %s", name))
		}
	}
	evidence := s.find("Evidence of a change")
	a, d := evidence.Axis, evidence.Drawn
	if a == nil || d == nil || a.Min > 1 || a.Max < 1 || d.Max <= 1 || !slices.Contains(evidence.Lines, 1) {
		found = append(found, "the evidence does not cross a line at 1")
	}
	says := s.find("What the judge says")
	row := says.row("Of", "decode")
	if says.cell(row, "It is").Text != "slower" || !digit.MatchString(says.cell(row, "Since, ago").Text) {
		found = append(found, fmt.Sprintf("the judge says %v", row))
	}
	return found
}

// reaches finds what is not drawn on a graph: series, and the greatest value, give or take within.
func reaches(s Sight, title string, most, within float64, legend ...string) []string {
	var found []string
	p := s.find(title)
	for _, name := range legend {
		if !p.draws(name) {
			found = append(found, fmt.Sprintf("%q has no %s", title, name))
		}
	}
	if p.Drawn == nil || math.Abs(p.Drawn.Max-most) > within {
		found = append(found, fmt.Sprintf("%q goes up to %v, want %v", title, p.Drawn, most))
	}
	return found
}

// conditionsOnModel are the panels that tell of a turn's conditions: how far each goes, give or take within, where there are
// none, and where the machine swaps and grows hot, of which the simulator's exo shows nothing.
var conditionsOnModel = []struct {
	title                   string
	normal, strange, within float64
	legend                  []string
}{
	{"Waiting for the machine", cpuWaiting, memoryWaiting, 0.01, []string{"cpu", "memory", "io", "memory, all", "io, all"}},
	{"Pressure, as macOS calls it", 1, 4, 0.01, []string{"thermal", "memory"}},
	{"Slowed down for heat", 0, 1, 0.01, []string{"cores", "processors"}},
	{"Limit of the processor's frequency", 1, 1, 0.01, []string{"limit"}}, // it was not limited before
	{"Temperature in each turn", 61.2, 61.2, 0.01, []string{"highest"}},
	{"GPU in use in each turn", 0.91, 0.91, 0.01, []string{"GPU"}},
	{"Power in each turn", 38.7, 38.7, 1.6, []string{"power"}}, // it ripples by a twenty-fifth
}

func noReasonsOnModel(s Sight) []string {
	var found []string
	for _, c := range conditionsOnModel {
		found = append(found, reaches(s, c.title, c.normal, c.within, c.legend...)...)
	}
	return found
}

func reasonsOnModel(s Sight) []string {
	var found []string
	for _, c := range conditionsOnModel {
		found = append(found, reaches(s, c.title, c.strange, c.within, c.legend...)...)
	}
	if limit := s.find("Limit of the processor's frequency").Drawn; limit == nil || math.Abs(limit.Min-frequencyLimit) > 0.01 {
		found = append(found, fmt.Sprintf("the limit is drawn as %v, want it to fall to %v", limit, frequencyLimit))
	}
	return found
}

func reasonsOnNode(s Sight) []string {
	// The machine is read every five seconds and scraped every thirty: a rate of a minute or two is off by that much.
	found := reaches(s, "Waiting for each machine", memoryWaiting, memoryWaiting/4)
	found = append(found, reaches(s, "Pressure of each Mac", 4, 0.01)...)
	// Once a minute, between scrapes of which a rate tells half a minute.
	return append(found, reaches(s, "Each machine slowed down for heat", 2, 1)...)
}
