package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// TestDefaultModelsAreKnownEverywhere names the step of the recipe that was left out. What each dialect asks for a
// model as, and that docs/use.md says so, is held by package exo's own tests.
func TestDefaultModelsAreKnownEverywhere(t *testing.T) {
	looks := read(t, "grafana/dashboards/exobench-overview.json")
	profiles := map[string]bool{}
	for _, p := range exosim.Profiles() {
		profiles[p.Name] = true
	}
	for _, m := range workload.DefaultModels() {
		for _, file := range []string{"e2e/catalogue_test.go", "e2e/once_test.go", "e2e/backfill/history.go"} {
			if !strings.Contains(read(t, file), `"`+m.Name+`"`) {
				t.Errorf("%s: %s does not have it", m.Name, file)
			}
		}
		if m.Facts() == (workload.ModelFacts{}) {
			t.Errorf("%s: nothing is known of it in workload/model.go", m.Name)
		}
		if !profiles[m.Name] {
			t.Errorf("%s: the simulator has no profile of it in workload/exosim/pace/profiles.go", m.Name)
		}
		if !strings.Contains(looks, `"/^`+strings.ReplaceAll(m.Name, ".", `\\.`)+`( |$)/"`) {
			t.Errorf("%s: the dashboards draw it like any model: give it a look in grafana/src/dashboards/models.ts, and build them", m.Name)
		}
	}
}

