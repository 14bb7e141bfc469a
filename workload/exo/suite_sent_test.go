package exo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
)

// sent is the part of a request's body that the suite decides.
type sent struct {
	MaxTokens   int     `json:"max_tokens"`
	Temperature float64 `json:"temperature"`
	Seed        int     `json:"seed"`
}

// What a suite says is what the server is asked for, by the whole way from the suite to the wire.
// Only the warm-up is shorter.
func TestTheSuitesParametersAreSent(t *testing.T) {
	var (
		mu  sync.Mutex
		got []sent
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"org/m"}]}`)
			return
		}
		var body sent
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		mu.Lock()
		got = append(got, body)
		mu.Unlock()
		w.Header().Set("Content-Type", "text/event-stream")
		for _, s := range []string{
			`{"model":"org/m","choices":[{"index":0,"delta":{"content":"a"}}]}`,
			`{"model":"org/m","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"length"}]}`,
			`[DONE]`,
		} {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", s)
		}
	}))
	defer server.Close()
	client, err := exo.New(exo.Options{BaseURL: server.URL, Dialect: workload.DialectOpenAI})
	if err != nil {
		t.Fatal(err)
	}
	message := []workload.Message{{Role: "user", Content: "x"}}
	workload.NewRunner(workload.RunnerOptions{
		Models: []workload.Model{{Name: "m", ExoID: "org/m"}}, Target: client,
		Suite: workload.Suite{Version: "t", Temperature: 0.7, Seed: 4711, Prompts: []workload.Prompt{
			{ID: "long", MaxTokens: 64, Messages: message}, {ID: "short", MaxTokens: 8, Messages: message},
		}},
	}).Cycle(t.Context())
	want := []sent{{16, 0.7, 4711}, {64, 0.7, 4711}, {8, 0.7, 4711}}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, want) {
		t.Errorf("warm-up and prompts were sent as %+v, want %+v", got, want)
	}
}
