package exo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/sse"
	"exo-bench-exporter/workload/exo/state"
)

// exo1 is exo 1.x. A model has an instance before it can be asked, which package instance
// sees to; its own figures come as comments of the stream.
type exo1 struct{}

func (exo1) traits() traits {
	return traits{name: workload.DialectExo1, owner: "exo", framing: framingSSE, machines: true}
}

func (exo1) proofs() []proof { return []proof{{{"/node_id", small(isNodeID)}}} }

func isNodeID(b json.RawMessage) (finding, bool) {
	var id string
	err := json.Unmarshal(b, &id)
	return finding{identity: id}, err == nil && id != ""
}

// /bench has its prefix cache off and bans the end of the answer, so that its length is exact;
// up to v1.0.71 it answers with one document, which leaves nothing to time.
func (exo1) routes() []route {
	return []route{
		{
			endpoint: workload.EndpointBench, path: "/bench/chat/completions", words: "/bench/chat/completions, prefix cache off",
			cold: true, document: benchDocument, documentEnd: workload.EndpointBenchJSON,
		},
		{
			endpoint: workload.EndpointV1, path: pathV1, words: pathV1 + " with a nonce against the prefix cache",
			cold: true, nonce: true,
		},
	}
}

// exo1Names are exo 1.x's ids of the models of the standard workload.
var exo1Names = map[string]string{
	"llama-3.1-8b": "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit",
	"llama-3.2-1b": "mlx-community/Llama-3.2-1B-Instruct-4bit",
	"mistral-7b":   "mlx-community/Mistral-7B-Instruct-v0.3-4bit",
	"qwen-1.5-7b":  "mlx-community/Qwen1.5-7B-Chat-4bit",
	"deepseek-r1":  "mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit",
}

// exo1IDs returns the ids by which m may be known, best first: that of the table, then the name
// itself, for early 1.x releases had such short ids.
func exo1IDs(m workload.Model) []string {
	id, standard := exo1Names[m.Name]
	if m.ExoID != "" || !standard {
		return []string{cmp.Or(m.ExoID, m.Name)}
	}
	return []string{id, m.Name}
}

func (exo1) catalogue(ctx context.Context, c *Client) ([]string, error) {
	return c.catalogue(ctx, list{"/models", state.ReadModels}, list{"/v1/models", state.ReadModels})
}

func (d exo1) survey(ctx context.Context, c *Client) (func(workload.Model) ModelReport, error) {
	listed, err := d.catalogue(ctx, c)
	if err != nil {
		return nil, err
	}
	placed := c.placed(ctx)
	return func(m workload.Model) ModelReport {
		id, found := choose(exo1IDs(m), slices.Concat(listed, placed))
		r := ModelReport{Model: m.Name, ID: id, Servable: true, Loaded: slices.Contains(placed, id)}
		switch {
		case listed == nil:
			r.Note = unlistedNote
		case !found && c.missing(ctx, id):
			r.Servable, r.Note, r.Fix = c.addable(id)
		}
		return r
	}, nil
}

// missing reports whether exo's catalogue, which grows while exo starts, lacks a model for good.
func (c *Client) missing(ctx context.Context, id string) bool {
	manager, err := c.Instances()
	if err != nil {
		return true // and why is said with it
	}
	missing, err := manager.Missing(ctx, id)
	return missing || err != nil
}

// addable says what becomes of a model that exo 1.x does not know.
func (c *Client) addable(id string) (servable bool, note, fix string) {
	if c.opts.AddModels {
		return true, "not in exo's catalogue; it is added when its turn comes (exo needs the internet for it)", ""
	}
	manager, err := c.Instances()
	if err != nil {
		return false, "not in exo's catalogue; and " + err.Error(), ""
	}
	return false, "not in exo's catalogue: add it, or set EXOBENCH_ADD_MODELS=true (exo needs the internet for either)", manager.AddCommand(id)
}

// placed returns the ids of the models that exo has instances of, as far as it says.
func (c *Client) placed(ctx context.Context) []string {
	s, err := c.state.Look(ctx, state.Query{Parts: state.Instances})
	if err != nil {
		c.log.Debug("exo's instances cannot be read", "err", err)
	}
	var ids []string
	for _, in := range s.Instances {
		if in.Model != "" {
			ids = append(ids, in.Model)
		}
	}
	return ids
}

