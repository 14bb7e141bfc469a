package exo

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

func TestRedact(t *testing.T) {
	const prompt, key = "Say something about the sea in two or three plain sentences, please.", "sk-93751-SECRET-key"
	for in, want := range map[string]string{
		"HTTP 400: bad prompt '" + prompt + "'":      "HTTP 400: bad prompt '<redacted>'",
		"cut off: Say something about the sea in t…": "cut off: <redacted>…",
		"Bearer " + key + " denied":                  "Bearer <redacted> denied",
		prompt + key:                                 "<redacted><redacted>",
		"model 'org/m' not found":                    "model 'org/m' not found",
		"":                                           "",
		"Say so":                                     "Say so",
		"ended after two or three":                   "ended after two or three",
		"é " + prompt + " é":                         "é <redacted> é",
		"about the sea in two: twice, about the sea in 2": "<redacted>: twice,<redacted>2",
	} {
		if got := redact(redact(in, pieceOfKey, key, ""), pieceOfPrompt, prompt); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := redact("key abc is wrong", pieceOfKey, "abc"); got != "key <redacted> is wrong" {
		t.Errorf("a short key: %q", got)
	}
}

// What a node repeats of the key or of a prompt is not shown, wherever it stands.
func TestNothingSecretIsShown(t *testing.T) {
	const key = "sk-93751-SECRET-key"
	secret := "Tell me about the sea, and about the hills beside it."
	for name, h := range map[string]http.HandlerFunc{
		"status":   reply(401, `{"error":{"message":"wrong key `+key+` for `+secret+`"}}`),
		"stream":   stream(nil, step{ms, `data: {"error":{"message":"failed on ` + secret + ` with ` + key + `"}}` + "\n\n"}),
		"event":    stream(nil, step{ms, "data: {oops " + secret + key + "\n\n"}),
		"document": reply(200, `{"error":{"message":"`+secret+key+`"}}`),
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.test/"+key)
			w.WriteHeader(http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: h})
				r := request(4)
				r.Prompt.Messages[0].Content = secret
				res := n.session(workload.DialectOpenAI, func(o *Options) { o.APIKey = key }).Measure(t.Context(), r)
				if res.OK() || strings.Contains(res.Err, "SECRET") || strings.Contains(res.Err, "the sea") || !strings.Contains(res.Err, "<redacted>") {
					t.Errorf("%s: %s", res.Outcome, res.Err)
				}
			})
		})
	}
}

// An answer to a question about the node is not shown with the key either.
func TestNoKeyIsShownByDetection(t *testing.T) {
	const key = "sk-93751-SECRET-key"
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/v1/models": reply(401, `{"error":{"message":"wrong key `+key+`"}}`)})
		_, err := n.client(func(o *Options) { o.APIKey = key }).Open(t.Context(), workload.Model{Name: "m"})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("got %v", err)
		}
	})
}
