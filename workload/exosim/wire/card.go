package wire

// ModelCard is exo 1.x's description of a model, as it stands inside other documents.
type ModelCard struct {
	ModelID          string           `json:"modelId"`
	StorageSize      Memory           `json:"storageSize"`
	NLayers          int              `json:"nLayers"`
	HiddenSize       int              `json:"hiddenSize"`
	SupportsTensor   bool             `json:"supportsTensor"`
	NumKeyValueHeads int              `json:"numKeyValueHeads"`
	Tasks            []string         `json:"tasks"`
	Components       any              `json:"components"`
	Family           string           `json:"family"`
	Quantization     string           `json:"quantization"`
	BaseModel        string           `json:"baseModel"`
	Capabilities     []string         `json:"capabilities"`
	Backends         []string         `json:"backends,omitempty"`         // HEAD only
	ReasoningDialect string           `json:"reasoningDialect,omitempty"` // HEAD only
	ContextLength    int              `json:"contextLength"`
	UsesCfg          bool             `json:"usesCfg"`
	TrustRemoteCode  bool             `json:"trustRemoteCode"`
	IsCustom         bool             `json:"isCustom"`
	Vision           any              `json:"vision"`
	SamplingDefaults SamplingDefaults `json:"samplingDefaults"`
}

// SamplingDefaults are a card's own parameters of sampling.
type SamplingDefaults struct {
	Temperature       *float64 `json:"temperature"`
	TopP              *float64 `json:"topP"`
	TopK              *int     `json:"topK"`
	MinP              *float64 `json:"minP"`
	RepetitionPenalty *float64 `json:"repetitionPenalty"`
	PresencePenalty   *float64 `json:"presencePenalty"`
	FrequencyPenalty  *float64 `json:"frequencyPenalty"`
	Thinking          any      `json:"thinking"`
	NonThinking       any      `json:"nonThinking"`
}

// ListedModel is an entry of exo 1.x's /models.
type ListedModel struct {
	ID                   string   `json:"id"`
	Object               string   `json:"object"`
	Created              int64    `json:"created"`
	OwnedBy              string   `json:"owned_by"`
	HuggingFaceID        string   `json:"hugging_face_id"`
	Name                 string   `json:"name"`
	Description          string   `json:"description"`
	ContextLength        int      `json:"context_length"`
	Tags                 []string `json:"tags"`
	StorageSizeMegabytes int      `json:"storage_size_megabytes"`
	SupportsTensor       bool     `json:"supports_tensor"`
	Tasks                []string `json:"tasks"`
	IsCustom             bool     `json:"is_custom"`
	Family               string   `json:"family"`
	Quantization         string   `json:"quantization"`
	BaseModel            string   `json:"base_model"`
	Capabilities         []string `json:"capabilities"`
	ReasoningDialect     string   `json:"reasoning_dialect,omitempty"` // HEAD only
}
