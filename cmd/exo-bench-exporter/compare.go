package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"exo-bench-exporter/workload/compare"
)

func compareCommand() command {
	return command{
		name: "compare", args: " [flags] BEFORE AFTER", summary: "say by how much models became slower or faster, and how sure that is",
		operands: true,
		help: `Compares two files of results: records that EXOBENCH_RESULTS or once -o keeps, or what once -json printed.
Several files a side stand before and behind "--":

  exo-bench-exporter compare before.json after.json
  exo-bench-exporter compare mon.json tue.json -- wed.json thu.json
  exo-bench-exporter compare -at 2026-01-31T12:00:00Z results.jsonl     # before and after that time
  exo-bench-exporter compare results.jsonl                              # models against models

Prompts are paired, and a turn counts as one. A change is the Hodges-Lehmann estimate over turns, ± its 95 %
interval; that something changed is said with 99 % confidence. Figures of different prompts are refused,
those of different methods, nodes or models marked.

Exits 1 where -fail-on asks for it, 2 where there is nothing to compare.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			c := comparing{format: "text", margin: compare.Margin}
			fs.Func("at", "`time` that divides the files into before and after, such as 2026-01-31T12:00:00Z", moment(&c.at))
			fs.Func("format", "`form` of what is printed: text, markdown, csv or json (default text)", c.setFormat)
			fs.Var(&c.margin, "margin", "`change` that is none for you")
			fs.Func(
				"fail-on", "exit 1 when a quantity is worse by more than that, such as slower=3% (decode) or memory=10%; may be repeated", c.setBound,
			)
			return func(_ context.Context, inv invocation) int { return c.run(inv, fs.Args()) }
		},
	}
}

// percent is a ratio that is given in per cent.
type percent float64

func (p *percent) String() string { return strconv.FormatFloat(100*float64(*p), 'f', -1, 64) + "%" }

func (p *percent) Set(v string) error {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(v, "%")), 64)
	if err != nil || !(n > 0 && n < 100) {
		return fmt.Errorf("want per cent between 0 and 100, such as 3%%")
	}
	*p = percent(n / 100)
	return nil
}

// comparing is a call of compare.
type comparing struct {
	at     time.Time
	format string
	margin percent
	bounds []bound
}

// bound is by how much a quantity may be worse.
type bound struct {
	quantity string
	most     percent
}

func (c *comparing) setFormat(v string) error {
	if _, ok := comparisonForms[v]; !ok {
		return fmt.Errorf("want text, markdown, csv or json")
	}
	c.format = v
	return nil
}

func (c *comparing) setBound(v string) error {
	name, most, ok := strings.Cut(v, "=")
	if name == "slower" {
		name = "decode"
	}
	known := slices.ContainsFunc(compare.Quantities(), func(q compare.Quantity) bool { return q.Name == name })
	b := bound{quantity: name}
	if !ok || !known || b.most.Set(most) != nil {
		var names []string
		for _, q := range compare.Quantities() {
			names = append(names, q.Name)
		}
		return fmt.Errorf("want slower=3%%, or one of %s instead of slower", strings.Join(names, ", "))
	}
	c.bounds = append(c.bounds, b)
	return nil
}

// sides divides what is named into what was before and what was after; only one where models are compared.
func (c *comparing) sides(files []string) (before, after []string, err error) {
	split := slices.Index(files, "--")
	switch {
	case split >= 0:
		before, after = files[:split], files[split+1:]
	case !c.at.IsZero():
		return files, files, nil
	case len(files) == 2:
		before, after = files[:1], files[1:]
	case len(files) == 1:
		return files, nil, nil
	}
	if len(before) == 0 || len(after) == 0 || !c.at.IsZero() {
		return nil, nil, fmt.Errorf("want two files of results, or several before and behind --; see exo-bench-exporter compare -h")
	}
	return before, after, nil
}

func (c *comparing) run(inv invocation, files []string) int {
	before, after, err := c.sides(files)
	if err != nil || len(before) == 0 {
		if err == nil {
			_, _, err = (&comparing{}).sides(nil)
		}
		return fail(inv.stderr, err)
	}
	a, err := c.read(inv, "before", before, time.Time{}, c.at)
	if err != nil {
		return fail(inv.stderr, err)
	}
	form := comparisonForms[c.format]
	if after == nil {
		return c.printed(inv, form.models(inv.stdout, a, compare.Models(a, float64(c.margin))))
	}
	b, err := c.read(inv, "after", after, c.at, time.Time{})
	if err != nil {
		return fail(inv.stderr, err)
	}
	found, err := compare.Sides(a, b, float64(c.margin))
	if err != nil {
		return fail(inv.stderr, err)
	}
	if status := c.printed(inv, form.sides(inv.stdout, found)); status != exitOK {
		return status
	}
	return c.fails(inv, found)
}

func (c *comparing) read(inv invocation, name string, files []string, from, to time.Time) (compare.Side, error) {
	s, broken, err := compare.Read(name, files, from, to)
	if broken > 0 {
		fmt.Fprintf(inv.stderr, "exo-bench-exporter compare: %s: %d lines are no records\n", name, broken)
	}
	return s, err
}

func (c *comparing) printed(inv invocation, err error) int {
	if err != nil {
		return cannotPrint(inv, err)
	}
	return exitOK
}

// fails says which bounds are passed.
func (c *comparing) fails(inv invocation, found compare.Comparison) int {
	status := exitOK
	for _, b := range c.bounds {
		for _, change := range found.Changes {
			if change.Quantity.Name == b.quantity && change.Worse(float64(b.most)) {
				fmt.Fprintf(inv.stderr, "exo-bench-exporter compare: %s: %s is %s, more than %s\n",
					change.Model, b.quantity, change.Words(), b.most.String())
				status = exitFailed
			}
		}
	}
	return status
}

// comparisonForm prints what was found.
type comparisonForm struct {
	sides  func(io.Writer, compare.Comparison) error
	models func(io.Writer, compare.Side, []compare.Ranking) error
}
