package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// answer is what a recorder saw of one chat completion.
type answer struct {
	ID    string `json:"id"`
	Usage *struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		Details          struct {
			CachedTokens int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
}

// recorder is a reverse proxy that passes everything on unchanged and notes the usage that
// the server reports at the end of each streamed answer. It reads the stream with code of its
// own, so that its figures bear witness for the exporter's.
type recorder struct {
	URL string

	mu      sync.Mutex
	answers []answer
}

func startRecorder(t *testing.T, target string) *recorder {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.FlushInterval = -1 // each event on its way at once
	// A request that meets the end of a kept connection would fail here, for a POST is not
	// sent twice.
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	proxy.ModifyResponse = func(resp *http.Response) error {
		if resp.Request.Method == http.MethodPost && resp.StatusCode == http.StatusOK {
			resp.Body = &recordedBody{ReadCloser: resp.Body, recorder: r}
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// seen returns the answers so far.
func (r *recorder) seen() []answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]answer(nil), r.answers...)
}

type recordedBody struct {
	io.ReadCloser
	recorder *recorder
	body     bytes.Buffer
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.body.Write(p[:n])
	return n, err
}

func (b *recordedBody) Close() error {
	for line := range bytes.Lines(b.body.Bytes()) {
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		var a answer
		if ok && json.Unmarshal(data, &a) == nil && a.Usage != nil {
			b.recorder.mu.Lock()
			b.recorder.answers = append(b.recorder.answers, a)
			b.recorder.mu.Unlock()
		}
	}
	return b.ReadCloser.Close()
}
