package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// recognition is a proof and what it proves.
type recognition struct {
	dialect dialect
	proof   proof
}

// Detect returns the node's dialect: the configured one, or what its answers show. It asks
// anew each time, since exo may have been restarted or upgraded. An error means that the
// node cannot be reached or is none that can be driven.
func (c *Client) Detect(ctx context.Context) (workload.Dialect, error) {
	d, err := c.detect(ctx)
	if err != nil {
		return "", c.private.hideError(err)
	}
	return d.traits().name, nil
}

// detect finds the dialect out. One that was found is left only for an answer that proves another:
// an error of the node, or of something before it, proves nothing.
func (c *Client) detect(ctx context.Context) (dialect, error) {
	if c.fixed != nil {
		return c.fixed, nil
	}
	known, last := c.last()
	look := &lookout{known: known}
	if last != nil {
		f, err := c.prove(ctx, last.proof[:1])
		if done, err := c.judge(look, *last, f, err); done {
			return look.found, err
		}
	}
	for _, d := range dialects {
		for _, p := range d.proofs() {
			f, err := c.prove(ctx, p)
			if done, err := c.judge(look, recognition{d, p}, f, err); done {
				return look.found, err
			}
		}
	}
	switch {
	case look.possible != nil && look.plain():
		c.found(*look.possible, finding{})
		return look.possible.dialect, nil
	case known != nil && look.answered:
		return known, nil
	}
	return nil, &workload.AnsweredError{Err: look.unknown(c.api.BaseURL().String())}
}

// lookout is what the questions of one detection have shown so far.
type lookout struct {
	known    dialect      // what the node was before; nil when that is not known
	found    dialect      // what is proved
	possible *recognition // what an answer allows but does not prove
	answered bool         // some question was answered as a node of some dialect does
	rivals   []string     // owners that a list of models named, which speak against what it allows
	errs     []error
	failed   []dialect // those of whose questions one failed otherwise than by an answer that denies
}

// judge takes in the answer to one proof; done ends the detection.
func (c *Client) judge(l *lookout, r recognition, f finding, err error) (done bool, _ error) {
	switch {
	case unreachable(err):
		return true, c.unreachable(err)
	case err != nil:
		l.errs = append(l.errs, err)
		if !denies(err) {
			l.failed = append(l.failed, r.dialect)
		}
		return false, nil
	}
	l.answered = true
	if l.doubts(r.dialect, f) {
		l.possible, l.rivals = &r, f.owners
		return false, nil
	}
	c.found(r, f)
	l.found = r.dialect
	return true, nil
}

// doubts reports whether an answer that d would give may also come from another dialect's node: a
// list of models that names nobody as owner, or the other's, proves nothing against that.
func (l *lookout) doubts(d dialect, f finding) bool {
	if d.traits().owner != "" {
		return false // it has more than a list to show
	}
	if l.known != nil && l.known != d && (len(f.owners) == 0 || slices.Contains(f.owners, l.known.traits().owner)) {
		return true
	}
	return slices.ContainsFunc(dialects, func(o dialect) bool {
		return o.traits().owner != "" && slices.Contains(f.owners, o.traits().owner)
	})
}

// plain reports whether what is possible is to be taken: the node was the same before, or was not
// known and has denied to be what its list of models hints at.
func (l *lookout) plain() bool {
	if l.known != nil {
		return l.known == l.possible.dialect
	}
	return !slices.ContainsFunc(l.failed, func(d dialect) bool { return slices.Contains(l.rivals, d.traits().owner) })
}

// unknown says what was asked in vain, each answer once.
func (l *lookout) unknown(url string) error {
	var words []string
	for _, err := range l.errs {
		text := err.Error()
		var status *httpapi.StatusError
		if errors.As(err, &status) {
			if status.Loading() {
				return fmt.Errorf("the server at %s is loading a model: %w", url, err)
			}
			text = status.Answer()
		}
		if packed := (*httpapi.CompressedError)(nil); errors.As(err, &packed) {
			text = packed.Error()
		}
		if !slices.Contains(words, text) {
			words = append(words, text)
		}
	}
	last := l.errs[len(l.errs)-1]
	advice := ". Correct EXOBENCH_EXO_URL, or set EXOBENCH_DIALECT"
	if httpapi.IsStatus(last, http.StatusUnauthorized) || httpapi.IsStatus(last, http.StatusForbidden) || isRedirect(last) {
		advice = "" // the answer says what to do
	}
	if len(words) == 1 {
		return fmt.Errorf("what answers at %s answers everything alike: %w%s", url, last, advice)
	}
	return fmt.Errorf("what answers at %s is neither exo nor a server with OpenAI's API; tried: %s%s", url, join(l.errs), advice)
}

func join(errs []error) string {
	words := make([]string, 0, len(errs))
	for _, err := range errs {
		words = append(words, err.Error())
	}
	return strings.Join(words, "; ")
}

