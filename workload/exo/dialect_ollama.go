package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
	"exo-bench-exporter/workload/exo/state"
)

// ollama is Ollama's own API, which tells more than its imitation of OpenAI's does: how long
// loading, prefill and decode took. It loads a model with the first request for it.
type ollama struct{}

// endpointOllama is Ollama's route /api/chat.
const endpointOllama workload.Endpoint = "chat"

func (ollama) traits() traits {
	return traits{name: workload.DialectOllama, owner: "library", framing: framingLines, lazy: true}
}

// exo 1.x imitates Ollama below /ollama/api, which is another place.
func (ollama) proofs() []proof {
	return []proof{{{"/api/version", small(isOllamaVersion)}, {"/api/tags", isOllamaTags}}}
}

func isOllamaVersion(b json.RawMessage) (finding, bool) {
	var doc struct {
		Version string `json:"version"`
	}
	return finding{}, json.Unmarshal(b, &doc) == nil && doc.Version != ""
}

func isOllamaTags(r io.Reader) (f finding, ok bool, err error) {
	ok, err = state.ReadTags(r, func(state.Model) {})
	return f, ok, err
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
	installed, err := c.catalogue(ctx, list{"/api/tags", state.ReadTags})
	if err != nil {
		return nil, err
	}
	loaded, err := c.catalogue(ctx, list{"/api/ps", state.ReadTags})
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
func (ollama) body(id string, r workload.Request, _ form) any {
	return &ollamaRequest{
		Model: id, Messages: r.Prompt.Messages, Stream: true,
		Options: ollamaOptions{NumPredict: r.Prompt.MaxTokens, Temperature: r.Temperature, Seed: r.Seed},
	}
}

func (ollama) events(d *sse.Decoder) eventReader { return &ollamaEvents{lines: d} }

func (ollama) engine(ctx context.Context, c *Client) (name, version string) {
	var is struct {
		Version word `json:"version"`
	}
	_ = c.api.Call(ctx, http.MethodGet, "/api/version", nil, &is) // then it is not known
	return "ollama", httpapi.OneLine(string(is.Version))
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
	Model   word `json:"model"`
	Message struct {
		Content   text     `json:"content"`
		Thinking  text     `json:"thinking"`
		ToolCalls anything `json:"tool_calls"`
	} `json:"message"`
	Error fault `json:"error"`

	Done               bool          `json:"done"`
	DoneReason         word          `json:"done_reason"`
	PromptEvalCount    answer.Count  `json:"prompt_eval_count"`
	PromptEvalDuration answer.Amount `json:"prompt_eval_duration"`
	EvalCount          answer.Count  `json:"eval_count"`
	EvalDuration       answer.Amount `json:"eval_duration"`
}

func (l *ollamaLine) event(b []byte) answer.Event {
	m := l.Message
	ev := answer.Event{Model: string(l.Model), End: l.Done, Delta: answer.Delta{
		Words: m.Content.words, ThoughtWords: m.Thinking.words,
		Content: m.Content.holds, Thought: m.Thinking.holds, Tool: m.ToolCalls.set,
		Size: m.Content.size + m.Thinking.size + m.ToolCalls.size, Cut: m.Content.cut | m.Thinking.cut,
		Print: m.Content.print ^ m.Thinking.print ^ m.ToolCalls.print,
	}}
	if l.Error.set {
		ev.Error = errorWords(b)
	}
	if l.Done {
		ev.Finish = cmp.Or(string(l.DoneReason), "stop") // older ones give no reason
		ev.Usage = answer.Usage{Prompt: l.PromptEvalCount, Completion: l.EvalCount}
		ev.Stats = answer.Stats{
			Prompt: l.PromptEvalCount, Generation: l.EvalCount,
			PromptTPS:     l.PromptEvalDuration.Per(l.PromptEvalCount, nanoseconds),
			GenerationTPS: l.EvalDuration.Per(l.EvalCount, nanoseconds),
		}
	}
	return ev
}

// An empty string only accompanies the end.
func (ollama) token(d answer.Delta) answer.Token { return d.Token(answer.Filled) }