// numbers are words for how many default models there may be.
var numbers = []string{"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}

// TestEverybodySaysHowManyModels asserts that what people read has the right number of default models.
func TestEverybodySaysHowManyModels(t *testing.T) {
	want := numbers[len(workload.DefaultModels())-2]
	said := regexp.MustCompile(`\b(` + strings.Join(numbers, "|") + `)(?: simulated| language)? models\b`)
	theOnes := regexp.MustCompile(`\bthe (` + strings.Join(numbers, "|") + `)(?:"| \||\W*$)`)
	for _, file := range []string{
		"README.md", "CONTRIBUTING.md", "cmd/exo-bench-exporter/serve.go", "exporter/config.go", "grafana/dashboards/exobench-overview.json",
		"prometheus/RUNBOOK.md", "workload/model.go",
	} {
		found := 0
		for _, in := range []*regexp.Regexp{said, theOnes} {
			for _, m := range in.FindAllStringSubmatch(read(t, file), -1) {
				found++
				if m[1] != want {
					t.Errorf("%s says %q; by default there are %s models", file, m[0], want)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s says nowhere how many models there are: leave it out of this test", file)
		}
	}
}

// TestDialectsAreTriedAndDocumented names the step of the recipe that was left out. That a dialect which may be
// configured can be driven, and the other way round, is held by package exo's own tests.
func TestDialectsAreTriedAndDocumented(t *testing.T) {
	constant := regexp.MustCompile(`\b(Dialect\w+) +Dialect = "(\w+)"`)
	var tests strings.Builder
	for _, file := range goFiles(t) {
		if strings.HasPrefix(file, "workload/exo/") && strings.HasSuffix(file, "_test.go") {
			tests.WriteString(read(t, file))
		}
	}
	use := read(t, "docs/use.md")
	names := map[workload.Dialect]string{}
	for _, m := range constant.FindAllStringSubmatch(read(t, "workload/target.go"), -1) {
		names[workload.Dialect(m[2])] = m[1]
	}
	for _, d := range workload.Dialects() {
		if names[d] == "" {
			t.Errorf("dialect %s has no constant in workload/target.go", d)
		} else if !strings.Contains(tests.String(), "workload."+names[d]) {
			t.Errorf("no test below workload/exo measures or recognizes dialect %s", d)
		}
		if d != workload.DialectAuto && !regexp.MustCompile("\n\\| `"+string(d)+"` \\|").MatchString(use) {
			t.Errorf("docs/use.md has no row about dialect %s", d)
		}
	}
}

// notShown are the families that are on no dashboard and in no rule, each with the reason.
var notShown = map[string]string{
	"exobench_model_good_cycles_total": ofMethod,
	"exobench_memory_source_info":      "for who sees no footprint: it says by which way memory is read, and so why",
	"exobench_withheld_gaps_total":     withheld,
}

// notInCatalogue are the families that e2e/catalogue_test.go leaves out, each with the reason.
var notInCatalogue = map[string]string{
	"exobench_model_cpu_core_throttles":                 bySystem,
	"exobench_model_cpu_frequency_limit_min_ratio":      bySystem,
	"exobench_model_cpu_package_throttles":              bySystem,
	"exobench_model_memory_pressure_peak":               bySystem,
	"exobench_model_pressure_stalled_ratio":             bySystem,
	"exobench_model_pressure_waiting_ratio":             bySystem,
	"exobench_model_thermal_pressure_peak":              bySystem,
	"exobench_node_cpu_core_throttles_total":            bySystem,
	"exobench_node_cpu_frequency_limit_ratio":           bySystem,
	"exobench_node_cpu_package_throttles_total":         bySystem,
	"exobench_node_memory_pressure":                     bySystem,
	"exobench_node_pressure_stalled_seconds_total":      bySystem,
	"exobench_node_pressure_waiting_seconds_total":      bySystem,
	"exobench_node_thermal_pressure":                    bySystem,
	"exobench_node_speed_alarm":                         aDay,
	"exobench_node_speed_alarm_since_timestamp_seconds": aDay,
	"exobench_node_speed_change_evidence":               aDay,
	"exobench_node_speed_change_ratio":                  aDay,
	"exobench_speed_alarm":                              aDay,
	"exobench_speed_alarm_change_ratio":                 aDay,
	"exobench_speed_alarm_prompts":                      aDay,
	"exobench_speed_alarm_shared":                       aDay,
	"exobench_speed_alarm_since_timestamp_seconds":      aDay,
	"exobench_speed_baseline":                           aDay,
	"exobench_speed_change_evidence":                    aDay,
	"exobench_speed_change_high_ratio":                  aDay,
	"exobench_speed_change_low_ratio":                   aDay,
	"exobench_speed_change_ratio":                       aDay,
	"exobench_speed_last_cycle_change_ratio":            aDay,
	"exobench_speed_noise_ratio":                        aDay,
	"exobench_answer_repeats":                           "absent for the first cycles",
	"exobench_answers_usual_ratio":                      "absent for the first cycles",
	"exobench_answers_worse":                            "absent for the first cycles",
	"exobench_agent_driver_up":                          "of a memory agent",
	"exobench_cached_prompt_tokens_total":               "absent until a node reports any",
	"exobench_energy_joules_total":                      takesLong,
	"exobench_energy_output_tokens_total":               takesLong,
	"exobench_model_energy_info":                        takesLong,
	"exobench_model_energy_per_token_joules":            takesLong,
	"exobench_model_memory_bandwidth_utilization_ratio": "the simulator in fast motion outruns the memory of the chip that it names",
	"exobench_model_gpu_utilization_ratio":              takesLong,
	"exobench_model_power_watts":                        takesLong,
	"exobench_model_temperature_peak_celsius":           takesLong,
	"exobench_model_idle_power_watts":                   "where the machines are at rest when a turn begins",
	"exobench_exo_proportional_memory_bytes":            "on Linux alone",
	"exobench_model_proportional_memory_bytes":          "on Linux alone",
	"exobench_model_gpu_memory_bytes":                   "where there is an NVIDIA GPU",
	"exobench_stamp_lateness_seconds":                   "where the kernel stamps what arrives",
}

const (
	withheld = "for who misses samples in a distribution; that the exporter was late is shown by how late it was"
	aDay     = "absent for the first day"
	bySystem = "each system tells another part of it, and a virtual machine next to nothing"
	ofMethod = "for queries that must not mix methods: it says by which one each model is measured, and ends with it"
)

// takesLong is why a family is not there at once.
const takesLong = "of requests that take long enough for two readings of the power"

// TestFamiliesAreUsed asserts that somebody looks at what is measured.
func TestFamiliesAreUsed(t *testing.T) {
	sections := map[string]string{}
	for section := range strings.SplitSeq(read(t, "docs/metrics.md"), "\n## ") {
		name, text, _ := strings.Cut(section, "\n")
		sections[name] = text
	}
	catalogue := read(t, "e2e/catalogue_test.go")
	for _, f := range exporter.Families() {
		listed := strings.Contains(catalogue, `"`+f.FullName()+`"`)
		switch why, left := notInCatalogue[f.FullName()]; {
		case !listed && !left:
			t.Errorf("%s is not in e2e/catalogue_test.go, or in notInCatalogue with the reason why not", f.FullName())
		case listed && left || left && why == "":
			t.Errorf("%s is in e2e/catalogue_test.go, or there is no reason why not: correct notInCatalogue", f.FullName())
		}
		text, documented := sections[f.FullName()]
		used := strings.Contains(text, "\n- Panels: ") || strings.Contains(text, "\n- Alerts: ") || strings.Contains(text, "\n- Recorded as: ")
		why, left := notShown[f.FullName()]
		switch {
		case !documented:
			t.Errorf("docs/metrics.md does not have %s: run go generate ./docs/gen", f.FullName())
		case !used && !left:
			t.Errorf(
				"%s is on no panel and in no rule, as docs/metrics.md has it: show it (grafana/src/dashboards) and run go generate ./docs/gen, or "+
					"say in notShown why not",
				f.FullName(),
			)
		case used && left:
			t.Errorf("%s is used, so that notShown need not say why not", f.FullName())
		case left && why == "":
			t.Errorf("notShown gives no reason for %s", f.FullName())
		}
	}
}

// TestAlertsAreTried asserts that promtool's tests make every alert fire, with everything that it says, and that the
// runbook says what to do.
func TestAlertsAreTried(t *testing.T) {
	var tests strings.Builder
	for _, name := range []string{"answers", "epoch", "health", "memory", "speed"} {
		tests.WriteString(read(t, "prometheus/tests/"+name+".yml"))
	}
	runbook := read(t, "prometheus/RUNBOOK.md")
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(read(t, "prometheus/rules/exobench.yml"), -1)
	if len(alerts) < 14 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, m := range alerts {
		fires := regexp.MustCompile(fmt.Sprintf(`alertname: %s(, exp_alerts: \*|\n\s+exp_alerts:)`, m[1]))
		if !fires.MatchString(tests.String()) {
			t.Errorf("no test in prometheus/tests makes %s fire", m[1])
		}
		if !strings.Contains(runbook, "\n## "+m[1]+"\n") {
			t.Errorf("prometheus/RUNBOOK.md has no section %s", m[1])
		}
	}
}

// TestFaultsAreTold asserts that a kind of fault which the code names is one that can be injected, and the other way
// round. What becomes of each is held by the tests of package app.
func TestFaultsAreTold(t *testing.T) {
	kinds, front := read(t, "workload/exosim/faults/kinds.go"), read(t, "workload/exosim/names.go")
	constants := regexp.MustCompile(`\n\t(\w+) +Kind = "(\w+)"`).FindAllStringSubmatch(kinds, -1)
	if len(constants) == 0 {
		t.Fatal("no kinds of faults in workload/exosim/faults/kinds.go")
	}
	for _, m := range constants {
		if !slices.Contains(exosim.Kinds(), exosim.Kind(m[2])) {
			t.Errorf("fault %s is not in the table of workload/exosim/faults/kinds.go", m[2])
		}
		if !regexp.MustCompile(`\b` + m[1] + ` += faults\.` + m[1] + `\b`).MatchString(front) {
			t.Errorf("fault %s has no name in workload/exosim/names.go", m[2])
		}
	}
	if got := len(exosim.Kinds()); got != len(constants) {
		t.Errorf("%d kinds of faults, %d of them with a constant", got, len(constants))
	}
	if want := fmt.Sprintf("able to fail in %d ways", len(constants)); !strings.Contains(read(t, "CHANGELOG.md"), want) {
		t.Errorf("CHANGELOG.md does not say that the simulator is %s", want)
	}
}
