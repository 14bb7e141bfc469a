// Package httpapi makes plain JSON calls to an inference node: bounded in size and time,
// authenticated, never redirected, with errors that say what the node said.
package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload/exo/foreign"
)

// Bounds of an answer, in bytes.
const (
	// MaxBody is of one that is held as a whole; none of those is of more than some dozen kilobytes.
	MaxBody = 2 << 20
	// MaxStream is of one that is read as it comes, which bounds time rather than memory.
	MaxStream = 64 << 20
	// maxHeader is of the header: exo's is of some hundred bytes. net/http keeps thirty times as much of
	// one that has many lines.
	maxHeader = 256 << 10
)

// SimulatorHeader is set on every answer of the simulator, and by no real node.
const SimulatorHeader = "X-Exo-Sim"

// Client calls one node. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	apiKey    string
	http      *http.Client
	simulated atomic.Bool // the last answer came from the simulator
}

// Options configure a Client.
type Options struct {
	BaseURL   string            // http or https, without user information, query or fragment
	APIKey    string            // sent as bearer token when not empty
	Transport http.RoundTripper // NewTransport when nil
	Timeout   time.Duration     // of one JSON call; 10 s when zero
}

// NewTransport returns a transport fit for measuring: no proxy, no compression (both would
// buffer a stream), headers that are bounded, and connections that fail within ten seconds. It trusts the system's
// authorities where roots is nil.
func NewTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		ExpectContinueTimeout:  time.Second,
	}
}

// New returns a Client, or an error when o.BaseURL is not fit to be called.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.BaseURL)
	switch {
	case err != nil:
		return nil, errors.New("the node's URL cannot be parsed; write it like http://localhost:52415")
	case u.User != nil:
		return nil, errors.New("the node's URL must not hold a user name or password; use an API key instead")
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return nil, fmt.Errorf("the node's URL %q must start with http:// or https:// and name a host", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the node's URL %q must have no query and no fragment", u.Redacted())
	}
	if o.Transport == nil {
		o.Transport = NewTransport(nil)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	u.Path = withoutRoute(u)
	return &Client{base: u, apiKey: o.APIKey, http: &http.Client{
		Transport: o.Transport,
		Timeout:   o.Timeout,
		// A redirect would carry the key, or a measurement, to a place that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// BaseURL returns the node's URL; it holds no secret.
func (c *Client) BaseURL() *url.URL { u := *c.base; return &u }

// Simulated reports whether the last answer came from the simulator.
func (c *Client) Simulated() bool { return c.simulated.Load() }

// NewRequest builds an authenticated request for path (which may carry a query), with body
// as JSON unless it is nil.
func (c *Client) NewRequest(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var rd io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode body of %s %s: %w", method, path, err)
		}
		rd = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, rd)
	if err != nil {
		return nil, fmt.Errorf("build %s %s: %w", method, path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.apiKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.apiKey)
	}
	return req, nil
}

// Call makes one JSON call and decodes the answer into out unless out is nil. Any status but
// 200 is a *StatusError; an answer of more than MaxBody bytes is ErrTooLong.
func (c *Client) Call(ctx context.Context, method, path string, body, out any) error {
	return c.do(ctx, method, path, body, MaxBody, func(r io.Reader) error {
		if out == nil {
			_, err := io.Copy(io.Discard, r)
			return err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, out); err != nil {
			return fmt.Errorf("it is not the JSON expected: %w", err)
		}
		return nil
	})
}

// cause strips what net/http puts before an error: the method and the whole URL.
func cause(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// ErrorMessage finds the words for people in an error body: OpenAI's and exo 1.x's
// {"error":{"message"}}, legacy exo's {"detail":"…"}, FastAPI's {"detail":[{"msg","loc"}]}, the
// first of {"errors":[{"message"}]}, a {"message"} by itself, or else the text itself. The answer
// is one line of at most 300 bytes.
func ErrorMessage(body []byte) string {
	var doc struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
		Errors json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return OneLine(string(body))
	}
	var text string
	var obj struct {
		Message string `json:"message"`
	}
	var plain struct {
		Message string `json:"message"`
	}
	var list []struct {
		Msg string `json:"msg"`
		Loc []any  `json:"loc"`
	}
	var several []struct {
		Message string `json:"message"`
	}
	switch {
	case json.Unmarshal(doc.Error, &obj) == nil && obj.Message != "":
		text = obj.Message
	case json.Unmarshal(doc.Error, &text) == nil && text != "":
	case json.Unmarshal(doc.Detail, &text) == nil && text != "":
	case json.Unmarshal(doc.Detail, &list) == nil && len(list) > 0:
		var parts []string
		for _, d := range list {
			loc := make([]string, len(d.Loc))
			for i, l := range d.Loc {
				loc[i] = fmt.Sprint(l)
			}
			parts = append(parts, strings.TrimPrefix(strings.Join(loc, ".")+": "+d.Msg, ": "))
		}
		text = strings.Join(parts, "; ")
	case json.Unmarshal(doc.Errors, &several) == nil && len(several) > 0 && several[0].Message != "":
		text = several[0].Message
	case json.Unmarshal(body, &plain) == nil && plain.Message != "":
		text = plain.Message
	default:
		text = string(body)
	}
	return OneLine(text)
}

// OneLine makes what a node says one printable line of at most 300 bytes.
func OneLine(s string) string { return foreign.Line(s) }
