package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
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
		return "", err
	}
	return d.traits().name, nil
}

func (c *Client) detect(ctx context.Context) (dialect, error) {
	if c.fixed != nil {
		return c.fixed, nil
	}
	var tried []string
	for _, r := range c.order() {
		identity, err := c.prove(ctx, r.proof)
		if err == nil {
			c.found(r, identity)
			return r.dialect, nil
		}
		if unreachable(err) {
			return nil, c.unreachable(err)
		}
		tried = append(tried, err.Error())
	}
	return nil, fmt.Errorf("what answers at %s is neither exo nor a server with OpenAI's API; tried: %s. Correct EXOBENCH_EXO_URL, or set EXOBENCH_DIALECT "+
		"(and EXOBENCH_API_KEY if it wants a key)", c.api.BaseURL(), strings.Join(tried, "; "))
}

// order returns the proofs of all dialects, with the first question of the one that the node
// answered last before them.
func (c *Client) order() []recognition {
	var all []recognition
	for _, d := range dialects {
		for _, p := range d.proofs() {
			all = append(all, recognition{d, p})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(all, func(r recognition) bool { return r.proof[0].path == c.probe })
	if i < 0 {
		return all
	}
	last := recognition{all[i].dialect, all[i].proof[:1]}
	return slices.Concat([]recognition{last}, all)
}

// errAnswer says that a route answered with something else than the dialect's answer.
var errAnswer = errors.New("not the answer expected")

// prove asks all questions of a proof.
func (c *Client) prove(ctx context.Context, p proof) (identity string, err error) {
	for _, q := range p {
		id, err := c.ask(ctx, q)
		if err != nil {
			return "", err
		}
		if id != "" {
			identity = id
		}
	}
	return identity, nil
}

func (c *Client) ask(ctx context.Context, q probe) (identity string, err error) {
	var answer json.RawMessage
	if err := c.api.Call(ctx, http.MethodGet, q.path, nil, &answer); err != nil {
		return "", err
	}
	identity, ok := q.is(answer)
	if !ok {
		return "", fmt.Errorf("GET %s: %w", q.path, errAnswer)
	}
	return identity, nil
}

// alive asks a node of the configured dialect whether it is there.
func (c *Client) alive(ctx context.Context) (err error) {
	for _, p := range c.fixed.proofs() {
		var identity string
		if identity, err = c.prove(ctx, p[:1]); err == nil {
			c.found(recognition{c.fixed, p}, identity)
			return nil
		}
		if unreachable(err) {
			return c.unreachable(err)
		}
	}
	var status *httpapi.StatusError
	if c.fixed.traits().bare && errors.As(err, &status) && status.Code < http.StatusInternalServerError {
		return nil
	}
	return fmt.Errorf("what answers at %s does not answer as %s does: %w. Is EXOBENCH_DIALECT right? auto finds it out",
		c.api.BaseURL(), c.fixed.traits().name, err)
}

// unreachable reports whether err, of a JSON call, means that no answer came at all.
func unreachable(err error) bool {
	var status *httpapi.StatusError
	var syntax *json.SyntaxError
	return err != nil && !errors.As(err, &status) && !errors.As(err, &syntax) && !errors.Is(err, errAnswer)
}

func (c *Client) unreachable(err error) error {
	return fmt.Errorf("exo cannot be reached at %s: %w", c.api.BaseURL(), err)
}

// found notes what a node turned out to be. Another dialect or identity than before means
// that it was restarted: what was found out about it is void.
func (c *Client) found(r recognition, identity string) {
	c.mu.Lock()
	news := c.dialect != r.dialect
	if news || c.nodeID != identity {
		c.forgetLocked()
	}
	c.dialect, c.probe, c.nodeID = r.dialect, r.proof[0].path, identity
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
	c.state.Forget()
	clear(c.unlisted)
}
