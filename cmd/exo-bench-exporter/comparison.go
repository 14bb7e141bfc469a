package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"exo-bench-exporter/workload/compare"
)

// comparisonForms are the forms in which a comparison is printed.
var comparisonForms = map[string]comparisonForm{
	"text":     {sides: grid(plainRows).sides, models: grid(plainRows).models},
	"markdown": {sides: grid(markdownRows).sides, models: grid(markdownRows).models},
	"csv":      {sides: csvSides, models: csvModels},
	"json":     {sides: jsonSides, models: jsonModels},
}

// grid prints rows below each other, the first of which has the names of the columns.
type grid func(w io.Writer, rows [][]string) error

func plainRows(w io.Writer, rows [][]string) error { return writeRows(w, rows, widthOf(w)) }

func markdownRows(w io.Writer, rows [][]string) error {
	for i, row := range rows {
		cells := make([]string, len(rows[0]))
		copy(cells, row)
		for j := range cells {
			cells[j] = strings.ReplaceAll(cells[j], "|", `\|`)
		}
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")); err != nil {
			return err
		}
		if i == 0 {
			fmt.Fprintln(w, strings.Repeat("| --- ", len(row))+"|")
		}
	}
	return nil
}

// sides prints a table for each quantity, then what has to be known.
func (g grid) sides(w io.Writer, c compare.Comparison) error {
	if c.Before.Source.Simulated {
		fmt.Fprint(w, "SIMULATED: these figures come from the simulator, not from a real exo.\n\n")
	}
	for i, note := range c.Notes {
		end := "\n"
		if i == len(c.Notes)-1 {
			end = "\n\n"
		}
		fmt.Fprintf(w, "Note: %s.%s", note, end)
	}
	for first := 0; first < len(c.Changes); {
		q := c.Changes[first].Quantity
		rows := [][]string{{q.Title, "before", "after", "change", "turns"}}
		last := first
		for ; last < len(c.Changes) && c.Changes[last].Quantity.Name == q.Name; last++ {
			rows = append(rows, changeRows(c.Changes[last])...)
		}
		if first > 0 {
			fmt.Fprintln(w)
		}
		if err := g(w, rows); err != nil {
			return err
		}
		first = last
	}
	return nil
}

func changeRows(c compare.Change) [][]string {
	rows := [][]string{{
		c.Model, c.Quantity.Amount(c.Before), c.Quantity.Amount(c.After), c.Words(), fmt.Sprintf("%d, %d", c.Turns[0], c.Turns[1]),
	}}
	for _, p := range c.Apart {
		rows = append(rows, []string{"  of these " + p.Prompt, "", "", c.Quantity.Moved(p.Ratio)})
	}
	return rows
}

// models prints the models in their order by each quantity.
func (g grid) models(w io.Writer, s compare.Side, all []compare.Ranking) error {
	if s.Source.Simulated {
		fmt.Fprint(w, "SIMULATED: these figures come from the simulator, not from a real exo.\n\n")
	}
	if s.Left > 0 {
		fmt.Fprintf(w, "Note: %s left out: another method, node or model than the newest ones.\n\n", compare.Several(s.Left, "turn"))
	}
	for i, r := range all {
		rows := [][]string{{r.Quantity.Title, "", "against the one above", "turns"}}
		for j, rank := range r.Ranks {
			against := ""
			if j > 0 {
				against = rank.Against.Words()
			}
			rows = append(rows, []string{rank.Model, r.Quantity.Amount(rank.Value), against, strconv.Itoa(rank.Turns)})
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := g(w, rows); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "There are no two models with figures for the same prompts.")
	}
	return nil
}

var csvHead = []string{
	"model", "quantity", "unit", "before", "after", "change", "low", "high", "verdict", "more_turns_needed", "turns_before", "turns_after",
	"prompts",
}

func csvSides(w io.Writer, c compare.Comparison) error {
	out := csv.NewWriter(w)
	_ = out.Write(csvHead) // Error tells
	for _, change := range c.Changes {
		j := toJSON(change)
		_ = out.Write([]string{
			j.Model, j.Quantity, j.Unit, number(j.Before), number(j.After), number(j.Change), optional(j.Low), optional(j.High), string(j.Verdict),
			strconv.Itoa(j.More), strconv.Itoa(j.TurnsBefore), strconv.Itoa(j.TurnsAfter), strconv.Itoa(j.Prompts),
		})
	}
	out.Flush()
	return out.Error()
}

