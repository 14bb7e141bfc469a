package exo

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

const (
	nodeID    = `"0123456789abcdef0123456789abcdef"`
	healthy   = `{"status": "ok"}`
	supported = `{"llama-3.2-1b": {"name": "Llama 3.2 1B", "downloaded": null, "download_percentage": null, "total_size": null, ` +
		`"total_downloaded": null, "loading": true}}`
	legacyList = `{"object": "list", "data": [{"id": "llama-3.2-1b", "object": "model", "owned_by": "exo", "ready": true}]}`
)

func TestDetect(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>"))
	}
	odd := reply(200, `{"error":"Unexpected endpoint or method. (GET /node_id)"}`) // as LM Studio answers
	for _, tc := range []struct {
		name   string
		routes map[string]http.HandlerFunc
		want   workload.Dialect
		words  []string // of the error
	}{
		{"exo 1.x", map[string]http.HandlerFunc{"/node_id": reply(200, nodeID), "/v1/models": reply(200, legacyList)}, workload.DialectExo1, nil},
		{
			"legacy",
			map[string]http.HandlerFunc{
				"/healthcheck": reply(200, healthy), "/initial_models": reply(200, supported), "/v1/models": reply(200, legacyList),
			},
			workload.DialectExo0, nil,
		},
		{
			"a healthy web service",
			map[string]http.HandlerFunc{"/healthcheck": reply(200, healthy), "/v1/models": reply(200, `{"object":"list","data":[{"id":"m"}]}`)},
			workload.DialectOpenAI, nil,
		},
		{
			"Ollama",
			map[string]http.HandlerFunc{
				"/api/version": reply(200, `{"version":"0.13.1"}`), "/api/tags": reply(200, `{"models":[]}`),
				"/v1/models": reply(200, `{"object":"list","data":null}`),
			},
			workload.DialectOllama, nil,
		},
		{
			"exo's imitation of Ollama",
			map[string]http.HandlerFunc{
				"/node_id": reply(200, nodeID), "/ollama/api/version": reply(200, `{"version":"0.1"}`), "/ollama/api/tags": reply(200, `{"models":[]}`),
				"/v1/models": reply(200, legacyList),
			},
			workload.DialectExo1, nil,
		},
		{
			"something else with a version",
			map[string]http.HandlerFunc{"/api/version": reply(200, `{"version":"1"}`), "/v1/models": reply(200, `{"data":[]}`)},
			workload.DialectOpenAI, nil,
		},
		{
			"legacy without healthcheck",
			map[string]http.HandlerFunc{
				"/topology": reply(200, `{"nodes":{},"peer_graph":{},"active_node_id":null}`), "/v1/models": reply(200, `[]`),
			},
			workload.DialectExo0, nil,
		},
		{"llama.cpp", map[string]http.HandlerFunc{"/v1/models": reply(200, `{"object":"list","data":[]}`)}, workload.DialectOpenAI, nil},
		{
			"LM Studio",
			map[string]http.HandlerFunc{"/node_id": odd, "/healthcheck": odd, "/topology": odd, "/v1/models": reply(200, `{"data":[{"id":"x"}]}`)},
			workload.DialectOpenAI, nil,
		},
		{
			"a web site",
			map[string]http.HandlerFunc{"/node_id": page, "/healthcheck": page, "/topology": page, "/v1/models": page},
			"",
			[]string{"http://node.test:52415", "/node_id", "/healthcheck", "/topology", "/v1/models", "EXOBENCH_EXO_URL"},
		},
		{
			"a key is missing",
			map[string]http.HandlerFunc{"/v1/models": reply(401, `{"error":{"message":"Invalid API Key"}}`)},
			"",
			[]string{"HTTP 401: Invalid API Key", "EXOBENCH_API_KEY"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeNode(t, tc.routes).client(nil)
				got, err := c.Detect(t.Context())
				if got != tc.want || (err == nil) != (tc.words == nil) || c.Dialect() != tc.want {
					t.Fatalf("got %q, %v; the client says %q; want %q", got, err, c.Dialect(), tc.want)
				}
				for _, w := range tc.words {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("error %q does not name %q", err, w)
					}
				}
			})
		})
	}
}

func TestDetectUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{})
		n.setDown(true)
		_, err := n.client(nil).Detect(t.Context())
		if err == nil || !strings.Contains(err.Error(), "cannot be reached at http://node.test:52415") || n.dials != 1 {
			t.Errorf("got %v after %d dials, want one refused connection to be enough", err, n.dials)
		}
	})
}

// A node that was seen before is asked by the one question that it answered.
func TestDetectAsksAgainBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/v1/models": reply(200, `{"data":[{"id":"m","owned_by":"vllm"}]}`)})
		c := n.client(nil)
		if d, err := c.Detect(t.Context()); d != workload.DialectOpenAI {
			t.Fatal(d, err)
		}
		n.paths()
		if d, err := c.Detect(t.Context()); d != workload.DialectOpenAI || !slices.Equal(n.paths(), []string{"GET /v1/models"}) {
			t.Error(d, err)
		}
		// After an outage it may be something else.
		c.forget()
		n.set("/node_id", reply(200, nodeID))
		if d, err := c.Detect(t.Context()); d != workload.DialectExo1 {
			t.Error(d, err)
		}
	})
}

// A restarted exo may be another version: what was found out about the last one is void.
func TestDetectForgetsARestartedNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/node_id": reply(200, nodeID)})
		c := n.client(nil)
		for _, tc := range []struct {
			id   string
			want workload.Endpoint
		}{{nodeID, workload.EndpointV1}, {`"another"`, ""}} {
			n.set("/node_id", reply(200, tc.id))
			if c.Dialect() == "" {
				if _, err := c.Detect(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.setEndpoint(workload.EndpointV1, "test")
			}
			if _, err := c.Detect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := c.Endpoint(); got != tc.want {
				t.Errorf("node %s: endpoint %q, want %q", tc.id, got, tc.want)
			}
		}
	})
}

