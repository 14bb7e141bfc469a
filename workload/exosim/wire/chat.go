package wire

import (
	"time"

	"exo-bench-exporter/workload/exosim/pace"
)

// Variant says which exo 1.x a node is; the wire formats differ.
type Variant string

// The variants of exo 1.x.
const (
	HEAD  Variant = "head"    // nulls dropped from chunks, /bench streams, /instance/await
	V1071 Variant = "v1.0.71" // the last release: nulls in chunks, /bench answers JSON only
)

// ChatRequest is what the node reads of a chat completion request.
type ChatRequest struct {
	Model          string         `json:"model"`
	Messages       []pace.Message `json:"messages"`
	MaxTokens      *int           `json:"max_tokens"`
	Stream         bool           `json:"stream"`
	Temperature    *float64       `json:"temperature"`
	Seed           *int           `json:"seed"`
	UsePrefixCache bool           `json:"use_prefix_cache"`
}

// chunk is one data event.
type chunk struct {
	ID          string        `json:"id"`
	Object      string        `json:"object"`
	Created     int64         `json:"created"`
	Model       string        `json:"model"`
	Choices     []chunkChoice `json:"choices"`
	Usage       *Usage        `json:"usage"`
	ServiceTier *string       `json:"service_tier"`
}

type chunkChoice struct {
	Index        int     `json:"index"`
	Delta        Message `json:"delta"`
	Logprobs     any     `json:"logprobs"`
	FinishReason *string `json:"finish_reason"`
	Usage        *Usage  `json:"usage"`
}

// Message is a message with all that exo 1.x knows of one.
type Message struct {
	Role             string  `json:"role"`
	Content          *string `json:"content"`
	ReasoningContent *string `json:"reasoning_content"`
	Name             *string `json:"name"`
	ToolCalls        any     `json:"tool_calls"`
	ToolCallID       *string `json:"tool_call_id"`
	FunctionCall     any     `json:"function_call"`
}

// Usage counts the tokens of an answer.
type Usage struct {
	PromptTokens            int               `json:"prompt_tokens"`
	CompletionTokens        int               `json:"completion_tokens"`
	TotalTokens             int               `json:"total_tokens"`
	PromptTokensDetails     PromptDetails     `json:"prompt_tokens_details"`
	CompletionTokensDetails CompletionDetails `json:"completion_tokens_details"`
}

// PromptDetails say what of the prompt was not read again.
type PromptDetails struct {
	CachedTokens int `json:"cached_tokens"`
	AudioTokens  int `json:"audio_tokens"`
}

// CompletionDetails say of what the answer consists.
type CompletionDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

// Stats is exo's generation_stats. Memory is snake_case in a stream and camelCase in a
// document, hence the type parameter.
type Stats[M MemorySnake | Memory] struct {
	PromptTPS        float64 `json:"prompt_tps"`
	GenerationTPS    float64 `json:"generation_tps"`
	PromptTokens     int     `json:"prompt_tokens"`
	GenerationTokens int     `json:"generation_tokens"`
	PeakMemoryUsage  M       `json:"peak_memory_usage"`
	PrefixCacheHit   string  `json:"prefix_cache_hit"`
}

// MemorySnake is an amount of memory in a stream.
type MemorySnake struct {
	InBytes uint64 `json:"in_bytes"`
}

// Memory is an amount of memory in a document.
type Memory struct {
	InBytes uint64 `json:"inBytes"`
}

// Completion is a whole answer in one document.
type Completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Choices     []CompletionChoice `json:"choices"`
	Usage       *Usage             `json:"usage"`
	ServiceTier *string            `json:"service_tier"`
}

// CompletionChoice is the one choice of a Completion.
type CompletionChoice struct {
	Index        int     `json:"index"`
	Message      Message `json:"message"`
	Logprobs     any     `json:"logprobs"`
	FinishReason *string `json:"finish_reason"`
}