func csvModels(w io.Writer, _ compare.Side, all []compare.Ranking) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"quantity", "unit", "place", "model", "value", "turns", "change_to_place_above", "low", "high", "verdict"})
	for _, r := range all {
		for i, rank := range r.Ranks {
			row := []string{
				r.Quantity.Name, r.Quantity.Unit, strconv.Itoa(i + 1), rank.Model, number(rank.Value), strconv.Itoa(rank.Turns), "", "", "", "",
			}
			if i > 0 {
				j := toJSON(rank.Against)
				copy(row[6:], []string{number(j.Change), optional(j.Low), optional(j.High), string(j.Verdict)})
			}
			_ = out.Write(row)
		}
	}
	out.Flush()
	return out.Error()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 7, 64) }

func optional(v *float64) string {
	if v == nil {
		return ""
	}
	return number(*v)
}

// changeJSON is a change as a ratio, with the bounds of its 95 % interval where that is known.
type changeJSON struct {
	Model       string          `json:"model"`
	Quantity    string          `json:"quantity"`
	Unit        string          `json:"unit"`
	Before      float64         `json:"before"`
	After       float64         `json:"after"`
	Change      float64         `json:"change"`
	Low         *float64        `json:"low,omitempty"`
	High        *float64        `json:"high,omitempty"`
	Verdict     compare.Verdict `json:"verdict"`
	More        int             `json:"more_turns_needed,omitempty"`
	TurnsBefore int             `json:"turns_before"`
	TurnsAfter  int             `json:"turns_after"`
	Prompts     int             `json:"prompts"`
	Apart       []promptJSON    `json:"prompts_apart,omitempty"`
}

type promptJSON struct {
	Prompt string  `json:"prompt"`
	Change float64 `json:"change"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func toJSON(c compare.Change) changeJSON {
	j := changeJSON{
		Model: c.Model, Quantity: c.Quantity.Name, Unit: c.Quantity.Unit, Before: c.Before, After: c.After, Change: c.Ratio.Centre,
		Verdict: c.Verdict, More: c.More, TurnsBefore: c.Turns[0], TurnsAfter: c.Turns[1], Prompts: c.Prompts,
	}
	if c.Known {
		j.Low, j.High = &c.Ratio.Low, &c.Ratio.High
	}
	for _, p := range c.Apart {
		j.Apart = append(j.Apart, promptJSON{p.Prompt, p.Ratio.Centre, p.Ratio.Low, p.Ratio.High})
	}
	return j
}

func jsonSides(w io.Writer, c compare.Comparison) error {
	doc := struct {
		Simulated bool         `json:"simulated"`
		Notes     []string     `json:"notes"`
		Changes   []changeJSON `json:"changes"`
	}{c.Before.Source.Simulated, append([]string{}, c.Notes...), []changeJSON{}}
	for _, change := range c.Changes {
		doc.Changes = append(doc.Changes, toJSON(change))
	}
	return indented(w, doc)
}

type rankJSON struct {
	Model   string      `json:"model"`
	Value   float64     `json:"value"`
	Turns   int         `json:"turns"`
	Against *changeJSON `json:"against_place_above,omitempty"`
}

type rankingJSON struct {
	Quantity string     `json:"quantity"`
	Unit     string     `json:"unit"`
	Prompts  int        `json:"prompts"`
	Models   []rankJSON `json:"models"`
}

func jsonModels(w io.Writer, s compare.Side, all []compare.Ranking) error {
	doc := struct {
		Simulated bool          `json:"simulated"`
		Rankings  []rankingJSON `json:"rankings"`
	}{s.Source.Simulated, []rankingJSON{}}
	for _, r := range all {
		j := rankingJSON{r.Quantity.Name, r.Quantity.Unit, r.Prompts, nil}
		for i, rank := range r.Ranks {
			next := rankJSON{Model: rank.Model, Value: rank.Value, Turns: rank.Turns}
			if i > 0 {
				against := toJSON(rank.Against)
				against.Model = r.Ranks[i-1].Model
				next.Against = &against
			}
			j.Models = append(j.Models, next)
		}
		doc.Rankings = append(doc.Rankings, j)
	}
	return indented(w, doc)
}

func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
