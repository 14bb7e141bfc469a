package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
)

// ollama is Ollama's own API, which tells more than its imitation of OpenAI's does: how long
// loading, prefill and decode took. It loads a model with the first request for it.
type ollama struct{}

// endpointOllama is Ollama's route /api/chat.
const endpointOllama workload.Endpoint = "chat"

func (ollama) traits() traits {
	return traits{name: workload.DialectOllama, owner: "library", media: "application/x-ndjson", lazy: true}
}

// exo 1.x imitates Ollama below /ollama/api, which is another place.
func (ollama) proofs() []proof {
	return []proof{{{"/api/version", isOllamaVersion}, {"/api/tags", isOllamaTags}}}
}

func isOllamaVersion(b json.RawMessage) (string, bool) {
	var doc struct {
		Version string `json:"version"`
	}
	return "", json.Unmarshal(b, &doc) == nil && doc.Version != ""
}

func isOllamaTags(b json.RawMessage) (string, bool) {
	_, err := ollamaTags(b)
	return "", err == nil
}

// ollamaTags reads the models that are installed.
func ollamaTags(b json.RawMessage) ([]string, error) {
	var doc struct {
		Models *[]struct {
			Name string `json:"name"`
		} `json:"models"`
	}
	if json.Unmarshal(b, &doc) != nil || doc.Models == nil {
		return nil, errors.New("not a list of models")
	}
	names := make([]string, 0, len(*doc.Models))
	for _, m := range *doc.Models {
		names = append(names, m.Name)
	}
	return names, nil
}

// ollamaNames are Ollama's tags of the models of the standard workload.
var ollamaNames = map[string]string{
	"llama-3.1-8b": "llama3.1:8b",
	"llama-3.2-1b": "llama3.2:1b",
	"mistral-7b":   "mistral:7b",
	"qwen-1.5-7b":  "qwen:7b",
	"deepseek-r1":  "deepseek-r1:7b",
}

// survey tells of models what is installed. A name without a tag means the tag latest.
func (ollama) survey(ctx context.Context, c *Client) (func(workload.Model) ModelReport, error) {
	installed, err := c.catalogue(ctx, list{"/api/tags", ollamaTags})
	if err != nil {
		return nil, err
	}
	loaded, err := c.catalogue(ctx, list{"/api/ps", ollamaTags})
	if err != nil {
		return nil, err
	}
	return func(m workload.Model) ModelReport {
		id := cmp.Or(m.ExoID, ollamaNames[m.Name], m.Name)
		r := ModelReport{Model: m.Name, ID: id, Servable: true, Loaded: hasTag(loaded, id)}
		switch {
		case installed == nil:
			r.Note = unlistedNote
		case !hasTag(installed, id):
			r.Servable = false
			r.Note = "not installed; install it with: ollama pull " + id + "; installed is " + some(installed) +
				", chosen by EXOBENCH_MODELS=…," + m.Name + "=ID"
		}
		return r
	}, nil
}

func hasTag(names []string, id string) bool {
	return slices.Contains(names, id) || !strings.Contains(id, ":") && slices.Contains(names, id+":latest")
}

func (d ollama) open(ctx context.Context, c *Client, m workload.Model) (*session, error) {
	return c.openListed(ctx, d, m)
}

// Ollama does not say what it found in its prefix cache, so the nonce is all there is.
func (ollama) routes() []route {
	return []route{{
		endpoint: endpointOllama, path: "/api/chat", nonce: true,
		words: "/api/chat with a nonce against the prefix cache",
	}}
}

type ollamaRequest struct {
	Model    string             `json:"model"`
	Messages []workload.Message `json:"messages"`
	Stream   bool               `json:"stream"`
	Options  ollamaOptions      `json:"options"`
}

type ollamaOptions struct {
	NumPredict  int     `json:"num_predict"`
	Temperature float64 `json:"temperature"`
	Seed        int     `json:"seed"`
}

// Whether a model thinks is left to it, as elsewhere.
func (ollama) body(id string, r workload.Request) any {
	return &ollamaRequest{
		Model: id, Messages: r.Prompt.Messages, Stream: true,
		Options: ollamaOptions{NumPredict: r.Prompt.MaxTokens, Temperature: r.Temperature, Seed: r.Seed},
	}
}

func (ollama) events(body io.Reader) eventReader {
	return &ollamaEvents{lines: sse.NewLineDecoder(body, 0)}
}

type ollamaEvents struct{ lines *sse.Decoder }

// Next implements eventReader.
func (s *ollamaEvents) Next() (answer.Event, error) {
	ev, err := s.lines.Next()
	if err != nil {
		return answer.Event{}, err
	}
	var line ollamaLine
	if err := unmarshalEvent(ev, &line, "a line of a chat"); err != nil {
		return answer.Event{}, err
	}
	out := line.event(ev.Data)
	out.At, out.Read = ev.Time, ev.Read
	return out, nil
}

// ollamaLine is what is read of a line. Durations are nanoseconds.
type ollamaLine struct {
	Model   string `json:"model"`
	Message struct {
		Content   text     `json:"content"`
		Thinking  text     `json:"thinking"`
		ToolCalls anything `json:"tool_calls"`
	} `json:"message"`
	Error json.RawMessage `json:"error"`

	Done               bool    `json:"done"`
	DoneReason         string  `json:"done_reason"`
	PromptEvalCount    int     `json:"prompt_eval_count"`
	PromptEvalDuration float64 `json:"prompt_eval_duration"`
	EvalCount          int     `json:"eval_count"`
	EvalDuration       float64 `json:"eval_duration"`
}

func (l *ollamaLine) event(b []byte) answer.Event {
	ev := answer.Event{
		Model: l.Model, End: l.Done,
		Delta: answer.Delta{
			Content: answer.Text(l.Message.Content), Thought: answer.Text(l.Message.Thinking), Tool: bool(l.Message.ToolCalls),
		},
	}
	if len(l.Error) > 0 {
		ev.Error = httpapi.ErrorMessage(b)
	}
	if l.Done {
		ev.Finish = cmp.Or(l.DoneReason, "stop") // older ones give no reason
		ev.Usage = answer.Usage{Prompt: l.PromptEvalCount, Completion: l.EvalCount}
		ev.Server = &workload.ServerStats{
			PromptTokens: l.PromptEvalCount, GenerationTokens: l.EvalCount,
			PromptTPS: perSecond(l.PromptEvalCount, l.PromptEvalDuration), GenerationTPS: perSecond(l.EvalCount, l.EvalDuration),
		}
	}
	return ev
}

// perSecond returns n a second over so many nanoseconds; 0 where that is nothing.
func perSecond(n int, nanoseconds float64) float64 {
	if n <= 0 || nanoseconds <= 0 {
		return 0
	}
	return float64(n) / (nanoseconds / 1e9)
}

// An empty string only accompanies the end.
func (ollama) token(d answer.Delta) answer.Token { return d.Token(answer.Filled) }
