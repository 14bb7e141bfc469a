package render

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// rule is something that has to hold for a panel in every state, or in those that it is about.
type rule struct {
	name   string
	states []string // all when empty
	check  func(s Sight, p PanelSight) []string
}

// everywhere are rules that no panel may break in any state.
var everywhere = []rule{
	{name: "every query is answered and every component works", check: func(_ Sight, p PanelSight) []string { return p.Errors }},
	{name: "a figure is of now", check: staleFigures},
	{name: "no sentence in a cell or on an axis", check: sentences},
	{name: "all columns, rows and texts can be seen", check: hidden},
	{name: "ticks are numbers with a unit", check: badTicks},
	{name: "the axis fits what is drawn", check: badAxis},
	{name: "the legend's colours tell series apart", check: badLegend},
	{name: "lanes say words", check: wordless},
	{name: "texts of tiles are legible", check: smallPrint},
	{name: "figures have as many digits as they carry", check: tooPrecise},
	{name: "nothing is green when nothing is scraped", states: []string{"exporterdown"}, check: green},
	{name: "no speed of what does not run", states: []string{"modelfails", "exodown", "exporterdown"}, check: speedOfTheDown},
	{name: "what was removed is gone", states: []string{"removed"}, check: leftover},
	{name: "no rules is a state of the alerts", states: []string{"norules"}, check: alertsWithoutRules},
}

// staleFigures finds tiles that show a value of a series that is no more.
func staleFigures(_ Sight, p PanelSight) []string {
	var found []string
	for _, t := range p.Tiles {
		if slices.Contains(p.Gone, t.Title) && digit.MatchString(t.Value()) {
			found = append(found, fmt.Sprintf("%s shows %q of a series that is no more", t.Title, t.Value()))
		}
	}
	return found
}

// sentences finds texts for missing data where a dash should stand: they are false of a single cell.
func sentences(_ Sight, p PanelSight) []string {
	var found []string
	long := func(text string) bool {
		return slices.ContainsFunc(p.NoValues, func(s string) bool {
			return len(s) > 12 && strings.Contains(s, strings.Trim(text, "….")) && len(text) > 12
		})
	}
	for _, row := range p.Rows {
		for _, cell := range row {
			if long(cell.Text) {
				found = append(found, fmt.Sprintf("a cell says %q", cell.Text))
			}
		}
	}
	if p.Axis != nil {
		for _, tick := range p.Axis.Ticks {
			if long(tick) {
				found = append(found, fmt.Sprintf("a tick says %q", tick))
			}
		}
	}
	return found
}

// phone is the width of a telephone's window, in pixels. What a row is about and its first figure are seen there.
const phone, phoneColumns = 390, 2

// worstFirst are tables that are sorted by how bad it is what their rows say, of which so many rows are enough.
var worstFirst = map[string]int{"Firing alerts": 4}

// severities are the words of that, the worst last.
var severities = []string{"info", "warning", "critical"}

// unsorted finds rows that say something worse than the one above.
func unsorted(p PanelSight) []string {
	var found []string
	rank := func(row []Text) int { return slices.Index(severities, p.cell(row, "Level").Text) }
	for i := 1; i < len(p.Rows); i++ {
		if rank(p.Rows[i]) > rank(p.Rows[i-1]) {
			found = append(found, fmt.Sprintf("row %d is worse than the one above: %v", i+1, p.Rows[i]))
		}
	}
	return found
}

// hidden finds what lies outside of its panel or does not fit where it stands.
func hidden(s Sight, p PanelSight) []string {
	var found []string
	if p.TitleCut {
		found = append(found, "the title is cut")
	}
	for i, c := range p.Columns {
		switch {
		case !c.Visible && s.Width == phone && i >= phoneColumns:
			// The table is pushed to the left there.
		case !c.Visible:
			found = append(found, fmt.Sprintf("column %q is off the panel", c.Name))
		case c.Cut:
			found = append(found, fmt.Sprintf("the heading %q is cut", c.Name))
		}
	}
	enough := p.RowCount
	if rows, sorted := worstFirst[p.Title]; sorted {
		enough = min(rows, enough)
		found = append(found, unsorted(p)...)
	}
	if p.RowsOnScreen < enough && p.RowCount <= 12 {
		found = append(found, fmt.Sprintf("%d of %d rows are below the panel", p.RowCount-p.RowsOnScreen, p.RowCount))
	}
	for _, row := range p.Rows {
		for _, cell := range row {
			if cell.Cut {
				found = append(found, fmt.Sprintf("the cell %q is cut", cell.Text))
			}
		}
	}
	return found
}

var number = regexp.MustCompile(`^[-−]?[\d.,]+([eE][-+]?\d+)?(\s*[^\s\d]+){0,4}$`)

func badTicks(_ Sight, p PanelSight) []string {
	if p.Axis == nil {
		return nil
	}
	var found []string
	if len(p.Axis.Ticks) < 2 {
		found = append(found, fmt.Sprintf("ticks %q: want two or more", p.Axis.Ticks))
	}
	for _, tick := range p.Axis.Ticks {
		if !number.MatchString(tick) {
			found = append(found, fmt.Sprintf("tick %q", tick))
		}
	}
	return found
}

// leastDrawn is the share of an axis below which what is drawn is a flat line: a smaller one where the panel asks for that
// range, so that what is usual does not look like much.
func leastDrawn(a Axis) float64 {
	if a.Asked {
		return 0.02
	}
	return 0.08
}

