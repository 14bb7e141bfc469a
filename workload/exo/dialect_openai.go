package exo

import (
	"cmp"
	"context"
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

// openAI is any server with OpenAI's chat completions: llama.cpp, vLLM, LM Studio and others.
type openAI struct{}

func (openAI) traits() traits {
	return traits{name: workload.DialectOpenAI, framing: framingSSE, lazy: true, bare: true, forms: true, marked: true}
}

func (openAI) proofs() []proof { return []proof{{{"/v1/models", isModelList}}} }

// maxOwners is how many owners are kept of a list of models: more than any server has engines.
const maxOwners = 16

func isModelList(r io.Reader) (f finding, ok bool, err error) {
	ok, err = state.ReadModels(r, func(m state.Model) {
		if m.Owner != "" && len(f.owners) < maxOwners && !slices.Contains(f.owners, m.Owner) {
			f.owners = append(f.owners, m.Owner)
		}
	})
	return f, ok, err
}

func (openAI) routes() []route {
	return []route{{
		endpoint: workload.EndpointV1, path: pathV1, nonce: true, cold: true,
		words: pathV1 + " with a nonce against the prefix cache",
	}}
}

// survey tells of models what the list tells. That it lacks one is no obstacle: some servers
// list aliases only or load models on demand, and the server's own answer decides.
func (openAI) survey(ctx context.Context, c *Client) (func(workload.Model) ModelReport, error) {
	listed, err := c.catalogue(ctx, list{"/v1/models", state.ReadModels})
	if err != nil {
		return nil, err
	}
	return func(m workload.Model) ModelReport {
		r := ModelReport{Model: m.Name, ID: cmp.Or(m.ExoID, m.Name), Servable: true}
		switch {
		case listed == nil:
			r.Note = unlistedNote
		case !slices.Contains(listed, r.ID):
			r.Note = notListed(m.Name, listed)
		}
		return r
	}, nil
}

// notListed says what to make of a model that a list lacks, where the list may be wrong.
func notListed(name string, listed []string) string {
	return "not in the server's list of models, but it is tried; the list has " + some(listed) + ", chosen by EXOBENCH_MODELS=…," + name +
		"=ID"
}

func (d openAI) open(ctx context.Context, c *Client, m workload.Model) (*session, error) {
	s, err := c.openListed(ctx, d, m)
	if err == nil && c.epoch(workload.DialectOpenAI).Engine == "vllm" {
		s.observe = c.observeVLLM
	}
	return s, err
}

// engine asks what vLLM (and others after it) and llama.cpp tell of themselves.
func (openAI) engine(ctx context.Context, c *Client) (name, version string) {
	var props struct {
		Build word `json:"build_info"` // b5921-6b56a64e
	}
	if c.api.Call(ctx, http.MethodGet, "/props", nil, &props) == nil {
		if name, version, ok := strings.Cut(llamaBuild(string(props.Build)), " "); ok {
			return name, version
		}
	}
	var is struct {
		Version word `json:"version"`
	}
	if c.api.Call(ctx, http.MethodGet, "/version", nil, &is) == nil {
		version = httpapi.OneLine(string(is.Version))
	}
	return c.listOwner(ctx), version
}

// Usage comes only when it is asked for, and an answer of max_tokens only where the model is kept
// from ending it.
func (openAI) body(id string, r workload.Request, f form) any {
	b := chatBody(id, r)
	if r.Expect == nil {
		b.IgnoreEOS, b.MinTokens = true, r.Prompt.MaxTokens
	}
	b.StreamOptions = &streamOptions{IncludeUsage: true}
	f.apply(b)
	return b
}

func (openAI) events(d *sse.Decoder) eventReader { return &chatEvents{events: d} }

// An empty string only accompanies the role or the finish_reason.
func (openAI) token(d answer.Delta) answer.Token { return d.Token(answer.Filled) }
