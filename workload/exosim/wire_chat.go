package exosim

import "time"

// chatRequest is what the node reads of a chat completion request.
type chatRequest struct {
	Model          string        `json:"model"`
	Messages       []chatMessage `json:"messages"`
	MaxTokens      *int          `json:"max_tokens"`
	Stream         bool          `json:"stream"`
	Temperature    *float64      `json:"temperature"`
	Seed           *int          `json:"seed"`
	UsePrefixCache bool          `json:"use_prefix_cache"`
}

type chatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// chunk is one data event of HEAD: what is null is left out.
type chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	Usage   *usage        `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int        `json:"index"`
	Delta        chunkDelta `json:"delta"`
	FinishReason *string    `json:"finish_reason,omitempty"`
}

type chunkDelta struct {
	Role             string  `json:"role"`
	Content          *string `json:"content,omitempty"`
	ReasoningContent *string `json:"reasoning_content,omitempty"`
}

// fullChunk is one data event of v1.0.71: what is null is written as null.
type fullChunk struct {
	ID          string       `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"`
	Model       string       `json:"model"`
	Choices     []fullChoice `json:"choices"`
	Usage       *usage       `json:"usage"`
	ServiceTier *string      `json:"service_tier"`
}

type fullChoice struct {
	Index        int         `json:"index"`
	Delta        fullMessage `json:"delta"`
	Logprobs     any         `json:"logprobs"`
	FinishReason *string     `json:"finish_reason"`
	Usage        *usage      `json:"usage"`
}

// fullMessage is a message with all that exo 1.x knows of one.
type fullMessage struct {
	Role             string  `json:"role"`
	Content          *string `json:"content"`
	ReasoningContent *string `json:"reasoning_content"`
	Name             *string `json:"name"`
	ToolCalls        any     `json:"tool_calls"`
	ToolCallID       *string `json:"tool_call_id"`
	FunctionCall     any     `json:"function_call"`
}

type usage struct {
	PromptTokens            int               `json:"prompt_tokens"`
	CompletionTokens        int               `json:"completion_tokens"`
	TotalTokens             int               `json:"total_tokens"`
	PromptTokensDetails     promptDetails     `json:"prompt_tokens_details"`
	CompletionTokensDetails completionDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
	AudioTokens  int `json:"audio_tokens"`
}

type completionDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

// stats is exo's generation_stats. Memory is snake_case in a stream and camelCase in a
// document, hence the type parameter.
type stats[M memorySnake | memory] struct {
	PromptTPS        float64 `json:"prompt_tps"`
	GenerationTPS    float64 `json:"generation_tps"`
	PromptTokens     int     `json:"prompt_tokens"`
	GenerationTokens int     `json:"generation_tokens"`
	PeakMemoryUsage  M       `json:"peak_memory_usage"`
	PrefixCacheHit   string  `json:"prefix_cache_hit"`
}

type memorySnake struct {
	InBytes uint64 `json:"in_bytes"`
}

type memory struct {
	InBytes uint64 `json:"inBytes"`
}

// completion is a whole answer in one document.
type completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Choices     []completionChoice `json:"choices"`
	Usage       *usage             `json:"usage"`
	ServiceTier *string            `json:"service_tier"`
}

type completionChoice struct {
	Index        int         `json:"index"`
	Message      fullMessage `json:"message"`
	Logprobs     any         `json:"logprobs"`
	FinishReason *string     `json:"finish_reason"`
}

// benchCompletion is the document of /bench/chat/completions.
type benchCompletion struct {
	completion
	GenerationStats stats[memory] `json:"generation_stats"`
	PowerUsage      powerUsage    `json:"power_usage"`
}

type powerUsage struct {
	ElapsedSeconds        float64     `json:"elapsed_seconds"`
	Nodes                 []nodePower `json:"nodes"`
	TotalAvgSysPowerWatts float64     `json:"total_avg_sys_power_watts"`
	TotalEnergyJoules     float64     `json:"total_energy_joules"`
	*powerSplit                       // HEAD only
}

type powerSplit struct {
	PrefillSeconds             *float64 `json:"prefill_seconds"`
	GenerationSeconds          *float64 `json:"generation_seconds"`
	PrefillEnergyJoules        *float64 `json:"prefill_energy_joules"`
	GenerationEnergyJoules     *float64 `json:"generation_energy_joules"`
	PrefillAvgSysPowerWatts    *float64 `json:"prefill_avg_sys_power_watts"`
	GenerationAvgSysPowerWatts *float64 `json:"generation_avg_sys_power_watts"`
}

type nodePower struct {
	NodeID          string  `json:"node_id"`
	Samples         int     `json:"samples"`
	AvgSysPower     float64 `json:"avg_sys_power"`
	*nodePowerSplit         // HEAD only
}

type nodePowerSplit struct {
	PrefillAvgSysPower     *float64 `json:"prefill_avg_sys_power"`
	GenerationAvgSysPower  *float64 `json:"generation_avg_sys_power"`
	PrefillEnergyJoules    *float64 `json:"prefill_energy_joules"`
	GenerationEnergyJoules *float64 `json:"generation_energy_joules"`
}

// encodeChunk writes one data event of a stream in the form of the variant.
func encodeChunk(v Variant, id, model string, created time.Time, t token, u *usage) []byte {
	var content, reasoning *string
	if t.reasoning {
		reasoning = &t.text
	} else {
		content = &t.text
	}
	var finish *string
	if t.finish != "" {
		finish = &t.finish
	}
	if v == V1071 {
		return encode(fullChunk{
			ID: id, Object: "chat.completion", Created: created.Unix(), Model: model, Usage: u,
			Choices: []fullChoice{{
				Delta:        fullMessage{Role: "assistant", Content: content, ReasoningContent: reasoning},
				FinishReason: finish,
			}},
		})
	}
	return encode(chunk{
		ID: id, Object: "chat.completion", Created: created.Unix(), Model: model, Usage: u,
		Choices: []chunkChoice{{
			Delta:        chunkDelta{Role: "assistant", Content: content, ReasoningContent: reasoning},
			FinishReason: finish,
		}},
	})
}

// encodeStreamError writes the error document of a stream whose status was 200 already.
func encodeStreamError(v Variant, message string) []byte {
	e := apiError{Message: message, Type: "InternalServerError", Code: 500}
	if v == V1071 {
		return encode(map[string]apiError{"error": e})
	}
	return encode(map[string]any{"error": struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    int    `json:"code"`
	}{e.Message, e.Type, e.Code}})
}
