package render

import (
	"fmt"
	"strconv"
	"strings"
)

// The claims about a node that is disturbed, and about figures that not every node gives.
var trustClaims = []claim{
	{name: "what disturbs is counted", states: []string{"disturbed"}, check: disturbances},
	{name: "PSS is drawn where it can be read", states: []string{"disturbed"}, check: proportional},
	{name: "the use of the memory's bandwidth has a figure", states: []string{"disturbed"}, dashboard: "exobench-compare", check: bandwidth},
	{name: "disturbed requests are in no comparison", states: []string{"disturbed"}, dashboard: "exobench-compare", check: comparison},
	{name: "energy has figures", states: []string{"disturbed"}, check: energyFigures},
}

// count is a cell's number; -1 where it has none.
func (p PanelSight) count(row []Text, heading string) float64 {
	number, _, _ := strings.Cut(p.cell(row, heading).Text, " ")
	v, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
	if err != nil {
		return -1
	}
	return v
}

func disturbances(s Sight) []string {
	if s.UID != "exobench-overview" && s.UID != "exobench-model" {
		return nil
	}
	var found []string
	trust := s.find("How far to trust the figures")
	row := trust.row("Model", cached)
	headings := []string{"Requests", "Contended", "Starved", "Cached"}
	if s.Width == phone {
		headings = headings[:1]
	}
	for _, heading := range headings {
		if trust.count(row, heading) <= 0 {
			found = append(found, fmt.Sprintf("%s of %s: %q", heading, cached, trust.cell(row, heading).Text))
		}
	}
	if requests := trust.count(row, "Requests"); s.Width != phone && trust.count(row, "Contended") >= requests {
		found = append(found, "all requests are contended")
	}
	return found
}

func proportional(s Sight) []string {
	var found []string
	for title, names := range map[string]map[string][]string{
		"exobench-model": {"Memory of the last turn": {"PSS", "RSS median"}, "Memory through the turns": {"node, PSS", "runner, PSS"}},
		"exobench-node":  {"exo's resident memory": {"node, PSS", "runner, PSS"}},
	}[s.UID] {
		for _, name := range names {
			if !s.find(title).draws(name) {
				found = append(found, fmt.Sprintf("%s has no %s", title, name))
			}
		}
	}
	return found
}

// bandwidth finds bars without a share that decoding can have of what a machine reads.
func bandwidth(s Sight) []string {
	var found []string
	tiles := s.find("Memory bandwidth used").Tiles
	for _, t := range tiles {
		if used, err := percent(t.Value()); err != nil || used < 40 || used > 110 {
			found = append(found, fmt.Sprintf("%s: %q", t.Title, t.Value()))
		}
	}
	if len(tiles) < 2 {
		found = append(found, fmt.Sprintf("%d bars", len(tiles)))
	}
	return found
}

// comparison finds prompts that take models of one size very different times. The reference is one of them.
func comparison(s Sight) []string {
	var found []string
	prompts := s.find("Time by prompt, " + partly + " = 1")
	for _, row := range prompts.Rows {
		for _, c := range prompts.Columns[1:] {
			if share := prompts.count(row, c.Name); c.Name != visited && c.Visible && (share < 0.6 || share > 1.6) {
				found = append(found, fmt.Sprintf("%s: %s of %s", row[0].Text, prompts.cell(row, c.Name).Text, c.Name))
			}
		}
	}
	if len(prompts.Rows) == 0 {
		found = append(found, "no prompts")
	}
	return found
}

// energyFigures finds where what a token takes is not to be read: of every model, from what, and what machines draw at rest.
func energyFigures(s Sight) []string {
	var found []string
	switch s.UID {
	case "exobench-overview":
		models := s.find("Models")
		for _, row := range models.Rows {
			// Answers of the smallest model are always over before power is read twice.
			joules, brief := models.count(row, "J/token"), row[0].Text == visited && models.cell(row, "J/token").Text == "too short"
			if s.Width != phone && joules <= 0 && !brief {
				found = append(found, fmt.Sprintf("%s: %q", row[0].Text, models.cell(row, "J/token").Text))
			}
		}
	case "exobench-model":
		if graph := s.find("Energy by token"); len(graph.Legend) == 0 || !strings.HasPrefix(graph.Legend[0].Text, "from ") {
			found = append(found, fmt.Sprintf("the graph of the energy has %v", graph.Legend))
		}
		for _, t := range append(s.find("Machines at rest").Tiles, Tile{})[:1] {
			if !digit.MatchString(t.Text.Text) {
				found = append(found, fmt.Sprintf("at rest: %q", t.Text.Text))
			}
		}
	}
	return found
}
