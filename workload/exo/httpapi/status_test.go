package httpapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// clientOf returns a Client of the server.
func clientOf(t *testing.T, url string, key string) *Client {
	t.Helper()
	c, err := New(Options{BaseURL: url, APIKey: key, Transport: NewTransport(nil)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// A status says what a person can do about it.
func TestStatusSaysWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		status   int
		location string
		body     string
		key      string
		want     string
		absent   string
	}{
		{401, "", `{"error":{"message":"no key"}}`, "", "HTTP 401: no key (it wants a key: set EXOBENCH_API_KEY or EXOBENCH_API_KEY_FILE)", ""},
		{401, "", `{}`, "k", "does not take the key", "wants a key"},
		{403, "", `{"detail":"forbidden"}`, "", "HTTP 403: forbidden", "wants a key"},
		{
			301, "https://llm.example/v1/models", "", "",
			"HTTP 301 to https://llm.example/…; redirects are not followed, set EXOBENCH_EXO_URL to https://llm.example", "",
		},
		{307, "/login?next=/v1/models&token=s3cret", "", "", "/login; redirects are not followed", "s3cret"},
		{302, "https://user:pw@sso.example/auth", "", "", "to https://sso.example/auth", "pw"},
		{500, "", `{"message":"it broke"}`, "", "HTTP 500: it broke", ""},
		{500, "", `{"error":{"code":7}}`, "", `{"error":{"code":7}}`, ""},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tc.location != "" {
				w.Header().Set("Location", tc.location)
			}
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		}))
		err := clientOf(t, srv.URL, tc.key).Call(t.Context(), http.MethodGet, "/v1/models", nil, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) || tc.absent != "" && strings.Contains(err.Error(), tc.absent) {
			t.Errorf("%d: %v, want %q and not %q", tc.status, err, tc.want, tc.absent)
		}
		srv.Close()
	}
}

func TestRetryAfter(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, " 1.5 ": 1500 * time.Millisecond, "-1": 0, "NaN": 0, "Inf": 1e6 * time.Second, "1e99": 1e6 * time.Second,
		"soon":                          0,
		"Thu, 01 Jan 1970 00:00:00 GMT": 0,
	} {
		if got := retryAfter(in); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
	if got := retryAfter(time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)); got < 50*time.Second || got > time.Minute {
		t.Errorf("a date in a minute: %v", got)
	}
}

func TestLoading(t *testing.T) {
	for _, tc := range []struct {
		code int
		text string
		want bool
	}{{503, "Loading model", true}, {503, "model is loading", true}, {503, "overloaded", false}, {500, "Loading model", false}} {
		if got := (&StatusError{Code: tc.code, Message: tc.text}).Loading(); got != tc.want {
			t.Errorf("%d %q: %v", tc.code, tc.text, got)
		}
	}
}

// People copy whole routes, and the /v1 that OpenAI's own clients want.
func TestBaseURLOfARoute(t *testing.T) {
	for in, want := range map[string]string{
		"http://h":                                "http://h",
		"http://h/":                               "http://h",
		"http://h/v1":                             "http://h",
		"http://h/v1/":                            "http://h",
		"http://h/v1/chat/completions":            "http://h",
		"http://h/v1/models/":                     "http://h",
		"http://h/bench/chat/completions":         "http://h",
		"http://h/api/chat":                       "http://h",
		"https://h:8443/exo":                      "https://h:8443/exo",
		"https://h:8443/exo/v1/chat/completions/": "https://h:8443/exo",
		"https://h/openai/deployments/v1x":        "https://h/openai/deployments/v1x",
	} {
		c, err := New(Options{BaseURL: in})
		if err != nil || c.BaseURL().String() != want {
			t.Errorf("%s: %v, %v, want %s", in, c.BaseURL(), err, want)
		}
	}
}

// http and https taken for each other, and a certificate of an unknown authority, are named.
func TestExplain(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer secure.Close()
	secure.Config.ErrorLog = nil
	for _, tc := range []struct{ name, url, want string }{
		{"TLS to a plain server", "https" + strings.TrimPrefix(plain.URL, "http"), "write http:// in EXOBENCH_EXO_URL"},
		{"an unknown authority", secure.URL, "EXOBENCH_EXO_CA_FILE"},
	} {
		err := clientOf(t, tc.url, "").Call(t.Context(), http.MethodGet, "/x", nil, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	// Go's own server answers a plain request in plain words; others hang up, as here.
	c := clientOf(t, "http"+strings.TrimPrefix(secure.URL, "https"), "")
	if err := c.Explain(io.EOF); err == nil || !strings.Contains(err.Error(), "write https:// in EXOBENCH_EXO_URL") {
		t.Errorf("plain to a server that speaks TLS: %v", err)
	}
	if err := clientOf(t, plain.URL, "").Explain(io.EOF); err != io.EOF {
		t.Errorf("a plain server that hung up: %v", err)
	}
	for _, cause := range []error{io.EOF, os.ErrDeadlineExceeded} {
		err := clientOf(t, "https"+strings.TrimPrefix(plain.URL, "http"), "").Explain(cause)
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "write http://") {
			t.Errorf("TLS to a plain server that hangs up, or waits: %v", err)
		}
	}
	if err := clientOf(t, secure.URL, "").Explain(io.EOF); err != io.EOF {
		t.Errorf("a server that speaks TLS and hung up: %v", err)
	}
	if c.Explain(nil) != nil {
		t.Error("nothing is explained")
	}
}
