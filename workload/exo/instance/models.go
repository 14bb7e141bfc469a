package instance

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Known reports whether exo's catalogue has the model. It must be asked before anything
// else is asked about a model: exo fetches the card of one that it does not know from
// Hugging Face, whatever the question.
func (m *Manager) Known(ctx context.Context, model string) (bool, error) {
	var list struct {
		Data []struct {
			ID          string `json:"id"`
			HuggingFace string `json:"hugging_face_id"`
		} `json:"data"`
	}
	err := m.node.get(ctx, "/models", &list)
	if missing(err) {
		err = m.node.get(ctx, "/v1/models", &list)
	}
	if missing(err) {
		m.node.sayOnce("models", "This exo does not list its models: taking every model for known")
		return true, nil
	}
	if err != nil {
		return false, answered(ctx, err, "exo's list of models cannot be read")
	}
	for _, d := range list.Data {
		if d.ID == model || d.HuggingFace == model {
			return true, nil
		}
	}
	return false, nil
}

// Add adds the model to exo's catalogue, which makes exo fetch its configuration from
// Hugging Face. exo answers late when the network is slow, so that a call without an answer
// is followed by looking whether the model has become known.
func (m *Manager) Add(ctx context.Context, model string) error {
	m.log.Info("Adding a model to exo's catalogue", "model", model)
	err := m.node.api.Call(ctx, http.MethodPost, "/models/add", map[string]string{"model_id": model}, nil)
	for start := time.Now(); err != nil && passing(err) && time.Since(start) < outageBound; {
		if sleep(ctx, retryInterval) != nil {
			break
		}
		if known, e := m.Known(ctx, model); e == nil && known {
			return nil
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && !passing(err):
		return unavailable(err, "exo could not add %s to its catalogue (it needs the internet for that, and a model.safetensors.index.json in the repository)", model)
	}
	return answered(ctx, err, "adding %s to exo's catalogue", model)
}

// AddCommand returns the shell command that adds the model to exo's catalogue.
func (m *Manager) AddCommand(model string) string {
	body := strings.ReplaceAll(fmt.Sprintf(`{"model_id":%q}`, model), "'", `'\''`)
	return fmt.Sprintf("curl -X POST -H 'Content-Type: application/json' -d '%s' %s/models/add", body, m.node.api.BaseURL())
}

// offered makes sure that exo knows the model, adding it where that is allowed.
func (m *Manager) offered(ctx context.Context, model string) error {
	known, err := m.Known(ctx, model)
	switch {
	case err != nil || known:
		return err
	case m.opts.AddModels:
		return m.Add(ctx, model)
	}
	return unavailable(nil, "exo's catalogue does not have %s; add it with: %s (or set EXOBENCH_ADD_MODELS=true; exo needs the internet for it)",
		model, m.AddCommand(model))
}
