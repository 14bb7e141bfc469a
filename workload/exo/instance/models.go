package instance

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/state"
)

// builtin are the ids that exo's releases v1.0.71 to b5375f8ce have in their catalogue, one a line.
//
//go:embed builtin.txt
var builtin string

// isBuiltin reports whether exo's releases know the model by themselves. Adding such a one
// would put a card without family and capabilities in the place of exo's own.
func isBuiltin(model string) bool { return slices.Contains(strings.Fields(builtin), model) }

// exo's catalogue is empty when it starts and grows for seconds, on a busy machine with pauses
// of a second. A model is missing only when the list has stopped growing.
const (
	quietToMiss = 10 * time.Second // the list is as long as before, so a model that it lacks is missing
	quietToAdd  = time.Minute      // likewise, before the catalogue is changed
)

// catalogue is what is known of the length of exo's list of models. The Manager's mutex guards it.
type catalogue struct {
	length int
	since  time.Time // when it was first so long
}

// grown notes the length of the list and returns for how long it has not changed.
func (m *Manager) grown(length int) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.catalogue.length != length || m.catalogue.since.IsZero() {
		m.catalogue = catalogue{length, time.Now()}
	}
	return time.Since(m.catalogue.since)
}

// ourOwn notes that the list is longer by a model of our own adding.
func (m *Manager) ourOwn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catalogue.length++
}

// listing is what exo's catalogue shows of one model.
type listing struct {
	length int
	known  bool // it is there
}

// models looks for a model in the catalogue under path.
func (n *node) models(ctx context.Context, path, model string) (l listing, err error) {
	err = n.stream(ctx, path, func(body io.Reader) error {
		l = listing{}
		_, err := state.ReadModels(body, func(m state.Model) {
			l.length++
			l.known = l.known || m.ID == model || m.HuggingFace == model
		})
		return err
	})
	return l, err
}

// Known reports whether exo's catalogue has the model, and for how long the catalogue has been
// as long as it is. It must be asked before anything else is asked about a model: exo fetches
// the card of one that it does not know from Hugging Face, whatever the question.
func (m *Manager) Known(ctx context.Context, model string) (known bool, quiet time.Duration, err error) {
	l, err := m.node.models(ctx, "/models", model)
	if missing(err) {
		l, err = m.node.models(ctx, "/v1/models", model)
	}
	if missing(err) {
		m.node.sayOnce("models", "This exo does not list its models: taking every model for known")
		return true, 0, nil
	}
	if err != nil {
		return false, 0, answered(ctx, err, "exo's list of models cannot be read")
	}
	return l.known, m.grown(l.length), nil
}

// Missing reports whether exo's catalogue lacks the model for good: it waits until the
// catalogue has not grown for a while, which costs ten seconds after the first look at it and
// nothing later.
func (m *Manager) Missing(ctx context.Context, model string) (bool, error) {
	return m.missingFor(ctx, model, quietToMiss)
}

func (m *Manager) missingFor(ctx context.Context, model string, least time.Duration) (bool, error) {
	for start := time.Now(); ; {
		known, quiet, err := m.Known(ctx, model)
		if err != nil || known || quiet >= least {
			return !known && err == nil, err
		}
		m.progress(Progress{Model: model, Stage: "waiting", Elapsed: time.Since(start)})
		if err := sleep(ctx, time.Second); err != nil {
			return false, answered(ctx, err, "waiting for exo's catalogue")
		}
	}
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
		if known, _, e := m.Known(ctx, model); e == nil && known {
			return nil
		}
	}
	switch {
	case err == nil:
		m.ourOwn()
		return nil
	case ctx.Err() == nil && !passing(err):
		return unavailable(err, "exo could not add %s to its catalogue (it needs the internet for that, and a model.safetensors.index.json in "+
			"the repository)", model)
	}
	return answered(ctx, err, "adding %s to exo's catalogue", model)
}

// AddCommand returns the shell command that adds the model to exo's catalogue.
func (m *Manager) AddCommand(model string) string {
	body := strings.ReplaceAll(fmt.Sprintf(`{"model_id":%q}`, model), "'", `'\''`)
	return fmt.Sprintf("curl -X POST -H 'Content-Type: application/json' -d '%s' %s/models/add", body, m.node.api.BaseURL())
}

// offered makes sure that exo knows the model, adding it where that is allowed and no harm.
func (m *Manager) offered(ctx context.Context, model string) error {
	add := m.opts.AddModels && !isBuiltin(model)
	least := quietToMiss
	if add {
		least = quietToAdd
	}
	missing, err := m.missingFor(ctx, model, least)
	switch {
	case err != nil || !missing:
		return err
	case add:
		return m.Add(ctx, model)
	case isBuiltin(model):
		return unavailable(nil, "exo's catalogue does not have %s, although exo's releases bring it along: it is not added, which would replace "+
			"exo's own "+
			"card; look into exo's log for why its cards are not read", model)
	}
	fix := m.AddCommand(model)
	return &workload.TurnError{Outcome: workload.TurnUnavailable, Fix: fix, Reason: fmt.Sprintf(
		"exo's catalogue does not have %s; add it with: %s (or set EXOBENCH_ADD_MODELS=true; exo needs the internet for it)", model, fix,
	)}
}