func isRedirect(err error) bool {
	var status *httpapi.StatusError
	return errors.As(err, &status) && status.Location != ""
}

// unready reports whether err says that a node is there but not ready, as one is that loads a model.
func unready(err error) bool { return httpapi.IsStatus(err, http.StatusServiceUnavailable) }

// loading reports whether err is that of a server which is loading a model.
func loading(err error) bool {
	var status *httpapi.StatusError
	return errors.As(err, &status) && status.Loading()
}

// last returns the dialect that the node was found to be, and the proof of it; nil where there is
// none.
func (c *Client) last() (dialect, *recognition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dialect == nil || c.probe == "" {
		return nil, nil
	}
	for _, p := range c.dialect.proofs() {
		if p[0].path == c.probe {
			return c.dialect, &recognition{c.dialect, p}
		}
	}
	return nil, nil
}

// errAnswer says that a route answered with something else than the dialect's answer.
var errAnswer = errors.New("it is not the one expected")

// denies reports whether an answer says that the node is not of a dialect, rather than that
// something went wrong.
func denies(err error) bool {
	var status *httpapi.StatusError
	if errors.As(err, &status) {
		return status.Code == http.StatusNotFound || status.Code == http.StatusMethodNotAllowed
	}
	return errors.Is(err, errAnswer)
}

// prove asks all questions of a proof.
func (c *Client) prove(ctx context.Context, p proof) (finding, error) {
	var all finding
	for _, q := range p {
		f, err := c.ask(ctx, q)
		if err != nil {
			return all, err
		}
		all.identity = cmp.Or(all.identity, f.identity)
		all.owners = append(all.owners, f.owners...)
	}
	return all, nil
}

func (c *Client) ask(ctx context.Context, q probe) (f finding, err error) {
	err = c.api.Stream(ctx, http.MethodGet, q.path, httpapi.MaxStream, func(body io.Reader) error {
		var ok bool
		if f, ok, err = q.read(body); err == nil && !ok {
			err = errAnswer
		}
		return err
	})
	return f, err
}

// alive asks a node of the configured dialect whether it is there.
func (c *Client) alive(ctx context.Context) (err error) {
	for _, p := range c.fixed.proofs() {
		var f finding
		if f, err = c.prove(ctx, p[:1]); err == nil {
			c.found(recognition{c.fixed, p}, f)
			return nil
		}
		if unreachable(err) {
			return c.unreachable(err)
		}
	}
	var status *httpapi.StatusError
	switch {
	case loading(err):
		return fmt.Errorf("the server at %s is loading a model: %w", c.api.BaseURL(), err)
	case c.fixed.traits().bare && errors.As(err, &status) && status.Code < http.StatusInternalServerError &&
		status.Code != http.StatusUnauthorized && status.Location == "":
		return nil
	}
	return fmt.Errorf("what answers at %s does not answer as %s does: %w. Is EXOBENCH_DIALECT right? auto finds it out",
		c.api.BaseURL(), c.fixed.traits().name, err)
}

// unreachable reports whether err, of a JSON call, means that no answer came at all.
func unreachable(err error) bool { return err != nil && !answered(err) }

// answered reports whether err is that of an answer: of its status, or of what it holds.
func answered(err error) bool {
	var status *httpapi.StatusError
	var syntax *json.SyntaxError
	return errors.As(err, &status) || errors.As(err, new(*httpapi.CompressedError)) || errors.As(err, &syntax) ||
		errors.Is(err, errAnswer) || errors.Is(err, httpapi.ErrTooLong) || errors.Is(err, state.ErrSyntax) || errors.Is(err, state.ErrTooBig)
}

func (c *Client) unreachable(err error) error {
	if httpapi.Own(err) {
		return fmt.Errorf("the exporter cannot ask exo at %s: %w", c.api.BaseURL(), err)
	}
	return fmt.Errorf("exo cannot be reached at %s: %w", c.api.BaseURL(), err)
}

// found notes what a node turned out to be. Another dialect or identity than before means
// that it was restarted: what was found out about it is void.
func (c *Client) found(r recognition, f finding) {
	c.mu.Lock()
	news := c.dialect != r.dialect
	if news || c.nodeID != f.identity {
		c.forgetLocked()
	}
	c.dialect, c.probe, c.nodeID = r.dialect, r.proof[0].path, f.identity
	c.mu.Unlock()
	if news {
		c.log.Info("Dialect found", "url", c.api.BaseURL().String(), "dialect", r.dialect.traits().name)
	}
}

// forget drops what was found out about the node; it was down and may come back as another.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetLocked()
}

func (c *Client) forgetLocked() {
	c.probe, c.endpoint, c.loaded = "", "", ""
	c.askAgain = time.Time{}
	c.loads.forget()
	c.state.Forget()
	c.form, c.formKnown, c.engine = 0, false, nil
	clear(c.unlisted)
	clear(c.said)
}
