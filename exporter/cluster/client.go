package cluster

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"exo-bench-exporter/workload/exo/foreign"
)

const (
	// answerTime is how long an answer may take beyond what it was asked to wait.
	answerTime = 5 * time.Second
	// maxState bounds the size of an answer in bytes.
	maxState = 64 << 10
)

// ClientOptions say how to reach a driver.
type ClientOptions struct {
	URL       string // base URL of the driver, without user and password
	User      string // for basic authentication; empty for none
	Password  string
	Transport http.RoundTripper // NewTransport(nil) when nil
}

// Client asks a driver for its State. It is safe for concurrent use.
type Client struct {
	url  *url.URL
	o    ClientOptions
	http http.Client
}

// NewTransport returns a transport without proxy, for the driver is a machine of the same
// cluster. roots are the certificate authorities to trust; nil for the system's.
func NewTransport(roots *x509.CertPool) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.DialContext = (&net.Dialer{Timeout: answerTime, KeepAlive: 15 * time.Second}).DialContext
	if roots != nil {
		t.TLSClientConfig.RootCAs = roots
	}
	return t
}

// NewClient returns a Client, or an error when the URL cannot be used.
func NewClient(o ClientOptions) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("the driver's URL cannot be parsed; write it like http://mac-1:9955")
	}
	if o.Transport == nil {
		o.Transport = NewTransport(nil)
	}
	return &Client{url: u.JoinPath(Path), o: o, http: http.Client{
		Transport: o.Transport,
		// Another address than the configured one is not trusted with the password.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// CloseIdle closes connections that are not in use.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// fixReach is what to do about a driver that is not there.
const fixReach = "start it, or correct EXOBENCH_DRIVER_URL; it has to listen on an address that this machine can reach"

// DriverError says why a driver does not tell its State.
type DriverError struct {
	Reason string // what is the matter; holds no secret
	Fix    string // what to do about it
	Err    error  // cause, may be nil
}

func (e *DriverError) Error() string { return e.Reason + "; " + e.Fix }

func (e *DriverError) Unwrap() error { return e.Err }

// State returns the driver's State as soon as it differs from known, or after wait; at once
// when wait is zero. Errors are of type *DriverError unless ctx has ended.
func (c *Client) State(ctx context.Context, known State, wait time.Duration) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+answerTime)
	defer cancel()
	u := *c.url
	if wait > 0 {
		u.RawQuery = url.Values{
			"run": {known.Run}, "seq": {strconv.FormatUint(known.Seq, 10)}, "wait": {wait.String()},
		}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return State{}, &DriverError{Reason: "the driver cannot be asked: " + err.Error(), Fix: "correct EXOBENCH_DRIVER_URL", Err: err}
	}
	if c.o.User != "" {
		req.SetBasicAuth(c.o.User, c.o.Password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return State{}, c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return State{}, c.refused(resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxState))
	if err != nil {
		return State{}, c.unreachable(err)
	}
	var s State
	if err := json.Unmarshal(body, &s); err != nil || s.Service != service || s.Run == "" {
		return State{}, c.stranger("something else")
	}
	return s, nil
}

func (c *Client) unreachable(err error) error {
	cause := err
	var outer *url.Error
	if errors.As(err, &outer) {
		cause = outer.Err // without the URL and its query
	}
	e := &DriverError{Reason: fmt.Sprintf("the driver at %s cannot be reached: %v", c.url, foreign.Unquoted(cause)), Fix: fixReach, Err: err}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		e.Fix = "give the certificate of the authority that signed the driver's in EXOBENCH_DRIVER_CA_FILE"
	}
	return e
}

func (c *Client) refused(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &DriverError{
			Reason: fmt.Sprintf("the driver at %s refuses the user or the password (HTTP %d)", c.url, status),
			Fix:    "set EXOBENCH_DRIVER_USER and EXOBENCH_DRIVER_PASSWORD_FILE to what its web configuration asks for",
		}
	case http.StatusServiceUnavailable:
		return &DriverError{Reason: fmt.Sprintf("the driver at %s is ending (HTTP %d)", c.url, status), Fix: fixReach}
	}
	return c.stranger(fmt.Sprintf("HTTP %d", status))
}

func (c *Client) stranger(answer string) error {
	return &DriverError{
		Reason: fmt.Sprintf("%s answers with %s: it is no exo-bench-exporter that measures", c.url, answer),
		Fix:    "correct EXOBENCH_DRIVER_URL; the driver is an exporter with EXOBENCH_MODE=bench, of the same version as this one",
	}
}
