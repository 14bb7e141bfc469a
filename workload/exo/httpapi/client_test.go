package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"exo-bench-exporter/workload/exo/foreign"
)

func TestNewRefusesUnfitURLs(t *testing.T) {
	for in, want := range map[string]string{
		"http://user:hunter2@host:1": "user name or password",
		"ftp://host":                 "http:// or https://",
		"host:52415":                 "",
		"http://":                    "name a host",
		"http://host?x=1":            "no query",
		"http://host#x":              "no fragment",
		"http://[::1":                "cannot be parsed",
	} {
		_, err := New(Options{BaseURL: in})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%q): %v, want an error with %q", in, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func server(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(Options{BaseURL: s.URL + "/base/", APIKey: "k3y"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCallSendsAndDecodes(t *testing.T) {
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/base/x" || r.URL.RawQuery != "a=b" || r.Header.Get("Authorization") != "Bearer k3y" ||
			r.Header.Get("Content-Type") != "application/json" || string(body) != `{"n":1}` {
			t.Errorf("got %s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		w.Header().Set(SimulatorHeader, "1")
		_, _ = io.WriteString(w, `{"ok":true}`)
	})
	var out struct{ OK bool }
	if c.Simulated() {
		t.Error("simulated before any answer")
	}
	if err := c.Call(context.Background(), "POST", "/x?a=b", map[string]int{"n": 1}, &out); err != nil || !out.OK {
		t.Errorf("got %+v, %v", out, err)
	}
	if !c.Simulated() {
		t.Error("the simulator's header was not seen")
	}
}

func TestCallNeverFollowsARedirect(t *testing.T) {
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("the redirect was followed, with the key")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	if err := c.Call(context.Background(), "GET", "/x", nil, nil); !IsStatus(err, http.StatusFound) {
		t.Errorf("got %v, want HTTP 302", err)
	}
}

func TestCallFailsForPeople(t *testing.T) {
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/base/404":
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"error":{"message":"No instance found for model X","type":"Not Found","param":null,"code":404}}`)
		case "/base/text":
			_, _ = io.WriteString(w, `hello`)
		case "/base/huge":
			_, _ = w.Write(make([]byte, MaxBody+1))
		}
	})
	err := c.Call(context.Background(), "GET", "/404", nil, nil)
	var se *StatusError
	if !errors.As(err, &se) || se.Code != 404 || err.Error() != "GET /404: HTTP 404: No instance found for model X" {
		t.Errorf("status: %v", err)
	}
	var out any
	if err := c.Call(context.Background(), "GET", "/text", nil, &out); err == nil || !strings.Contains(err.Error(), "not the JSON expected") {
		t.Errorf("text: %v", err)
	}
	if err := c.Call(context.Background(), "GET", "/huge", nil, &out); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("huge: %v", err)
	}
	dead, _ := New(Options{BaseURL: "http://127.0.0.1:1"})
	if err := dead.Call(context.Background(), "GET", "/x", nil, nil); err == nil || strings.Count(err.Error(), "GET") != 1 {
		t.Errorf("dead: %v", err)
	}
}

func TestErrorMessage(t *testing.T) {
	long := strings.Repeat("ä", 400)
	for in, want := range map[string]string{
		`{"error":{"message":"boom","code":500}}`: "boom",
		`{"error":"boom"}`:                        "boom",
		`{"detail":"no such model"}`:              "no such model",
		`{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required","input":{"secret":1}}]}`: "body.messages: Field required",
		`{"detail":[{"loc":["body",0],"msg":"a"},{"msg":"b"}]}`:                                                 "body.0: a; b",
		`{"errors":[{"message":"a"},{"message":"b"}]}`:                                                          "a",
		`{"error":{"message":"boom"},"errors":{"field":["bad"]}}`:                                               "boom",
		"Internal Server\n  Error":                                                                              "Internal Server Error",
		`{"unknown":1}`:                                                                                         `{"unknown":1}`,
		"\xff":                                                                                                  "\uFFFD",
		"":                                                                                                      "",
	} {
		if got := ErrorMessage([]byte(in)); got != want {
			t.Errorf("ErrorMessage(%q) = %q, want %q", in, got, want)
		}
	}
	if got := ErrorMessage([]byte(long)); len(got) > foreign.MaxLine || !strings.HasSuffix(got, "… (800 bytes)") {
		t.Errorf("a long message is %d bytes: %q", len(got), got)
	}
}