// A dialect that was found is left only for an answer that proves another: no error of the node,
// or of something before it, is one.
func TestDetectIsNotMisled(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><title>502 Bad Gateway</title>"))
	}
	others := `{"object":"list","data":[{"id":"m","object":"model","owned_by":"llamacpp"}]}`
	exo := map[string]http.HandlerFunc{"/node_id": reply(200, nodeID), "/v1/models": reply(200, legacyList)}
	legacy := map[string]http.HandlerFunc{
		"/healthcheck": reply(200, healthy), "/initial_models": reply(200, supported), "/v1/models": reply(200, legacyList),
	}
	ollama := map[string]http.HandlerFunc{
		"/api/version": reply(200, `{"version":"0.13.1"}`), "/api/tags": reply(200, `{"models":[]}`),
		"/v1/models": reply(200, `{"data":[{"id":"m","owned_by":"library"}]}`),
	}
	plain := map[string]http.HandlerFunc{"/v1/models": reply(200, others)}
	for _, tc := range []struct {
		name   string
		before map[string]http.HandlerFunc // what the node was when it was found; nil for never found
		now    map[string]http.HandlerFunc // changes since
		want   workload.Dialect            // empty for an error
	}{
		{"500 on /node_id", exo, map[string]http.HandlerFunc{"/node_id": raw500}, workload.DialectExo1},
		{"502 with a page", exo, map[string]http.HandlerFunc{"/node_id": page}, workload.DialectExo1},
		{"404 on /node_id", exo, map[string]http.HandlerFunc{"/node_id": nil}, workload.DialectExo1},
		{"everything fails", exo, map[string]http.HandlerFunc{"/node_id": raw500, "/v1/models": raw500}, ""},
		{
			"a list that names nobody", exo,
			map[string]http.HandlerFunc{"/node_id": nil, "/v1/models": reply(200, `{"data":[{"id":"m"}]}`)},
			workload.DialectExo1,
		},
		{
			"another server in its place", exo,
			map[string]http.HandlerFunc{"/node_id": nil, "/v1/models": reply(200, others)},
			workload.DialectOpenAI,
		},
		{
			"legacy exo in its place", exo,
			map[string]http.HandlerFunc{"/node_id": nil, "/healthcheck": reply(200, healthy), "/initial_models": reply(200, supported)},
			workload.DialectExo0,
		},
		{"legacy exo fails", legacy, map[string]http.HandlerFunc{"/healthcheck": raw500, "/initial_models": raw500}, workload.DialectExo0},
		{"Ollama fails", ollama, map[string]http.HandlerFunc{"/api/version": raw500}, workload.DialectOllama},
		{
			"exo in the place of another server", plain,
			map[string]http.HandlerFunc{"/node_id": reply(200, nodeID), "/v1/models": reply(200, legacyList)},
			workload.DialectExo1,
		},
		{"exo that has only begun to answer", nil, map[string]http.HandlerFunc{"/node_id": raw500, "/v1/models": reply(200, legacyList)}, ""},
		{"a relay of exo's /v1 only", nil, map[string]http.HandlerFunc{"/v1/models": reply(200, legacyList)}, workload.DialectOpenAI},
		{
			"another server with a page for everything", nil,
			map[string]http.HandlerFunc{
				"/node_id": page, "/healthcheck": page, "/topology": page, "/api/version": page, "/v1/models": reply(200, others),
			},
			workload.DialectOpenAI,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{})
				c := n.client(nil)
				if tc.before != nil {
					for path, h := range tc.before {
						n.set(path, h)
					}
					if _, err := c.Detect(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				for path, h := range tc.now {
					n.set(path, h)
				}
				for range 2 {
					got, err := c.Detect(t.Context())
					var answered *workload.AnsweredError
					if got != tc.want || (err != nil) != (tc.want == "") || err != nil && !errors.As(err, &answered) {
						t.Errorf("got %q, %v; want %q", got, err, tc.want)
					}
				}
			})
		})
	}
}

// What a person can do about a node that answers, but not as it should, is said once.
func TestDetectSaysWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		name   string
		all    http.HandlerFunc
		words  []string
		absent string
	}{
		{
			"401", reply(401, `{"error":{"message":"Incorrect API key provided"}}`),
			[]string{"HTTP 401: Incorrect API key provided", "set EXOBENCH_API_KEY"},
			"EXOBENCH_DIALECT",
		},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://node.test"+r.URL.Path, http.StatusMovedPermanently)
		}, []string{"HTTP 301 to https://node.test", "set EXOBENCH_EXO_URL to https://node.test"}, "EXOBENCH_DIALECT"},
		{
			"loading", reply(503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`),
			[]string{"is loading a model"},
			"neither",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				routes := map[string]http.HandlerFunc{}
				for _, d := range dialects {
					for _, p := range d.proofs() {
						routes[p[0].path] = tc.all
					}
				}
				_, err := newFakeNode(t, routes).client(nil).Detect(t.Context())
				if err == nil || strings.Contains(err.Error(), tc.absent) || strings.Count(err.Error(), "HTTP ") != 1 {
					t.Errorf("got %v", err)
				}
				for _, w := range tc.words {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%q lacks %q", err, w)
					}
				}
			})
		})
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	for _, o := range []Options{
		{BaseURL: "localhost:52415"},
		{BaseURL: "http://user:pw@localhost"},
		{BaseURL: "http://localhost", Dialect: "exo2"},
		{BaseURL: "http://localhost", Endpoint: "v2"},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%+v: %v, want an error without the password", o, err)
		}
	}
}

// What may be configured is what can be driven.
func TestDialectsAreThoseOfTheWorkload(t *testing.T) {
	want := []workload.Dialect{workload.DialectAuto}
	for _, d := range dialects {
		want = append(want, d.traits().name)
	}
	if got := workload.Dialects(); !slices.Equal(got, want) {
		t.Errorf("the workload knows %v, the client %v", got, want)
	}
}
