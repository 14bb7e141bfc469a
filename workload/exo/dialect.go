package exo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
)

// dialect is an API that a node can speak, with all that is particular to it. Detection,
// sessions and measurement know nothing else of a node.
type dialect interface {
	traits() traits
	// proofs are the ways to recognize a node of the dialect, surest first.
	proofs() []proof
	// routes are the ways to put a prompt, best first.
	routes() []route
	// survey reads what the node lists and returns what tells of a model by which id it is
	// asked for and whether the node serves it. An error means that nobody could be asked.
	survey(ctx context.Context, c *Client) (func(workload.Model) ModelReport, error)
	// open makes the model ready. Its errors are those of workload.Target.
	open(ctx context.Context, c *Client, m workload.Model) (*session, error)
	// engine returns what the node runs, and in which version, as far as it says.
	engine(ctx context.Context, c *Client) (name, version string)
	// body is what is sent to put r to the model with the given id, in the form that the node was
	// found to take.
	body(id string, r workload.Request, f form) any
	// events makes events of a streamed answer, whose framing the dialect's traits name.
	events(d *sse.Decoder) eventReader
	// token tells what an event with the given delta counts as.
	token(d answer.Delta) answer.Token
}

// eventReader hands out the events of one answer. After the last one it returns io.EOF or the
// error of the connection; a *malformedError for an event that is not one of the dialect, and
// io.ErrUnexpectedEOF for one that the end of the stream cut off.
type eventReader interface {
	Next() (answer.Event, error)
}

// traits are the facts by which dialects differ. What is zero holds of none in particular.
type traits struct {
	name workload.Dialect
	// owner is whom the node's list of models names as their owner; empty when anybody.
	owner string
	// framing is how the events of a stream are told apart.
	framing framing
	// lazy says that the first request for a model loads it.
	lazy bool
	// runsOn says that the node goes on generating for a client that has hung up.
	runsOn bool
	// forms says that what the node takes in a body is to be found out, see form.
	forms bool
	// marked says that the mark of the end ends an answer properly, also without a finish_reason.
	marked bool
	// overrun says what helps where the node goes on past max_tokens; empty where nothing does.
	overrun string
	// substitutes says why an answer may be another model's; empty where it should not be.
	substitutes string
	// bare says that a node may answer none of its proofs and be one of the dialect all the same.
	bare bool
	// machines says that the node tells about the machines of its cluster, see Client.nodes.
	machines bool
}

// framing is how events follow each other in a stream.
type framing struct {
	media   string // content type
	decoder func(r io.Reader, limit int) *sse.Decoder
	// starts reports whether what a body begins with is the beginning of such a stream, whatever
	// its content type says.
	starts func(begin []byte) bool
}

var (
	framingSSE   = framing{"text/event-stream", sse.NewDecoder, startsSSE}
	framingLines = framing{"application/x-ndjson", sse.NewLineDecoder, func(b []byte) bool { return bytes.HasPrefix(b, []byte("{")) }}
)

func startsSSE(b []byte) bool {
	for _, field := range []string{"data:", "event:", "id:", "retry:", "error:", ":"} {
		if bytes.HasPrefix(b, []byte(field)) {
			return true
		}
	}
	return false
}

// dialects are all that can be driven, in the order in which auto asks for them: what is more
// particular comes first, for many a node also answers OpenAI's routes.
var dialects = []dialect{exo1{}, exo0{}, ollama{}, openAI{}}

// dialectNamed returns the dialect with the given name, nil when there is none.
func dialectNamed(name workload.Dialect) dialect {
	for _, d := range dialects {
		if d.traits().name == name {
			return d
		}
	}
	return nil
}

// proof is a set of questions that only a node of one dialect answers in the way expected.
type proof []probe

// probe asks one route, by GET.
type probe struct {
	path string
	// read tells whether the answer is that of the dialect, and what else it tells. An error is that
	// of an answer that cannot be read.
	read func(r io.Reader) (found finding, ok bool, err error)
}

// small is how a probe reads an answer that is held as a whole.
func small(is func(answer json.RawMessage) (finding, bool)) func(io.Reader) (finding, bool, error) {
	return func(r io.Reader) (f finding, ok bool, err error) {
		b, err := io.ReadAll(io.LimitReader(r, httpapi.MaxBody+1))
		if err != nil {
			return f, false, err
		}
		if len(b) > httpapi.MaxBody {
			return f, false, httpapi.ErrTooLong
		}
		var doc json.RawMessage
		if err := json.Unmarshal(b, &doc); err != nil {
			return f, false, err
		}
		f, ok = is(doc)
		return f, ok, nil
	}
}

// finding is what an answer to a probe tells beside the dialect.
type finding struct {
	identity string   // of the running node; empty where it has none
	owners   []string // of the models that the node lists, a few of them
}

// route is a way to put a prompt.
type route struct {
	endpoint workload.Endpoint
	path     string
	words    string // what to say of it in a report
	// nonce says that prompts must begin with something new, or they come from a prefix cache.
	nonce bool
	// cold says that a prompt which comes from a cache all the same was not measured.
	cold bool
	// document decodes an answer that comes as one document, which is then from another endpoint
	// than a stream is; nil where only a stream will do.
	document    func(b []byte) (answer.Event, error)
	documentEnd workload.Endpoint
}