// open chooses the id for m and has an instance of it ready.
func (d exo1) open(ctx context.Context, c *Client, m workload.Model) (*session, error) {
	listed, err := d.catalogue(ctx, c)
	if err != nil {
		return nil, err
	}
	id, found := choose(exo1IDs(m), listed)
	manager, err := c.Instances()
	if err != nil {
		return nil, err
	}
	acquire := manager.Acquire
	if found {
		acquire = manager.AcquireListed
	}
	rest := c.power.Rest(ctx)
	lease, err := acquire(ctx, id)
	if err != nil {
		return nil, err
	}
	s := &session{client: c, dialect: d, model: m.Name, id: id, load: lease.Load}
	s.load.Owned, s.load.Shared = lease.Owned, lease.Shared
	s.release = func(ctx context.Context) error {
		err := lease.Release(ctx)
		s.load.Owned = lease.Owned && !lease.Kept
		return err
	}
	s.diagnose = lease.Recover
	s.host = c.host(ctx, lease)
	s.host.IdleWatts, _ = rest.Idle(lease.Nodes())
	s.observe = c.observePower(lease.Nodes)
	s.watch = func(ctx context.Context, until time.Time) func([]workload.Result) bool {
		stop := lease.WatchUntil(ctx, until)
		return func(results []workload.Result) bool {
			contended, why := stop(results...)
			if contended {
				c.log.Info("Somebody else's work ran beside a request; its rates are not published", "model", m.Name, "because", why)
			}
			return contended
		}
	}
	return s, nil
}

// exo 1.x always sends usage.
func (exo1) body(id string, r workload.Request, _ form) any { return chatBody(id, r) }

// exo 1.x tells its version by no route and no header: /ollama/api/version is a constant, and so is
// what its description of itself says. Its releases differ in their routes, which a Result names.
func (exo1) engine(context.Context, *Client) (name, version string) { return "exo", "" }

func (exo1) events(d *sse.Decoder) eventReader { return &chatEvents{events: d, comment: exo1Comment} }

// keepAlive is the comment with which exo 1.x (since v1.0.70) opens a stream as soon as it has
// handed the request on to its master, and which it repeats in silence.
const keepAlive = "keep-alive"

// exo1Comment reads exo's comments: `: generation_stats {…}`, which as exo's own figures are a
// bonus and never a reason to fail, and the one that opens the stream.
func exo1Comment(b []byte, ev *answer.Event) bool {
	if string(b) == keepAlive {
		ev.Accepted = true
		return true
	}
	doc, ok := bytes.CutPrefix(b, []byte("generation_stats "))
	if !ok {
		return false
	}
	var s genStats
	if json.Unmarshal(doc, &s) != nil {
		return false
	}
	ev.Stats = s.stats()
	return true
}

// exo sends one event a token, so a present but empty string is a token whose bytes are still
// pending.
func (exo1) token(d answer.Delta) answer.Token { return d.Token(answer.Empty) }

// genStats is exo's generation_stats. Memory is in snake_case inside a stream, and in camelCase in
// a document.
type genStats struct {
	PromptTPS        answer.Rate  `json:"prompt_tps"`
	GenerationTPS    answer.Rate  `json:"generation_tps"`
	PromptTokens     answer.Count `json:"prompt_tokens"`
	GenerationTokens answer.Count `json:"generation_tokens"`
	PeakMemory       opt[struct {
		Snake answer.Bytes `json:"in_bytes"`
		Camel answer.Bytes `json:"inBytes"`
	}] `json:"peak_memory_usage"`
	PrefixCacheHit word `json:"prefix_cache_hit"`
}

func (s genStats) stats() answer.Stats {
	return answer.Stats{
		PromptTPS: s.PromptTPS, GenerationTPS: s.GenerationTPS, Prompt: s.PromptTokens, Generation: s.GenerationTokens,
		PeakMemory: cmp.Or(s.PeakMemory.V.Snake, s.PeakMemory.V.Camel), CacheHit: string(s.PrefixCacheHit),
	}
}

var errNoChoices = errors.New("it has no choices")

// benchDocument reads an answer of /bench that comes as one document.
func benchDocument(b []byte) (answer.Event, error) {
	var doc struct {
		chunk
		Stats opt[genStats] `json:"generation_stats"`
		Power opt[struct {
			TotalEnergyJoules answer.Joules `json:"total_energy_joules"`
		}] `json:"power_usage"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return answer.Event{}, err
	}
	ev := doc.event(b, &numbering{})
	ev.Delta = doc.whole() // which has no time
	ev.Stats = doc.Stats.V.stats()
	ev.Energy = doc.Power.V.TotalEnergyJoules
	if len(doc.Choices) == 0 && ev.Error == "" {
		return answer.Event{}, errNoChoices
	}
	return ev, nil
}
