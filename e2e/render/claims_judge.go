package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The claims about what the judge says of a node on which much has changed, or all of it.
var judgeClaims = []claim{
	{name: "each kind of change has its word and colour", states: []string{"changed"}, dashboard: "exobench-overview", check: kindsOnOverview},
	{name: "each change is in the list", states: []string{"changed"}, dashboard: "exobench-overview", check: kindsInList},
	{name: "a change of some prompts is on the model's page", states: []string{"changed"}, dashboard: "exobench-model", check: partOnModel},
	{name: "a loss of the node is no model's", states: []string{"allslow"}, dashboard: "exobench-overview", check: lossOfNode},
	{name: "a loss of the node is on the model's page", states: []string{"allslow"}, dashboard: "exobench-model", check: lossOfNodeOnModel},
}

// none stands where there is nothing.
const none = "–"

// Colours of what is for information, to look at, and bad.
const (
	blue   = "#5794f2"
	orange = "#ff9830"
	red    = "#f2495c"
)

func kindsOnOverview(s Sight) []string {
	var found []string
	models := s.find("Models")
	for model, want := range map[string]Text{
		partly:    {Text: "some prompts", Color: orange},
		gaining:   {Text: "faster", Color: blue},
		sometimes: {Text: "at times", Color: orange},
		recurring: {Text: "unstable", Color: blue},
	} {
		if got := models.cell(models.row("Model", model), "Speed"); got.Text != want.Text || got.Color != want.Color {
			found = append(found, fmt.Sprintf("%s: %q in %s, want %q in %s", model, got.Text, got.Color, want.Text, want.Color))
		}
	}
	return found
}

// kindsInList finds what is not in the list of changes of the decode rate: of which model, by how much, on how many prompts. There is
// evidence of none of them: it is of losses of a model as a whole.
func kindsInList(s Sight) []string {
	var found []string
	changes := s.find("What has changed and holds")
	for model, want := range map[string]struct {
		kind     string
		from, to float64 // per cent
		prompts  string
	}{
		partly:    {"partial", -28, -20, "2"},
		gaining:   {"gain", 15, 25, none},
		sometimes: {"intermittent", -35, -20, none},
		recurring: {"unstable", -12, -7, none},
	} {
		i := slices.IndexFunc(changes.Rows, func(row []Text) bool {
			return changes.cell(row, "Model").Text == model && changes.cell(row, "Of").Text == "decode"
		})
		if i < 0 {
			found = append(found, model+" is not in the list")
			continue
		}
		row := changes.Rows[i]
		by, err := percent(changes.cell(row, "By").Text)
		kind, prompts, evidence := changes.cell(row, "Kind").Text, changes.cell(row, "Prompts").Text, changes.cell(row, "Evidence").Text
		seen := s.Width != phone // where the columns on the right are pushed to
		if kind != want.kind || seen && (err != nil || by < want.from || by > want.to || prompts != want.prompts || evidence != none) {
			found = append(found, fmt.Sprintf("%s: %s by %.1f %% on %s prompts, evidence %q", model, kind, by, prompts, evidence))
		}
	}
	return found
}

func percent(text string) (float64, error) {
	return strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
}

func partOnModel(s Sight) []string {
	var found []string
	tiles := s.find("Speed").Tiles
	if len(tiles) != 1 || tiles[0].Text.Text != "some prompts" || tiles[0].Color != orange {
		found = append(found, fmt.Sprintf("the tile says %v", tiles))
	}
	says := s.find("What the judge says")
	if row := says.row("Of", "decode"); says.cell(row, "Prompts").Text != "2" {
		found = append(found, fmt.Sprintf("the judge says %v", row))
	}
	return found
}

// lossOfNode finds where a loss that all models share is laid at the door of one, and one of a model's own is not.
func lossOfNode(s Sight) []string {
	found := speeds(s, func(model string) string {
		if model == halved {
			return "collapsed"
		}
		return "as all are"
	})
	changes := s.find("What has changed and holds")
	row := changes.row("Model", "all models")
	by, err := percent(changes.cell(row, "By").Text)
	if changes.cell(row, "Kind").Text != "drop" || s.Width != phone && (err != nil || by > -10 || by < -14) {
		found = append(found, fmt.Sprintf("of all models the list says %v", row))
	}
	list := s.find("Firing alerts")
	if list.row("Alert", "ExoBenchAllModelsSlow") == nil {
		found = append(found, "no alert tells of the node")
	}
	for _, row := range list.Rows {
		if model := list.cell(row, "Model").Text; model != none && model != halved {
			found = append(found, fmt.Sprintf("a model has an alert of its own: %v", row))
		}
	}
	graph := s.find("Decode speed against its baseline")
	if !graph.draws("all models") {
		found = append(found, "the graph of the speeds has no line of all models")
	}
	return found
}

func lossOfNodeOnModel(s Sight) []string {
	tiles := s.find("Speed").Tiles
	if len(tiles) != 1 || tiles[0].Text.Text != "as all are" || tiles[0].Color != orange {
		return []string{fmt.Sprintf("the tile says %v", tiles)}
	}
	return nil
}
