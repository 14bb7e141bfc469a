package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// StatusError is an answer with a status other than 200.
type StatusError struct {
	Method, Path string
	Code         int
	Message      string        // what the node said, shortened; may be empty, and may repeat what the node was sent
	Location     string        // where a redirect leads; empty where it is none
	RetryAfter   time.Duration // after which the node wants to be asked again; 0 where it does not say
	keyed        bool          // a key was sent
	itself       bool          // a redirect leads to where it came from
}

// Status returns the error of an answer whose body is given.
func (c *Client) Status(method, path string, resp *http.Response, body []byte) *StatusError {
	e := &StatusError{
		Method: method, Path: path, Code: resp.StatusCode, Message: ErrorMessage(body),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")), keyed: c.apiKey != "",
	}
	if Compressed(resp.Header, body) != nil {
		e.Message = "what it says is compressed, and not read"
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		if to, err := resp.Location(); err == nil {
			e.itself = resp.Request != nil && *to == *resp.Request.URL
			to.User, to.RawQuery, to.Fragment = nil, "", ""
			e.Location = OneLine(to.String())
		}
	}
	return e
}

func (e *StatusError) Error() string { return e.Method + " " + e.Path + ": " + e.Answer() }

// Answer says what came, and what to do about it, without what was asked.
func (e *StatusError) Answer() string {
	s := fmt.Sprintf("HTTP %d", e.Code)
	if e.itself {
		return s + " to itself; redirects are not followed, and something before the node is set up wrongly"
	}
	if e.Location != "" {
		base, rest := strings.CutSuffix(strings.TrimSuffix(e.Location, "/"), e.path())
		if rest {
			return s + " to " + base + "/…; redirects are not followed, set EXOBENCH_EXO_URL to " + base
		}
		return s + " to " + e.Location + "; redirects are not followed, set EXOBENCH_EXO_URL to where the node is"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	switch {
	case (e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden) && e.keyed:
		s += " (it does not take the key of EXOBENCH_API_KEY)"
	case e.Code == http.StatusUnauthorized:
		s += " (it wants a key: set EXOBENCH_API_KEY or EXOBENCH_API_KEY_FILE)"
	}
	return s
}

// path is Path without a query.
func (e *StatusError) path() string {
	path, _, _ := strings.Cut(e.Path, "?")
	return strings.TrimSuffix(path, "/")
}

// Loading reports whether the node says that it is loading a model.
func (e *StatusError) Loading() bool {
	return e.Code == http.StatusServiceUnavailable && strings.Contains(strings.ToLower(e.Message), "loading")
}

// IsStatus reports whether err is a StatusError with the given code.
func IsStatus(err error, code int) bool {
	var se *StatusError
	return errors.As(err, &se) && se.Code == code
}

// retryAfter reads a Retry-After header: seconds, or a date. 0 where it is neither or has passed.
func retryAfter(value string) time.Duration {
	const most = 1e6 // seconds; what is more is not waited for anyway
	if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
		if !(n > 0) {
			return 0
		}
		return time.Duration(min(n, most) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// withoutRoute returns the path of u without the route that people copy with a base URL.
func withoutRoute(u *url.URL) string {
	path := strings.TrimRight(u.Path, "/")
	for _, route := range []string{
		"/bench/chat/completions", "/chat/completions", "/completions", "/models", "/api/chat", "/api/generate", "/api/tags",
	} {
		path = strings.TrimSuffix(path, route)
	}
	return strings.TrimRight(strings.TrimSuffix(path, "/v1"), "/")
}