// BenchCompletion is the document of /bench/chat/completions.
type BenchCompletion struct {
	Completion
	GenerationStats *Stats[Memory] `json:"generation_stats"`
	PowerUsage      PowerUsage     `json:"power_usage"`
}

// PowerUsage is what exo says a request cost.
type PowerUsage struct {
	ElapsedSeconds        float64     `json:"elapsed_seconds"`
	Nodes                 []NodePower `json:"nodes"`
	TotalAvgSysPowerWatts float64     `json:"total_avg_sys_power_watts"`
	TotalEnergyJoules     float64     `json:"total_energy_joules"`
	*PowerSplit                       // HEAD only
}

// PowerSplit is what each of the two phases cost.
type PowerSplit struct {
	PrefillSeconds             *float64 `json:"prefill_seconds"`
	GenerationSeconds          *float64 `json:"generation_seconds"`
	PrefillEnergyJoules        *float64 `json:"prefill_energy_joules"`
	GenerationEnergyJoules     *float64 `json:"generation_energy_joules"`
	PrefillAvgSysPowerWatts    *float64 `json:"prefill_avg_sys_power_watts"`
	GenerationAvgSysPowerWatts *float64 `json:"generation_avg_sys_power_watts"`
}

// NodePower is one node's part in a PowerUsage.
type NodePower struct {
	NodeID          string  `json:"node_id"`
	Samples         int     `json:"samples"`
	AvgSysPower     float64 `json:"avg_sys_power"`
	*NodePowerSplit         // HEAD only
}

// NodePowerSplit is one node's part in each of the two phases.
type NodePowerSplit struct {
	PrefillAvgSysPower     *float64 `json:"prefill_avg_sys_power"`
	GenerationAvgSysPower  *float64 `json:"generation_avg_sys_power"`
	PrefillEnergyJoules    *float64 `json:"prefill_energy_joules"`
	GenerationEnergyJoules *float64 `json:"generation_energy_joules"`
}

// encode writes a document of a chat as the variant does: HEAD leaves out what is null.
func (v Variant) encode(doc any) []byte {
	if v == V1071 {
		return Encode(doc)
	}
	return DropNulls(Encode(doc))
}

// Chunk returns one data event's document of a stream.
func Chunk(v Variant, id, model string, created time.Time, t pace.Token, u *Usage) []byte {
	c := chunk{ID: id, Object: "chat.completion", Created: created.Unix(), Model: model, Usage: u}
	choice := chunkChoice{Delta: Message{Role: "assistant"}}
	if t.Reasoning {
		choice.Delta.ReasoningContent = &t.Text
	} else {
		choice.Delta.Content = &t.Text
	}
	if t.Finish != "" {
		choice.FinishReason = &t.Finish
	}
	c.Choices = []chunkChoice{choice}
	return v.encode(c)
}

// EmptyChunk returns the document of an answer without any token.
func EmptyChunk(v Variant, id, model string, created time.Time, u *Usage) []byte {
	return v.encode(chunk{
		ID: id, Object: "chat.completion", Created: created.Unix(), Model: model, Usage: u,
		Choices: []chunkChoice{{Delta: Message{Role: "assistant"}, FinishReason: new("stop")}},
	})
}

// Document returns a whole answer of /v1.
func Document(v Variant, c Completion) []byte { return v.encode(c) }

// StreamError returns the error document of a stream whose status was 200 already.
func StreamError(v Variant, message string) []byte {
	return v.encode(map[string]APIError{"error": {Message: message, Type: "InternalServerError", Code: 500}})
}

// Progress returns the comment that reports how far the prompt has been read.
func Progress(model string, done, total int) []byte {
	type progress struct {
		Model           string `json:"model"`
		ProcessedTokens int    `json:"processed_tokens"`
		TotalTokens     int    `json:"total_tokens"`
	}
	return Comment("prefill_progress", Encode(map[string]progress{"PrefillProgressChunk": {model, done, total}}))
}
