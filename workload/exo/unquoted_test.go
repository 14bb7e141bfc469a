package exo

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

// Whatever is wrong with an answer, nothing of what the model said is in what is said of it, and errors' own words are.
func TestNoAnswerIsQuoted(t *testing.T) {
	const secret = "s3cret-7 of the model"
	said := func(s string) string { return strings.ReplaceAll(s, "TEXT", secret) }
	begun := func(text string) http.HandlerFunc {
		return stream(nil, append(spoken(4, aWord), step{tick, said(text)})...)
	}
	openAI, legacy, ollama, exo1 := workload.DialectOpenAI, workload.DialectExo0, workload.DialectOllama, workload.DialectExo1
	for name, tc := range map[string]struct {
		dialect workload.Dialect
		path    string
		handler http.HandlerFunc
		outcome workload.Outcome
		words   string
	}{
		"a broken event": {
			openAI, pathV1, begun("data: {\"choices\":[{\"delta\":{\"content\":\"TEXT\"}}]]\n\n"),
			workload.OutcomeProtocolError, "an event of",
		},
		"no event": {
			openAI, pathV1, begun("data: TEXT\n\n"),
			workload.OutcomeProtocolError, "an event of 21 bytes is not a chunk",
		},
		"such of legacy exo": {
			legacy, pathV1, begun("data: TEXT\n\n"),
			workload.OutcomeProtocolError, "it is no JSON from byte 1 on",
		},
		"a number of text": {
			openAI, pathV1, begun("data: {\"choices\":77312,\"text\":\"TEXT\"}\n\n"),
			workload.OutcomeProtocolError, "its choices is a JSON number",
		},
		"content of no text": {
			openAI, pathV1, begun("data: {\"choices\":[{\"delta\":{\"content\":{\"a\":\"TEXT\"}}}]}\n\n"),
			workload.OutcomeProtocolError, "content is not a string",
		},
		"an error in a chunk": {
			openAI, pathV1, begun("data: {\"choices\":[{\"delta\":{\"content\":\"TEXT\"}}],\"error\":{\"code\":7}}\n\n"),
			workload.OutcomeStreamError, `{"error":{"code":7}}`,
		},
		"an error's words beside text": {
			openAI, pathV1, begun("data: {\"choices\":[{\"delta\":{\"content\":\"TEXT\"}}],\"error\":{\"message\":\"worker died\"}}\n\n"),
			workload.OutcomeStreamError, "worker died",
		},
		"an error in a choice": {
			openAI, pathV1, begun("data: {\"choices\":[{\"delta\":{\"content\":\"TEXT\"},\"error\":{\"message\":\"worker died\"}}]}\n\n"),
			workload.OutcomeStreamError, "worker died",
		},
		"a finish_reason that is an error": {
			openAI, pathV1, begun("data: {\"id\":\"7\",\"choices\":[{\"delta\":{\"content\":\"TEXT\"},\"finish_reason\":\"error\"}]}\n\n"),
			workload.OutcomeStreamError, "an error of which the node says no more",
		},
		"Ollama's error": {
			ollama, "/api/chat", lines(said(`{"model":"org/m","message":{"content":"TEXT"},"error":{"code":7}}`)),
			workload.OutcomeStreamError, `{"error":{"code":7}`,
		},
		"Ollama's broken line": {
			ollama, "/api/chat", lines(said(`{"model":"org/m","message":{"content":"TEXT"}]`)),
			workload.OutcomeProtocolError, "is not a line of a chat",
		},
		"a broken document": {
			exo1, "/bench/chat/completions", document(200, said(`{"choices":[{"message":{"content":"TEXT"}}]]`)),
			workload.OutcomeProtocolError, "not a chat completion: it is no JSON",
		},
		"a document with an error": {
			exo1, "/bench/chat/completions", document(200, said(`{"choices":[{"message":{"content":"TEXT"}}],"error":{"code":7}}`)),
			workload.OutcomeStreamError, `{"error":{"code":7}}`,
		},
		"no stream": {
			openAI, pathV1, document(200, said(`{"choices":[{"message":{"content":"TEXT"}}]}`)),
			workload.OutcomeProtocolError, "does not stream",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				n := newFakeNode(t, map[string]http.HandlerFunc{tc.path: tc.handler})
				s := n.session(tc.dialect, func(o *Options) {
					o.Endpoint = EndpointAuto
					o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					if tc.dialect == exo1 {
						o.Endpoint = EndpointBench
					}
				})
				r := s.Measure(t.Context(), request(32))
				if r.Outcome != tc.outcome || !strings.Contains(r.Err, tc.words) {
					t.Errorf("got %s (%q), want %s with %q", r.Outcome, r.Err, tc.outcome, tc.words)
				}
				for _, text := range []string{r.Err, log.String()} {
					if strings.Contains(text, "s3cret") || strings.Contains(text, "of the model") || strings.Contains(text, "77312") {
						t.Errorf("what the model said is quoted: %q", text)
					}
				}
			})
		})
	}
}

// lines serves a stream of one line after some that are well.
func lines(last string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = w.Write([]byte(`{"model":"org/m","message":{"content":"a"}}` + "\n" + last + "\n"))
	}
}

// What comes in the place of HTTP is said to be none, whatever was asked, and not repeated.
func TestNoLineIsQuoted(t *testing.T) {
	const head, chunked = "HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, tc := range map[string]struct{ answer, words string }{
		"no HTTP":            {"s3cret\r\n\r\n", "malformed HTTP response"},
		"a version":          {"HTTP/s3cret 200 OK\r\n\r\n", "malformed HTTP version"},
		"a status":           {"HTTP/1.1 s3c s3cret\r\n\r\n", "malformed HTTP status code"},
		"a header":           {head + "s3cret\r\n\r\n", "malformed MIME header"},
		"a first header":     {head + " s3cret\r\n\r\n", "malformed MIME header initial line"},
		"a length":           {head + "Content-Length: s3cret\r\n\r\n", "bad Content-Length"},
		"two lengths":        {head + "Content-Length: 1\r\nContent-Length: \"s3cret\"\r\n\r\n", "multiple Content-Length headers"},
		"an encoding":        {head + "Transfer-Encoding: s3cret\r\n\r\n", "unsupported transfer encoding"},
		"the end of a body":  {head + chunked + "9\r\ndata: {}\n\r\n0\r\ns3cret\r\n\r\n", "malformed MIME header"},
		"a body's next part": {head + chunked + "9\r\ndata: {}\n\r\ns3cret\r\n", "invalid byte in chunk length"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: wire(tc.answer), "/version": wire(tc.answer)})
				s := n.session(workload.DialectOpenAI, nil)
				r := s.Measure(t.Context(), request(8))
				err := s.client.api.Call(t.Context(), http.MethodGet, "/version", nil, nil)
				if err == nil {
					t.Fatal("the call did not fail")
				}
				for _, said := range []string{r.Err, err.Error()} {
					if strings.Contains(said, "s3c") || !strings.Contains(said, tc.words) {
						t.Errorf("%s: it says %q", r.Outcome, said)
					}
				}
			})
		})
	}
}
