package workload

import "testing"

func TestFacts(t *testing.T) {
	want := map[string]ModelFacts{
		"llama-3.1-8b": {"Meta", "8.0B", "llama, grouped-query attention", false},
		"llama-3.2-1b": {"Meta", "1.2B", "llama, grouped-query attention", false},
		"mistral-7b":   {"Mistral AI", "7.2B", "mistral, grouped-query attention", false},
		"qwen-1.5-7b":  {"Alibaba", "7.7B", "qwen2, multi-head attention", false},
		"deepseek-r1":  {"DeepSeek", "7.6B", "qwen2, grouped-query attention, reasoning", true},
	}
	for _, m := range DefaultModels() {
		if got, known := m.Facts(), want[m.Name]; got != known || got == (ModelFacts{}) {
			t.Errorf("%s: %+v, want %+v", m.Name, got, known)
		}
	}
	if got := (Model{Name: "somebody's", ExoID: "llama-3.1-8b"}).Facts(); got != (ModelFacts{}) {
		t.Errorf("facts of an unknown model: %+v", got)
	}
}
