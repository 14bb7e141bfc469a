package render

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Sight is what a reader reads on a dashboard: of what web/src/read.ts writes, what the rules are about.
type Sight struct {
	UID        string       `json:"uid"`
	Width      int          `json:"width"`     // of the window, in pixels
	PageWidth  int          `json:"pageWidth"` // of what is on it
	Greens     []string     `json:"greens"`    // colours that say that all is well
	Marks      []Marks      `json:"marks"`     // on every graph
	Complaints []string     `json:"complaints"`
	Panels     []PanelSight `json:"panels"`

	state string // that it was seen in
}

// PanelSight is what a reader reads on a panel.
type PanelSight struct {
	Type         string    `json:"type"`
	Title        string    `json:"title"`
	Folded       bool      `json:"folded"` // in a row that is closed until the reader opens it
	Top          float64   `json:"top"`    // pixels from the top of the panels
	Height       float64   `json:"height"`
	TitleCut     bool      `json:"titleCut"`
	Errors       []string  `json:"errors"`
	Gone         []string  `json:"gone"`     // series that have been in the period and are no more
	NoValues     []string  `json:"noValues"` // texts that the panel has for what is not there
	Tiles        []Tile    `json:"tiles"`
	Columns      []Column  `json:"columns"`
	Rows         [][]Text  `json:"rows"`
	RowCount     int       `json:"rowCount"`
	RowsOnScreen int       `json:"rowsOnScreen"`
	Lanes        []Lane    `json:"lanes"`
	Axis         *Axis     `json:"axis"`
	Legend       []Text    `json:"legend"`
	Drawn        *Range    `json:"drawn"`
	Lines        []float64 `json:"lines"` // of thresholds that are drawn
}

// Marks are what one annotation draws on every graph.
type Marks struct {
	Name   string  `json:"name"`
	Color  string  `json:"color"`
	Lines  int     `json:"lines"`  // ends of shades included
	Shaded float64 `json:"shaded"` // share of a graph's width
}

// Text is a text with how it looks.
type Text struct {
	Text       string `json:"text"`
	Color      string `json:"color"` // of the text, or of the filled tile that it stands on
	Background string `json:"background"`
	Cut        bool   `json:"cut"`  // it does not fit
	Link       string `json:"link"` // where a click leads
}

// Tile is one value of a stat or bar gauge.
type Tile struct {
	Text
	Title string  `json:"title"`
	Size  float64 `json:"size"`  // of the largest text, in pixels
	Least float64 `json:"least"` // of the smallest
}

// Value returns what stands on the tile besides its name.
func (t Tile) Value() string { return strings.TrimSpace(strings.Replace(t.Text.Text, t.Title, "", 1)) }

// Column is a column of a table.
type Column struct {
	Name    string `json:"name"`
	Visible bool   `json:"visible"`
	Cut     bool   `json:"cut"`
}

// Axis is the axis of a graph's values.
type Axis struct {
	Range
	Ticks []string `json:"ticks"`
	Log   bool     `json:"log"`
	Fixed bool     `json:"fixed"` // the panel itself says to where it goes
	Asked bool     `json:"asked"` // it is the range that the panel wants at the least
}

// Range goes from the least to the greatest value.
type Range struct{ Min, Max float64 }

// find returns the panel of that title; one without anything where there is none.
func (s Sight) find(title string) PanelSight {
	for _, p := range s.Panels {
		if p.Title == title {
			return p
		}
	}
	return PanelSight{}
}

// cell returns what stands in a row of a table under a heading.
func (p PanelSight) cell(row []Text, heading string) Text {
	for i, c := range p.Columns {
		if c.Name == heading && i < len(row) {
			return row[i]
		}
	}
	return Text{}
}

// row returns the row of a table in which that text stands under a heading.
func (p PanelSight) row(heading, text string) []Text {
	for _, row := range p.Rows {
		if p.cell(row, heading).Text == text {
			return row
		}
	}
	return nil
}

// draws reports whether a graph has a series of that name in its legend.
func (p PanelSight) draws(name string) bool {
	return slices.ContainsFunc(p.Legend, func(t Text) bool { return t.Text == name })
}

// fault is something that a reader would be misled or hindered by.
type fault struct {
	rule   string
	place  string // dashboard and panel
	detail string
}

func (f fault) key() string { return f.rule + ": " + f.place }

func readSight(path string) (Sight, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Sight{}, err
	}
	var s Sight
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return s, nil
}

var digit = regexp.MustCompile(`\d`)
