package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"exo-bench-exporter/e2e/internal/stack"
)

// apiCaller asks an exporter as a program does that has its password, and holds what it answers against the description that
// it serves itself.
type apiCaller struct {
	t        *testing.T
	base     string
	validate validator.Validator
}

const apiUser, apiPassword = "prometheus", "hunter2"

// get returns the answer to a request, as raw bytes, after it was found to be as described.
func (a *apiCaller) get(path string, status int) []byte {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.base+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	req.SetBasicAuth(apiUser, apiPassword)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		a.t.Fatalf("%s: %s, %v, want %d: %s", path, resp.Status, err, status, body)
	}
	if a.validate == nil {
		return body
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if ok, problems := a.validate.ValidateHttpResponse(req, resp); !ok {
		for _, p := range problems {
			a.t.Errorf("%s: %s", path, p.Error())
			for _, s := range p.SchemaValidationErrors {
				a.t.Errorf("\t%s: %s", s.FieldPath, s.Reason)
			}
		}
		a.t.Logf("%.2000s", body)
	}
	return body
}

func apiInto[T any](a *apiCaller, path string) (v T) {
	a.t.Helper()
	if err := json.Unmarshal(a.get(path, http.StatusOK), &v); err != nil {
		a.t.Fatal(err)
	}
	return v
}

type apiList struct {
	Items []struct {
		ID    string `json:"id"`
		Model string `json:"model"`
		Last  *struct {
			Outcome string   `json:"outcome"`
			Reason  string   `json:"reason"`
			Output  *float64 `json:"output_tokens_per_second"`
		} `json:"last"`
	} `json:"items"`
	Next *string `json:"next"`
}

// TestAPI runs the demo with a model that the node does not have, behind a password, and holds every answer of the API against
// the description that the exporter serves: during the first cycle, after it, page by page, and where it refuses.
func TestAPI(t *testing.T) {
	dir, address := t.TempDir(), stack.FreeAddress(t)
	web := filepath.Join(dir, "web.yml")
	stack.WriteFile(t, web, "basic_auth_users:\n  prometheus: $2a$04$47r0CPcjfdWV4x5Za7iGZekr1w7SBa5DqoOGdl67270v7bhGhA/ny\n")
	stack.Start(t, []string{
		"EXOBENCH_LISTEN_ADDRESS=" + address, "EXOBENCH_WEB_CONFIG_FILE=" + web, "EXOBENCH_STATE_DIR=" + dir,
		"EXOBENCH_MODELS=llama-3.2-1b,nonesuch,qwen-1.5-7b",
	}, stack.Exporter, "-demo")
	a := &apiCaller{t: t, base: "http://" + address + "/api/v1/"}
	answered := func(path string) (status int) {
		resp, err := http.Get(a.base + path)
		if err != nil {
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	stack.Eventually(t, 30*time.Second, 50*time.Millisecond, "the exporter asks for a password", func() bool {
		return answered("status") == http.StatusUnauthorized
	})
	for _, path := range []string{"status", "models", "results", "openapi.yaml"} {
		if got := answered(path); got != http.StatusUnauthorized {
			t.Errorf("%s without a password: %d", path, got)
		}
	}

	description := a.get("openapi.yaml", http.StatusOK)
	document, err := libopenapi.NewDocument(description)
	if err != nil {
		t.Fatal(err)
	}
	v, problems := validator.NewValidator(document)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if ok, problems := v.ValidateDocument(); !ok {
		t.Fatalf("the description is no OpenAPI 3.1: %v", problems)
	}
	a.validate = v

	type status struct {
		Simulated bool              `json:"simulated"`
		Running   *struct{}         `json:"running"`
		Cycles    []json.RawMessage `json:"cycles"`
		Failures  []struct {
			Model   string   `json:"model"`
			Records []string `json:"records"`
		} `json:"failures"`
	}
	running := false
	var s status
	stack.Eventually(t, 2*time.Minute, 200*time.Millisecond, "a cycle is complete", func() bool {
		s = apiInto[status](a, "status")
		running = running || s.Running != nil
		a.get("models", http.StatusOK)
		return len(s.Cycles) > 0
	})
	if !running || !s.Simulated || len(s.Failures) == 0 || s.Failures[0].Model != "nonesuch" || len(s.Failures[0].Records) == 0 {
		t.Errorf("running was seen: %v, then %+v", running, s)
	}

	var names, records []string
	for path := "models?limit=1"; path != ""; {
		page := apiInto[apiList](a, path)
		path = ""
		for _, m := range page.Items {
			names = append(names, m.Model)
			if m.Last == nil || (m.Last.Outcome == "ok") != (m.Last.Output != nil) || (m.Last.Outcome == "ok") != (m.Model != "nonesuch") {
				t.Errorf("%s: %+v", m.Model, m.Last)
			}
		}
		if page.Next != nil {
			path = "models?limit=1&after=" + *page.Next
		}
	}
	if want := []string{"llama-3.2-1b", "nonesuch", "qwen-1.5-7b"}; !slices.Equal(names, want) {
		t.Errorf("models %q, want %q", names, want)
	}
	first := apiInto[apiList](a, "results?limit=7")
	for page := first; ; {
		for _, r := range page.Items {
			records = append(records, r.ID)
		}
		if page.Next == nil {
			break
		}
		page = apiInto[apiList](a, "results?limit=7&before="+*page.Next)
	}
	// Two models' ten results and their turns, and the turn of the third; the next cycle may have begun since.
	if n := len(slices.Compact(slices.Sorted(slices.Values(records)))); n < 23 || n != len(records) {
		t.Errorf("%d records, of which %d differ", len(records), n)
	}
	for _, path := range []string{"results?limit=0", "models?limit=101", "results?model=x"} {
		a.get(path, http.StatusBadRequest)
	}
	for _, path := range []string{"results?before=nonesuch", "models?after=gone"} {
		a.get(path, http.StatusNotFound)
	}
}
