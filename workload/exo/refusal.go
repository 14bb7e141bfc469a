package exo

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
)

// maxErrorBody bounds what is read of an error's body, in bytes.
const maxErrorBody = 64 << 10

// refusal is an answer to a prompt with a status other than 200.
type refusal struct {
	status *httpapi.StatusError
	body   []byte
}

// refused reads the words of an answer with a status other than 200.
func (x *exchange) refused(resp *http.Response) *refusal {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // half a message is better than none
	return &refusal{x.api.Status(http.MethodPost, x.route.path, resp, body), body}
}

// noRoute tells a route that does not exist, for which the web framework answers, from a model
// that has no instance, for which exo answers with an error object.
func (r *refusal) noRoute() bool {
	var doc struct {
		Error json.RawMessage `json:"error"`
	}
	return r.status.Code == http.StatusMethodNotAllowed ||
		r.status.Code == http.StatusNotFound && (json.Unmarshal(r.body, &doc) != nil || len(doc.Error) == 0)
}

// sign is what an answer shows of the route that it came by.
type sign uint8

const (
	showsNothing  sign = iota
	showsStream        // tokens came one by one
	showsDocument      // an answer came as one document
	showsMissing       // the node does not have the route
)

// put puts the prompt by one route. A refusal is not the model's: where the node wants to be asked
// later or in another form it is, within bounds. A route is held to be missing, and a form to be refused
// by a server that does not say what it minds, only when that was said twice.
func (s *session) put(ctx context.Context, r workload.Request, rt route) (workload.Result, sign) {
	c := s.client
	f, proven := c.knownForm()
	var first *workload.Result // the answer that counts when nothing helps
	missing, again, asked := false, false, false
	for {
		x := s.exchange(r, rt, f)
		res, no := x.run(ctx)
		status, words, refused := complaint(res, no)
		switch {
		case no == nil && res.TokenEvents > 0:
			c.setForm(f)
			return res, showsStream
		case no == nil && x.answered:
			return res, showsDocument
		case !refused:
			return res, showsNothing
		}
		if first == nil {
			first = &res
		}
		if no != nil {
			if d, ok := s.patience.wait(no.status, r.Warmup && s.dialect.traits().lazy); ok {
				if !asked {
					c.log.Info("The node wants to be asked again", "model", s.model, "in", d, "because", no.status.Error())
					asked = true
				}
				if pause(ctx, d) != nil {
					res.Outcome, res.Err = workload.OutcomeCanceled, "the exporter gave the request up"
					return res, showsNothing
				}
				first = nil
				continue
			}
			if no.noRoute() {
				if missing {
					return *first, showsMissing
				}
				missing = true
				continue
			}
		}
		if !s.dialect.traits().forms {
			return *first, showsNothing
		}
		next := f.without(words)
		switch {
		case next != f && (mindsBody(status) || again):
		case next != f || mindsBody(status) && !proven && !again:
			again = true
			continue
		case mindsBody(status) && !proven:
			next = f | formBare
		}
		if next == f {
			return *first, showsNothing
		}
		f = next
	}
}

// complaint returns what a node said in the place of an answer, and by which status: also with 200, as
// some say that they do not take what was sent. ok is false when it did not refuse anything.
func complaint(res workload.Result, no *refusal) (status int, words []byte, ok bool) {
	switch {
	case no != nil:
		return no.status.Code, no.body, true
	case res.TokenEvents == 0 && (res.Outcome == workload.OutcomeStreamError || res.Outcome == workload.OutcomeProtocolError):
		return http.StatusOK, []byte(res.Err), true
	}
	return 0, nil, false
}

// knownForm returns the form of body to send, and whether the node has taken it before.
func (c *Client) knownForm() (f form, proven bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.form, c.formKnown
}

func (c *Client) setForm(f form) {
	c.mu.Lock()
	changed := c.form != f
	c.form, c.formKnown = f, true
	c.mu.Unlock()
	if changed {
		c.log.Info("Form of request found that the server takes", "form", f.String())
	}
}
