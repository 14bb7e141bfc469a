package app

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim/faults"
)

//go:generate go test . -run ^TestFaultsPage$ -update

// docs/faults.md says what TestFaults holds.
func TestFaultsPage(t *testing.T) {
	const path = "../docs/faults.md"
	got := faultsPage()
	if *update {
		noError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	noError(t, err)
	if got != string(want) {
		t.Errorf(
			"docs/faults.md is not what the cases of TestFaults say: run go generate ./app. First difference: %s",
			firstDifference(got, string(want)),
		)
	}
}

const faultsHead = `# What becomes of what goes wrong

Written by ` + "`go generate ./app`" + ` from the cases of [app/faults_cases_test.go](../app/faults_cases_test.go).
For each of them, and each release of exo named, a test puts the fault to one model (of %d prompts of %d tokens) in a cycle of two,
on exo 1.x with a stranger's model loaded and in use beside them, and holds that

- turn and requests end as the table says, and the reason is in the log and on the status page;
- exactly the requests that are ok enter histograms, sums and gauges, with exactly the tokens and gaps that came: the column
  *samples* says how many of the %d did;
- gauges of what failed are gone, and the other model's turn is ok;
- the next cycle is ok for both, unless the damage outlasts the fault;
- nothing of the exporter's is left on exo, nothing of the stranger's was touched, and his prompt is shown nowhere.

What else may happen to the exporter, and by which test it is held, is in [SECURITY.md](../SECURITY.md). [soak_test.go](../app/soak_test.go)
draws these faults for thousands of cycles.

`

// faultsPage returns the text of docs/faults.md.
func faultsPage() string {
	var b strings.Builder
	fmt.Fprintf(&b, faultsHead, faultPrompts, faultTokens, faultPrompts)
	cases := faultCases()
	for _, scope := range []faults.Scope{faults.Lasting, faults.OfRequest, faults.OfInstance} {
		fmt.Fprintf(
			&b, "## Strikes %s\n\n| fault | exo | turn | requests | samples | next cycle |\n| --- | --- | --- | --- | --- | --- |\n", scope,
		)
		for _, spec := range faults.Table() {
			if spec.Scope != scope {
				continue
			}
			what := fmt.Sprintf("`%s`: %s", spec.Kind, spec.Help)
			for _, c := range cases {
				if c.fault.Kind == spec.Kind {
					b.WriteString(faultRow(what, c))
					what = fmt.Sprintf("`%s`", spec.Kind)
				}
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(hostilePage())
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func faultRow(what string, c faultCase) string {
	if c.name != "" {
		what += " (" + c.name + ")"
	}
	var on, requests []string
	for _, g := range c.in {
		on = append(on, string(g))
	}
	for _, o := range c.requests {
		requests = append(requests, string(o))
	}
	samples, next := 0, "ok"
	for _, o := range c.requests {
		if o == workload.OutcomeOK {
			samples++
		}
	}
	if len(slices.Compact(slices.Clone(requests))) == 1 {
		requests = []string{fmt.Sprintf("%d × %s", len(requests), requests[0])}
	}
	if len(requests) == 0 {
		requests = []string{"none sent"}
	}
	if c.lasts {
		next = string(c.turn)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %d | %s |\n", what, strings.Join(on, ", "), c.turn, strings.Join(requests, ", "), samples, next)
}
