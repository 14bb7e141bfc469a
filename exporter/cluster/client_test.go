package cluster

import (
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"exo-bench-exporter/workload"
)

// newTestClient returns a Client of the driver at url with a user and a password.
func newTestClient(t *testing.T, url string, transport http.RoundTripper) *Client {
	t.Helper()
	if transport == nil {
		transport = NewTransport(nil)
	}
	c, err := NewClient(ClientOptions{URL: url, User: "agent", Password: "hunter2", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

func TestClientAsksTheDriver(t *testing.T) {
	f := newTestFeed()
	play(f, "a", workload.PhaseMeasure)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); r.URL.Path != "/exo"+Path || user != "agent" || password != "hunter2" {
			t.Errorf("asked %s as %q", r.URL, user)
		}
		f.ServeHTTP(w, r)
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	got, err := newTestClient(t, server.URL+"/exo", NewTransport(roots)).State(t.Context(), State{}, maxWait)
	if err != nil || got.Turn == nil || got.Turn.Model != "a" || got.Turn.Phase != workload.PhaseMeasure || !got.Simulated {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestClientSaysWhatToDo(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	defer elsewhere.Close()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   []string
	}{
		"unauthorised": {answer(401, ""), []string{"refuses the user or the password", "EXOBENCH_DRIVER_PASSWORD_FILE"}},
		"forbidden":    {answer(403, ""), []string{"refuses the user or the password"}},
		"an agent": {
			answer(404, "404 page not found"), []string{"HTTP 404", "no exo-bench-exporter that measures", "EXOBENCH_DRIVER_URL"},
		},
		"ending":            {answer(503, ""), []string{"is ending"}},
		"another program":   {answer(200, "<html>"), []string{"something else"}},
		"another's JSON":    {answer(200, "{}"), []string{"something else"}},
		"endless":           {answer(200, strings.Repeat(" ", 2*maxState)), []string{"something else"}},
		"a redirect":        {answer(302, ""), []string{"HTTP 302"}},
		"a broken answer":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, []string{"cannot be reached", "EOF"}},
		"nobody, no answer": {nil, []string{"cannot be reached", "refused", "start it, or correct EXOBENCH_DRIVER_URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			if tt.answer == nil {
				server.Close()
			}
			defer server.Close()
			_, err := newTestClient(t, server.URL, nil).State(t.Context(), State{}, maxWait)
			var e *DriverError
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			for _, want := range append(tt.want, server.URL) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "wait=") {
				t.Errorf("too much in: %v", err)
			}
		})
	}
}

func TestClientNamesTheVariableForAnUnknownAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(newTestFeed())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it says that the handshake failed
	server.StartTLS()
	defer server.Close()
	_, err := newTestClient(t, server.URL, nil).State(t.Context(), State{}, 0)
	if err == nil || !strings.Contains(err.Error(), "EXOBENCH_DRIVER_CA_FILE") {
		t.Errorf("got %v", err)
	}
}

func TestWrongURL(t *testing.T) {
	if _, err := NewClient(ClientOptions{URL: "http://%zz:hunter2@x"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
