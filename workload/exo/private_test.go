package exo

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
)

func TestHide(t *testing.T) {
	const prompt, key = "Say something about the sea in two or three plain sentences, please.", "sk-93751-SECRET+key/?"
	p := newPrivate(key, prompt, "", "Hi")
	for in, want := range map[string]string{
		"HTTP 400: bad prompt '" + prompt + "'":                 "HTTP 400: bad prompt '<redacted>'",
		"cut off: Say something about the sea in t…":            "cut off: <redacted>…",
		"Bearer " + key + " denied":                             "Bearer <redacted> denied",
		"in a URL: ?k=" + url.QueryEscape(key):                  "in a URL: ?k=<redacted>",
		"in hex: " + hex.EncodeToString([]byte(key)):            "in hex: <redacted>",
		"model 'org/m' not found":                               "model 'org/m' not found",
		"":                                                      "",
		"Say so, this is Hi":                                    "Say so, this is Hi",
		"ended after two or three":                              "ended after two or three",
		"é " + prompt + " é":                                    "é <redacted> é",
		"about the sea in two: twice, about the sea in 2 of it": "<redacted>: twice,<redacted>2 of it",
	} {
		if got := p.hide(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, before := range []string{"", "a", "ab", "abc", "Bearer ", "user:"} {
		for _, form := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := form.EncodeToString([]byte(before + key + "."))
			got := p.hide("basic " + text)
			if rest := strings.NewReplacer("basic ", "", redacted, "").Replace(got); len(rest) > len(before)*4/3+12 {
				t.Errorf("in base64 behind %q: %q of %q", before, got, text)
			}
		}
	}
	for _, n := range []int{beginOfKey, pieceOfKey - 1, pieceOfKey, len(key)} { // where a line is cut off, and more is said behind it
		line := foreign.Cut("wrong key "+key[:n]+strings.Repeat("x", 300), 10+n+len("… (331 bytes)"))
		if got := p.hide("said: " + line + " twice"); !strings.HasPrefix(got, "said: wrong key <redacted>… (") {
			t.Errorf("%d bytes of a key: %q of %q", n, got, line)
		}
	}
	if got := newPrivate("abc").hide("key abc is wrong"); got != "key <redacted> is wrong" {
		t.Errorf("a short key: %q", got)
	}
	if got := newPrivate("").hide("nothing is private"); got != "nothing is private" {
		t.Errorf("without a key: %q", got)
	}
}

// Of texts that are longer than can be known by every piece, every run that a person could read is found.
func TestHideLongTexts(t *testing.T) {
	var text strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&text, "%d and ", i*i)
	}
	p := newPrivate("", text.String())
	if len(p.prompts.known) > maxPieces {
		t.Errorf("%d pieces are known", len(p.prompts.known))
	}
	for at := 0; at < 400_000; at += 9973 {
		run := text.String()[at : at+120]
		if got := p.hide("node says " + run + " here"); len(got) > 60 || !strings.Contains(got, redacted) {
			t.Errorf("%q of %q", got, run)
		}
	}
}

// marshals is a value that writes itself.
type marshals string

func (m marshals) MarshalText() ([]byte, error) { return []byte(m), nil }

// The log of a client holds nothing private, in whatever form it is handed on.
func TestNothingPrivateIsLogged(t *testing.T) {
	const key = "sk-93751-SECRET-key"
	var out bytes.Buffer
	log := slog.New(hidingHandler{slog.NewTextHandler(&out, nil), newPrivate(key)})
	log = log.With("with", key, "n", 7).WithGroup("g")
	log.Warn("message "+key, "text", key, "err", fmt.Errorf("wrapped: %w", errors.New(key)), "list", []string{key}, "bytes", []byte("x"),
		slog.Group("group", "inner", key), "for", time.Second, "level", slog.LevelInfo, "marshals", marshals(key))
	for _, want := range []string{"message <redacted>", "n=7", "g.for=1s", "g.level=INFO"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q: %s", want, &out)
		}
	}
	if strings.Contains(out.String(), "SECRET") {
		t.Errorf("log: %s", &out)
	}
}

// What a node repeats of the key or of a prompt is not shown, wherever it stands.
func TestNothingSecretIsShown(t *testing.T) {
	const key = "sk-93751-SECRET-key"
	secret := "Tell me about the sea, and about the hills beside it."
	for name, h := range map[string]http.HandlerFunc{
		"status":   reply(401, `{"error":{"message":"wrong key `+key+` for `+secret+`"}}`),
		"stream":   stream(nil, step{ms, `data: {"error":{"message":"failed on ` + secret + ` with ` + key + `"}}` + "\n\n"}),
		"event":    stream(nil, step{ms, "event: error\ndata: {oops " + secret + key + "\n\n"}),
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
		c := n.client(func(o *Options) { o.APIKey = key })
		_, opening := c.Open(t.Context(), workload.Model{Name: "m"})
		_, detecting := c.Detect(t.Context())
		known := n.client(func(o *Options) { o.APIKey, o.Dialect = key, workload.DialectOpenAI }) // asks for its models alone
		for _, err := range []error{opening, detecting, c.Check(t.Context(), nil).Err, known.Check(t.Context(), nil).Err} {
			if err == nil || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v", err)
			}
		}
	})
}
