package render

import (
	"fmt"
	"slices"
	"strings"
)

// The claims about looking at a month, in which every night something happened.
var monthClaims = []claim{
	{name: "the banner is one line", check: banner},
	{name: "marks are no fence", check: fence},
	{name: "titles name the period that is compared with", states: []string{"month"}, check: periods},
}

// lineHeight is that of a line of the dashboards' grid, in pixels.
const lineHeight = 30

// banner finds a line at the top that takes the room of several, or says nothing.
func banner(s Sight) []string {
	i := slices.IndexFunc(s.Panels, func(p PanelSight) bool { return p.Type == "stat" && p.Title == "" })
	if i < 0 {
		return []string{"there is none"}
	}
	b := s.Panels[i]
	if b.Height > lineHeight || len(b.Tiles) == 0 {
		return []string{fmt.Sprintf("%.0f pixels high, with %d texts", b.Height, len(b.Tiles))}
	}
	return nil
}

const (
	// mostMarks are lines on a graph through which what is drawn can still be seen, and mostShaded the shades of what is real.
	mostMarks, mostShaded = 16, 0.25
	simulatedMark         = "Simulated"
)

func fence(s Sight) []string {
	var found []string
	lines := 0
	for _, m := range s.Marks {
		lines += m.Lines
		if m.Name != simulatedMark && m.Shaded > mostShaded {
			found = append(found, fmt.Sprintf("%q shades %.0f %% of every graph", m.Name, 100*m.Shaded))
		}
	}
	if lines > mostMarks {
		found = append(found, fmt.Sprintf("%d lines on every graph: %+v", lines, s.Marks))
	}
	return found
}

func periods(s Sight) []string {
	want := map[string][]string{
		"exobench-overview": {"requests, 7d", "Objectives met, last 7d"},
		"exobench-compare":  {"This period and the one " + longAgo + " before", "Decode, now and " + longAgo + " before"},
		"exobench-model":    {"median, 7d", "p50, 7d"},
	}[s.UID]
	var texts []string
	for _, p := range s.Panels {
		texts = append(texts, p.Title)
		for _, c := range p.Columns {
			texts = append(texts, c.Name)
		}
		for _, t := range p.Tiles {
			texts = append(texts, t.Title)
		}
	}
	var found []string
	for _, text := range want {
		if !slices.Contains(texts, text) {
			found = append(found, fmt.Sprintf("%q stands nowhere", text))
		}
	}
	// Grafana 10.4 fills in no variable in the heading of a column, which has one that needs none instead.
	if s.UID == "exobench-overview" && !slices.Contains(texts, "vs "+longAgo) && !slices.Contains(texts, "vs then") {
		found = append(found, "no column says what is compared with")
	}
	for _, text := range texts {
		if strings.Contains(text, "yesterday") || strings.Contains(text, "$") {
			found = append(found, fmt.Sprintf("%q", text))
		}
	}
	return found
}
