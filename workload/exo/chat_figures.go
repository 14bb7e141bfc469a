package exo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"exo-bench-exporter/workload/exo/answer"
)

// Units of time, by how many make a second.
const (
	seconds     = 1
	nanoseconds = 1e9
)

// usage is the count of tokens, with the times that Groq and TabbyAPI put beside it, in seconds.
type usage struct {
	PromptTokens     answer.Count `json:"prompt_tokens"`
	CompletionTokens answer.Count `json:"completion_tokens"`
	TotalTokens      answer.Count `json:"total_tokens"`
	Cached           answer.Count `json:"cached_tokens"`           // Moonshot
	CacheHit         answer.Count `json:"prompt_cache_hit_tokens"` // DeepSeek
	PromptDetails    opt[struct {
		Cached answer.Count `json:"cached_tokens"`
	}] `json:"prompt_tokens_details"`
	Reasoning answer.Count `json:"reasoning_tokens"`
	Details   opt[struct {
		Reasoning answer.Count `json:"reasoning_tokens"`
	}] `json:"completion_tokens_details"`
	PromptTime     answer.Amount `json:"prompt_time"`
	CompletionTime answer.Amount `json:"completion_time"`

	// By the names that gateways to other APIs leave as they are.
	Input           answer.Count `json:"input_tokens"`
	Output          answer.Count `json:"output_tokens"`
	CamelPrompt     answer.Count `json:"promptTokens"`
	CamelCompletion answer.Count `json:"completionTokens"`
	CamelTotal      answer.Count `json:"totalTokens"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (u *usage) UnmarshalJSON(b []byte) error {
	type fields usage
	if err := json.Unmarshal(b, (*fields)(u)); err != nil {
		return err
	}
	u.PromptTokens = cmp.Or(u.PromptTokens, u.Input, u.CamelPrompt)
	u.CompletionTokens = cmp.Or(u.CompletionTokens, u.Output, u.CamelCompletion)
	u.TotalTokens = cmp.Or(u.TotalTokens, u.CamelTotal)
	return nil
}

func (u usage) counts() bool {
	return u.PromptTokens != 0 || u.CompletionTokens != 0 || u.TotalTokens != 0
}

// usageWithin finds a usage that a server has put into an object of its own, at any depth.
func usageWithin(b []byte) usage {
	var u usage
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) == nil {
		if _, counts := object["completion_tokens"]; counts && json.Unmarshal(b, &u) == nil {
			return u
		}
	}
	var list []json.RawMessage
	_ = json.Unmarshal(b, &list) // then it is none
	for _, inner := range slices.Concat(slices.Collect(maps.Values(object)), list) {
		if bytes.Contains(inner, []byte(`"completion_tokens"`)) {
			if u = usageWithin(inner); u.counts() {
				return u
			}
		}
	}
	return usage{}
}

func (u usage) usage() answer.Usage {
	return answer.Usage{
		Prompt: u.PromptTokens, Completion: u.CompletionTokens, Total: u.TotalTokens,
		Cached:    cmp.Or(u.PromptDetails.V.Cached, u.Cached, u.CacheHit),
		Reasoning: cmp.Or(u.Details.V.Reasoning, u.Reasoning),
	}
}

func (u usage) stats() answer.Stats {
	return answer.Stats{
		PromptTPS:     u.PromptTime.Per(u.PromptTokens, seconds),
		GenerationTPS: u.CompletionTime.Per(u.CompletionTokens, seconds),
	}
}

// timings are llama.cpp's own figures. Its prompt_n leaves out what came from the cache.
type timings struct {
	CacheN       answer.Count `json:"cache_n"`
	PromptN      answer.Count `json:"prompt_n"`
	PromptTPS    answer.Rate  `json:"prompt_per_second"`
	PredictedN   answer.Count `json:"predicted_n"`
	PredictedTPS answer.Rate  `json:"predicted_per_second"`
}

func (t timings) stats() answer.Stats {
	s := answer.Stats{
		PromptTPS: t.PromptTPS, GenerationTPS: t.PredictedTPS, Generation: t.PredictedN, Cached: t.CacheN, Prompt: t.PromptN,
	}
	if t.PromptN > 0 && t.CacheN > 0 {
		s.Prompt += t.CacheN
	}
	return s
}

// lmStats are LM Studio's own figures.
type lmStats struct {
	TPS answer.Rate `json:"tokens_per_second"`
}

func (s lmStats) stats() answer.Stats { return answer.Stats{GenerationTPS: s.TPS} }

// timeInfo are Cerebras's own figures, in seconds.
type timeInfo struct {
	PromptTime     answer.Amount `json:"prompt_time"`
	CompletionTime answer.Amount `json:"completion_time"`
}

func (t timeInfo) stats(u answer.Usage) answer.Stats {
	return answer.Stats{
		PromptTPS: t.PromptTime.Per(u.Prompt, seconds), GenerationTPS: t.CompletionTime.Per(u.Completion, seconds),
	}
}
