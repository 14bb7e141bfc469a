package replay

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestQualityPage holds the committed page against its text here and the scenarios that there are. Its figures are
// those of the last full run.
func TestQualityPage(t *testing.T) {
	page, err := os.ReadFile("../../prometheus/QUALITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "| --- | --- | --- | --- |\n")
	if !ok {
		t.Fatal("the page has no table")
	}
	if want := fmt.Sprintf(qualityPage, 1, table); string(page) != want {
		t.Errorf("the page is not what a full run with -update would write; it would be:\n%s", want)
	}
	var inTable, there []string
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, " | "); len(cells) > 1 {
			inTable = append(inTable, strings.TrimPrefix(cells[0], "| "))
		}
	}
	for _, s := range scenarios {
		there = append(there, s.name)
	}
	if got := slices.Compact(inTable); !slices.Equal(got, there) {
		t.Errorf("scenarios in the table: %q, there are %q", got, there)
	}
}

// qualityPage is prometheus/QUALITY.md; it takes the scale and the lines of the table.
const qualityPage = `# How good the throughput alarms are

Measured, by replaying simulated series through the generated rules on Prometheus' own storage, query engine and rule
engine. This page is the output of

` + "```sh\ncd e2e/replay && go test -tags remove_all_sd -run TestQuality -timeout 2h -args -scale %d -update\n```" + `

which also asserts every bar in the table. Seeds are fixed: the figures repeat. A larger scale has more runs of what is rare,
and -seeds 10000 has runs of which no figure is in this table.

**The series.** Five models a node, cycles of 10 minutes, their order rotating within the cycle as the exporter's does. A model's
decode rate has lognormal noise with a standard deviation of 1.5 %% and a lag-1 autocorrelation of 0.5; one cycle in a
hundred is an outlier of -30 %%. Unless a line says otherwise all requests of a turn share that noise, which is the hard case:
taking the median over prompts then gains nothing. Where requests scatter by themselves it gains much: compare the two
scenarios of ten prompts.

**The counting.** A delay of n cycles means that n slow values had been published, and no more. False alarms are every
episode of ExoBenchThroughputDrop, ...Collapse, ...Drift and ExoBenchAllModelsSlow that begins without cause, before Alertmanager
groups or inhibits any. Brackets hold 95 %% confidence intervals: Wilson's for shares, Garwood's for rates. Bars are held against
the estimates.

**One evaluation a cycle.** Prometheus evaluates the rules every 30 s, the replay once a cycle. That is the same decision,
because a cycle enters the rules as one sample in the evaluation that first sees its counter move, and all throughput alarms are
functions of those samples; in between nothing new can be learnt. The scenario of the same runs at both rates checks it. Failures, whose
alerts depend on time as well, are replayed at one evaluation a minute and counted in time. They begin at different points of the cycle.

**Storage.** What is scraped and recorded goes through Prometheus' storage, which decides what it takes; queries read an uncompressed
copy of what it took, because decoding costs more than all the rest. A test holds the copy against the storage, sample by sample.

**Not in the table.** The series are made, not recorded: real machines differ, and the lines with other noise say by how much that
can matter. Rates of false alarms rest on few events. The alerts about memory are not statistical; promtool's tests in tests/ hold them.

| scenario | measure | result | bar |
| --- | --- | --- | --- |
%s`
