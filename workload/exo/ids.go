package exo

import (
	"fmt"

	"exo-bench-exporter/workload"
)

// names are what a node calls a model of the standard workload.
type names struct {
	exo1 string
	exo0 string // empty: legacy exo has no such model
	near string // legacy: what comes nearest to it, for a user to choose
}

var known = map[string]names{
	"llama-3.1-8b": {exo1: "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit", exo0: "llama-3.1-8b"},
	"llama-3.2-1b": {exo1: "mlx-community/Llama-3.2-1B-Instruct-4bit", exo0: "llama-3.2-1b"},
	"mistral-7b":   {exo1: "mlx-community/Mistral-7B-Instruct-v0.3-4bit", near: "mistral-nemo"},
	"qwen-1.5-7b":  {exo1: "mlx-community/Qwen1.5-7B-Chat-4bit", near: "qwen-2.5-7b"},
	"deepseek-r1":  {exo1: "mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit", exo0: "deepseek-r1-distill-qwen-7b"},
}

// candidates returns the ids by which a node of dialect d may know m, best first: the one
// that is configured, or the one of the table and then the name itself (early 1.x releases
// had such short ids, and a model that is not in the table is called by its name).
func candidates(d workload.Dialect, m workload.Model) []string {
	if m.ExoID != "" {
		return []string{m.ExoID}
	}
	n, ok := known[m.Name]
	switch {
	case !ok, d == workload.DialectOpenAI:
		return []string{m.Name}
	case d == workload.DialectExo1:
		return []string{n.exo1, m.Name}
	case n.exo0 == "":
		return []string{m.Name}
	}
	// Not the name beside it: legacy exo's own deepseek-r1 is the one of 671 billion parameters.
	return []string{n.exo0}
}

// noLegacyID explains that legacy exo has nothing by the name of m, and what a user may do.
func noLegacyID(m workload.Model) string {
	return fmt.Sprintf("exo 0.0.x has no %s. %s", m.Name, mapAdvice(m.Name, known[m.Name].near))
}

// mapAdvice says how a user maps a workload's model to an id of the node.
func mapAdvice(name, id string) string {
	return fmt.Sprintf("To measure its nearest relative in its place, which the metrics will show, set EXOBENCH_MODELS=…,%s=%s", name, id)
}
