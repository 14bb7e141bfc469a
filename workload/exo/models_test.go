package exo

import (
	"testing"

	"exo-bench-exporter/workload"
)

// Every dialect that asks for models by names of its own has one for each default model. Legacy exo does not serve
// all of them: of those its table of what is near says so.
func TestDefaultModelsHaveIDs(t *testing.T) {
	for _, m := range workload.DefaultModels() {
		for dialect, ids := range map[workload.Dialect]map[string]string{workload.DialectExo1: exo1Names, workload.DialectOllama: ollamaNames} {
			if ids[m.Name] == "" {
				t.Errorf("%s: dialect %s has no id of it", m.Name, dialect)
			}
		}
		if (exo0Names[m.Name] == "") == (exo0Near[m.Name] == "") {
			t.Errorf("%s: either legacy exo has an id of it (exo0Names), or one of a relative (exo0Near)", m.Name)
		}
	}
}
