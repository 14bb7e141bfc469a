package pace

import "time"

// Profile describes how one model behaves on the simulated machine, an Apple M4 Pro with
// 4-bit weights.
type Profile struct {
	Name      string // name in the workload, empty for a model that is not part of it
	ExoID     string // id in exo 1.x, empty where exo 1.x has none
	LegacyID  string // id in legacy exo 0.0.x, empty where that has none
	Catalogue bool   // listed in exo 1.x's own catalogue; others are custom cards

	WeightsBytes    uint64
	KVBytesPerToken uint64
	DecodeTPS       float64 // output tokens per second of one request
	PrefillTPS      float64 // prompt tokens per second
	Thinks          bool    // opens its answer with reasoning

	Layers, HiddenSize, KVHeads, ContextLength int
	Family, BaseModel                          string
}

// Profiles returns the models that a Node knows by default: the five of the standard
// workload, and a few others of exo's own lists for strangers to use.
func Profiles() []Profile {
	return []Profile{
		{
			Name: "llama-3.1-8b", ExoID: "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit", LegacyID: "llama-3.1-8b", Catalogue: true,
			WeightsBytes: 4_640_000_000, KVBytesPerToken: 131_072, DecodeTPS: 48, PrefillTPS: 410,
			Layers: 32, HiddenSize: 4096, KVHeads: 8, ContextLength: 131072, Family: "llama", BaseModel: "Llama 3.1 8B",
		},
		{
			Name: "llama-3.2-1b", ExoID: "mlx-community/Llama-3.2-1B-Instruct-4bit", LegacyID: "llama-3.2-1b", Catalogue: true,
			WeightsBytes: 729_808_896, KVBytesPerToken: 32_768, DecodeTPS: 245, PrefillTPS: 2600,
			Layers: 16, HiddenSize: 2048, KVHeads: 8, ContextLength: 131072, Family: "llama", BaseModel: "Llama 3.2 1B",
		},
		{
			Name: "mistral-7b", ExoID: "mlx-community/Mistral-7B-Instruct-v0.3-4bit",
			WeightsBytes: 4_100_000_000, KVBytesPerToken: 131_072, DecodeTPS: 55, PrefillTPS: 450,
			Layers: 32, HiddenSize: 4096, KVHeads: 8, ContextLength: 32768, Family: "mistral", BaseModel: "Mistral 7B Instruct v0.3",
		},
		{
			Name: "qwen-1.5-7b", ExoID: "mlx-community/Qwen1.5-7B-Chat-4bit",
			WeightsBytes: 4_300_000_000, KVBytesPerToken: 524_288, DecodeTPS: 51, PrefillTPS: 440,
			Layers: 32, HiddenSize: 4096, KVHeads: 32, ContextLength: 32768, Family: "qwen", BaseModel: "Qwen1.5 7B",
		},
		{
			Name: "deepseek-r1", ExoID: "mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit", LegacyID: "deepseek-r1-distill-qwen-7b",
			WeightsBytes: 4_300_000_000, KVBytesPerToken: 57_344, DecodeTPS: 52, PrefillTPS: 440, Thinks: true,
			Layers: 28, HiddenSize: 3584, KVHeads: 4, ContextLength: 131072, Family: "deepseek", BaseModel: "DeepSeek R1 Distill Qwen 7B",
		},
		{
			ExoID: "mlx-community/Qwen3-0.6B-4bit", Catalogue: true,
			WeightsBytes: 335_000_000, KVBytesPerToken: 114_688, DecodeTPS: 380, PrefillTPS: 4300, Thinks: true,
			Layers: 28, HiddenSize: 1024, KVHeads: 8, ContextLength: 40960, Family: "qwen", BaseModel: "Qwen3 0.6B",
		},
		{
			LegacyID: "qwen-2.5-7b", WeightsBytes: 4_300_000_000, KVBytesPerToken: 57_344, DecodeTPS: 52, PrefillTPS: 440,
			Layers: 28, HiddenSize: 3584, KVHeads: 4, ContextLength: 32768, Family: "qwen", BaseModel: "Qwen 2.5 7B",
		},
		{
			LegacyID: "mistral-nemo", WeightsBytes: 6_900_000_000, KVBytesPerToken: 163_840, DecodeTPS: 32, PrefillTPS: 260,
			Layers: 40, HiddenSize: 5120, KVHeads: 8, ContextLength: 131072, Family: "mistral", BaseModel: "Mistral Nemo",
		},
	}
}

// ssdBytesPerSecond is the rate at which weights are loaded.
const ssdBytesPerSecond = 2.5e9

// LoadTime returns how long the weights take from disk into memory.
func (p *Profile) LoadTime() time.Duration {
	return time.Duration(float64(p.WeightsBytes) / ssdBytesPerSecond * float64(time.Second))
}

// Is reports whether ref, a name in the workload or an id of either exo, means this model.
func (p *Profile) Is(ref string) bool {
	return ref != "" && (ref == p.Name || ref == p.ExoID || ref == p.LegacyID)
}

// Ref returns an id that names the model.
func (p *Profile) Ref() string {
	if p.ExoID != "" {
		return p.ExoID
	}
	return p.LegacyID
}
