package workload

// Model is one of the models under measurement.
type Model struct {
	// Name identifies the model in the workload; it is the label `model` of every metric.
	Name string
	// ExoID is the id by which the engine is asked for the model. Empty means that the
	// target chooses the id it knows for Name.
	ExoID string
	// Answers is the id that the node's answers name where that is not the one it is asked by, as
	// with gateways that resolve aliases. Empty means that they must name the same.
	Answers string
}

// ModelFacts describes a model independently of any engine.
type ModelFacts struct {
	Developer    string // who trained it
	Parameters   string // parameter count as people write it, for example "8B"
	Architecture string // attention and block family
	Thinks       bool   // before it answers
}

// DefaultModels returns the five models of the standard workload, in their canonical order.
func DefaultModels() []Model {
	return []Model{
		{Name: "llama-3.1-8b"},
		{Name: "llama-3.2-1b"},
		{Name: "mistral-7b"},
		{Name: "qwen-1.5-7b"},
		{Name: "deepseek-r1"},
	}
}

var facts = map[string]ModelFacts{
	"llama-3.1-8b": {Developer: "Meta", Parameters: "8.0B", Architecture: "llama, grouped-query attention"},
	"llama-3.2-1b": {Developer: "Meta", Parameters: "1.2B", Architecture: "llama, grouped-query attention"},
	"mistral-7b":   {Developer: "Mistral AI", Parameters: "7.2B", Architecture: "mistral, grouped-query attention"},
	"qwen-1.5-7b":  {Developer: "Alibaba", Parameters: "7.7B", Architecture: "qwen2, multi-head attention"},
	"deepseek-r1":  {Developer: "DeepSeek", Parameters: "7.6B", Architecture: "qwen2, grouped-query attention, reasoning", Thinks: true},
}

// Facts returns what is known of m. Fields of a model that is not one of the five are empty.
func (m Model) Facts() ModelFacts { return facts[m.Name] }