// badAxis finds axes on which what is drawn is a flat line at whatever it does.
func badAxis(_ Sight, p PanelSight) []string {
	if p.Axis == nil || p.Drawn == nil || p.Axis.Log || p.Axis.Fixed {
		return nil
	}
	axis := math.Max(math.Abs(p.Axis.Min), math.Abs(p.Axis.Max))
	drawn := math.Max(math.Abs(p.Drawn.Min), math.Abs(p.Drawn.Max))
	switch {
	case drawn == 0 && axis > 1:
		return []string{fmt.Sprintf("the axis goes to %g, and all that is drawn is 0", axis)}
	case drawn > 0 && drawn < leastDrawn(*p.Axis)*axis:
		return []string{fmt.Sprintf("the axis goes from %g to %g, what is drawn from %g to %g", p.Axis.Min, p.Axis.Max, p.Drawn.Min, p.Drawn.Max)}
	}
	return nil
}

func badLegend(_ Sight, p PanelSight) []string {
	colors := map[string]bool{}
	var names []string
	for _, l := range p.Legend {
		colors[l.Color] = true
		names = append(names, l.Text)
	}
	if len(names) > 1 && len(colors) < 2 {
		return []string{fmt.Sprintf("%q are all of one colour", names)}
	}
	return nil
}

// smallPrint finds tiles whose text had to shrink until nobody can read it from a chair.
func smallPrint(_ Sight, p PanelSight) []string {
	var found []string
	for _, t := range p.Tiles {
		if least := min(t.Size, t.Least); t.Text.Text != "" && least < 9 {
			found = append(found, fmt.Sprintf("of %q something is %.0f pixels high", t.Text.Text, least))
		}
	}
	return found
}

var precise = regexp.MustCompile(`\d+\.\d{3,}`)

func tooPrecise(_ Sight, p PanelSight) []string {
	var found []string
	for _, row := range p.Rows {
		for _, cell := range row {
			if m := precise.FindString(cell.Text); m != "" && strings.Trim(m, "0.") != "" && len(strings.TrimLeft(m, "0.")) > 4 {
				found = append(found, fmt.Sprintf("a cell says %q", cell.Text))
			}
		}
	}
	return found
}

func green(s Sight, p PanelSight) []string {
	var found []string
	says := func(what, text, color string) {
		if text != "" && slices.Contains(s.Greens, color) {
			found = append(found, fmt.Sprintf("%s %q is green", what, text))
		}
	}
	for _, t := range p.Tiles {
		says("the tile", t.Text.Text, t.Color)
		says("the tile", t.Text.Text, t.Background)
	}
	for _, row := range p.Rows {
		for _, cell := range row {
			says("the cell", cell.Text, cell.Color)
		}
	}
	return slices.Compact(found)
}

// ofPeriod finds in a title of a panel or a tile that its figures are of a period, and not of now.
var ofPeriod = regexp.MustCompile(`(?i)\b(period|median|before|then|\d+[mhdw])\b`)

// speedOfTheDown finds speeds on tiles of models that cannot be asked.
func speedOfTheDown(s Sight, p PanelSight) []string {
	if s.UID == "exobench-compare" || ofPeriod.MatchString(p.Title) {
		return nil
	}
	var found []string
	one := s.state == "modelfails"
	speeds := strings.Contains(p.Title, "tokens per second") // which the tiles do not repeat
	for _, t := range p.Tiles {
		speed := strings.Contains(t.Text.Text, "tok/s") || speeds && digit.MatchString(t.Value())
		if one && t.Title != failing || !speed || ofPeriod.MatchString(t.Title) {
			continue
		}
		found = append(found, fmt.Sprintf("%s: %s", t.Title, t.Value()))
	}
	for _, row := range p.Rows {
		down := slices.ContainsFunc(row, func(c Text) bool {
			return strings.EqualFold(c.Text, "down") || strings.EqualFold(c.Text, "unreachable")
		})
		for i, cell := range row {
			if down && strings.Contains(cell.Text, "tok/s") && i < len(p.Columns) && strings.HasPrefix(p.Columns[i].Name, "Decode") {
				found = append(found, fmt.Sprintf("%s: %s", row[0].Text, cell.Text))
			}
		}
	}
	return found
}

func leftover(s Sight, p PanelSight) []string {
	if s.UID != "exobench-overview" {
		return nil // the other dashboards are about a period, in which there was such a model, and so are tables without states
	}
	var found []string
	for _, t := range p.Tiles {
		if t.Title == failing {
			found = append(found, fmt.Sprintf("a tile %q", t.Text.Text))
		}
	}
	now := slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Name == "State" })
	for _, row := range p.Rows {
		if now && row[0].Text == failing {
			found = append(found, fmt.Sprintf("a row of %s", row[0].Text))
		}
	}
	return found
}

func alertsWithoutRules(s Sight, p PanelSight) []string {
	if p.Type != "stat" || !strings.Contains(strings.ToLower(p.Title), "alert") {
		return nil
	}
	var found []string
	for _, t := range p.Tiles {
		if slices.Contains(s.Greens, t.Color) || !strings.Contains(strings.ToLower(t.Text.Text), "rule") {
			found = append(found, fmt.Sprintf("the tile says %q in %s", t.Text.Text, t.Color))
		}
	}
	return found
}
