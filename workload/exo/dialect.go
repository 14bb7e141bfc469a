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

// probe asks one route by which a dialect can be told. It returns an identity of the running
// node where there is one.
type probe struct {
	dialect workload.Dialect
	path    string
	is      func(answer json.RawMessage) (identity string, ok bool)
}

// probes tell the dialects apart, in this order. exo 1.x has neither /healthcheck nor
// /topology; legacy exo also lists models under /v1/models, so that comes last.
var probes = []probe{
	{workload.DialectExo1, "/node_id", isNodeID},
	{workload.DialectExo0, "/healthcheck", isHealthy},
	{workload.DialectExo0, "/topology", isTopology},
	{workload.DialectOpenAI, "/v1/models", isModelList},
}

func isNodeID(b json.RawMessage) (string, bool) {
	var id string
	err := json.Unmarshal(b, &id)
	return id, err == nil && id != ""
}

func isHealthy(b json.RawMessage) (string, bool) {
	var doc struct {
		Status string `json:"status"`
	}
	return "", json.Unmarshal(b, &doc) == nil && doc.Status == "ok"
}

func isTopology(b json.RawMessage) (string, bool) {
	var doc struct {
		Nodes     json.RawMessage `json:"nodes"`
		PeerGraph json.RawMessage `json:"peer_graph"`
	}
	return "", json.Unmarshal(b, &doc) == nil && doc.Nodes != nil && doc.PeerGraph != nil
}

func isModelList(b json.RawMessage) (string, bool) {
	_, err := modelIDs(b)
	return "", err == nil
}

// Detect returns the node's dialect: the configured one, or what its answers show. It asks
// anew each time, since exo may have been restarted or upgraded. An error means that the
// node cannot be reached or is none that can be driven.
func (c *Client) Detect(ctx context.Context) (workload.Dialect, error) {
	if c.fixed() {
		return c.opts.Dialect, nil
	}
	var tried []string
	for _, p := range c.order() {
		err := c.ask(ctx, p)
		if err == nil {
			return p.dialect, nil
		}
		if unreachable(err) {
			return "", c.unreachable(err)
		}
		tried = append(tried, err.Error())
	}
	return "", fmt.Errorf("what answers at %s is neither exo nor a server with OpenAI's API; tried: %s. Correct EXOBENCH_EXO_URL, or set EXOBENCH_DIALECT "+
		"(and EXOBENCH_API_KEY if it wants a key)", c.api.BaseURL(), strings.Join(tried, "; "))
}

// order returns the probes with the one first that the node answered last.
func (c *Client) order() []probe {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(probes, func(p probe) bool { return p.path == c.probe })
	if i < 0 {
		return probes
	}
	return slices.Concat(probes[i:i+1], probes[:i], probes[i+1:])
}

// errAnswer says that a route answered with something else than the dialect's answer.
var errAnswer = errors.New("not the answer expected")

// ask tries one probe and notes what was found.
func (c *Client) ask(ctx context.Context, p probe) error {
	var answer json.RawMessage
	if err := c.api.Call(ctx, http.MethodGet, p.path, nil, &answer); err != nil {
		return err
	}
	identity, ok := p.is(answer)
	if !ok {
		return fmt.Errorf("GET %s: %w", p.path, errAnswer)
	}
	c.found(p, identity)
	return nil
}

// alive asks a node of the configured dialect whether it is there.
func (c *Client) alive(ctx context.Context) (err error) {
	for _, p := range probes {
		if p.dialect != c.opts.Dialect {
			continue
		}
		if err = c.ask(ctx, p); err == nil {
			return nil
		}
		if unreachable(err) {
			return c.unreachable(err)
		}
	}
	var status *httpapi.StatusError
	if c.opts.Dialect == workload.DialectOpenAI && errors.As(err, &status) && status.Code < http.StatusInternalServerError {
		return nil // not every server lists its models
	}
	return fmt.Errorf("what answers at %s does not answer as %s does: %w. Is EXOBENCH_DIALECT right? auto finds it out", c.api.BaseURL(), c.opts.Dialect, err)
}

// fixed reports whether the dialect is configured.
func (c *Client) fixed() bool {
	return c.opts.Dialect != "" && c.opts.Dialect != workload.DialectAuto
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
func (c *Client) found(p probe, identity string) {
	c.mu.Lock()
	news := c.dialect != p.dialect
	if news || c.nodeID != identity {
		c.forgetLocked()
	}
	c.dialect, c.probe, c.nodeID = p.dialect, p.path, identity
	c.mu.Unlock()
	if news {
		c.log.Info("Dialect found", "url", c.api.BaseURL().String(), "dialect", p.dialect)
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
	clear(c.unlisted)
}
