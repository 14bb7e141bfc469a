package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"slices"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// openAI is any server with OpenAI's chat completions: llama.cpp, vLLM, LM Studio and others.
type openAI struct{}

func (openAI) traits() traits {
	return traits{name: workload.DialectOpenAI, media: mediaSSE, lazy: true, bare: true}
}

func (openAI) proofs() []proof { return []proof{{{"/v1/models", isModelList}}} }

func isModelList(b json.RawMessage) (string, bool) {
	_, err := modelIDs(b)
	return "", err == nil
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
	listed, err := c.catalogue(ctx, list{"/v1/models", modelIDs})
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
	return "not in the server's list of models, but it is tried; the list has " + some(listed) + ", chosen by EXOBENCH_MODELS=…," + name + "=ID"
}

func (d openAI) open(ctx context.Context, c *Client, m workload.Model) (*session, error) {
	return c.openListed(ctx, d, m)
}

// Usage comes only when it is asked for.
func (openAI) body(id string, r workload.Request) any {
	b := chatBody(id, r)
	b.StreamOptions = &streamOptions{IncludeUsage: true}
	return b
}

func (openAI) events(body io.Reader) eventReader { return newChatEvents(body, nil) }

// An empty string only accompanies the role or the finish_reason.
func (openAI) token(d answer.Delta) answer.Token { return d.Token(answer.Filled) }
