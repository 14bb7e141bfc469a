package app

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// Whatever a node says of the key that it was sent, or of a prompt, in whatever it says: it is in no
// log, page, metric, record, file or report.
func TestNothingPrivateGetsOut(t *testing.T) {
	const key = "sk-proj-7Yq2~SECRET+key/zebra"
	suite := shortSuite(2, faultTokens)
	prompt := suite.Prompts[0].Messages[0].Content
	encoded := base64.StdEncoding.EncodeToString([]byte("Bearer " + key))
	words := strings.Join([]string{"wrong key", key, "or", url.QueryEscape(key), hex.EncodeToString([]byte(key)), encoded, "in", prompt}, " ")
	for _, first := range []string{words, prompt + words, strings.TrimPrefix(words, "wrong ")} {
		for _, kind := range []exosim.Kind{
			exosim.RunnerFails, exosim.PlacementRefused, exosim.DownloadFails, exosim.ErrorEvent, exosim.Unprocessable, exosim.HTTPError,
		} {
			synctest.Test(t, func(t *testing.T) {
				options := head.options()
				if kind == exosim.DownloadFails {
					options.NotDownloaded = []string{victim}
				}
				node := exosim.New(options)
				t.Cleanup(func() { _ = node.Close() })
				_, err := node.Inject(exosim.Fault{Kind: kind, Message: first})
				noError(t, err)
				said, once := everything(t, node, suite, "API_KEY", key)
				if once.Outcome == workload.TurnOK || said["results.jsonl"] == "" || said["cycle.json"] == "" {
					t.Errorf("%s: cycle %s, files %v", kind, once.Outcome, slices.Sorted(maps.Keys(said)))
				}
				if !strings.Contains(said["log"], "redacted") {
					t.Errorf("%s: nothing was repeated:\n%s", kind, said["log"])
				}
				for where, text := range said {
					for _, piece := range []string{
						"7Yq2", "SECRET", "zebra", "number of this prompt", hex.EncodeToString([]byte("SECRET")), encoded[16:28],
					} {
						if strings.Contains(text, piece) {
							t.Errorf("%s: the %s shows %q:\n%.2000s", kind, where, piece, text)
						}
					}
				}
			})
		}
	}
}

// What a model says is nobody's to keep, in whatever it comes that cannot be read.
func TestNoAnswerGetsOut(t *testing.T) {
	suite := shortSuite(2, faultTokens)
	for name, event := range map[string]string{
		"no JSON":               `{"id":"1","choices":[{"index":0,"delta":{"content":"a s3cret that"`,
		"no text":               `{"choices":[{"delta":{"content":{"parts":"a s3cret that"}}}]}`,
		"an error beside words": `{"choices":[{"delta":{"content":"a s3cret that"},"error":{"code":7}}],"error":{"code":7}}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			node := exosim.New(head.options())
			t.Cleanup(func() { _ = node.Close() })
			node.Wrap(func(exo http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
						exo.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "text/event-stream")
					_, _ = io.WriteString(w, "data: "+event+"\n\n")
				})
			})
			said, once := everything(t, node, suite)
			if len(once.Turns) != 1 || once.Turns[0].Outcome != workload.TurnFailed || !strings.Contains(said["log of once"], "Request failed") {
				t.Errorf("%s: cycle %s:\n%s", name, once.Outcome, said["log of once"])
			}
			for where, text := range said {
				if strings.Contains(text, "s3cret") {
					t.Errorf("%s: the %s shows what the model said:\n%.2000s", name, where, text)
				}
			}
		})
	}
}

// everything runs the program against a node, served and once, and returns what it says, by where it says it.
func everything(t *testing.T, node *exosim.Node, suite workload.Suite, vars ...string) (said map[string]string, once workload.Cycle) {
	t.Helper()
	dir := t.TempDir()
	how := setting{
		node: node, suite: suite, seams: Seams{Listener: newQuietListener()},
		vars: append([]string{"MODELS", victim, "STATE_DIR", dir, "LOAD_TIMEOUT", "30s"}, vars...),
	}
	s := newStack(t, how)
	end := s.serve(t)
	time.Sleep(5 * time.Minute)
	said = map[string]string{"page": s.page(t), "metrics": s.get(t, "/metrics"), "log": s.log.String()}
	noError(t, end())
	s.Close()
	s = newStack(t, how)
	once = s.Once(t.Context())
	report, err := json.Marshal(s.Report(once))
	noError(t, err)
	check := s.Client.Check(t.Context(), s.Config.Models)
	s.Close()
	said["report of once"], said["log of once"], said["check"] = string(report), s.log.String(), fmt.Sprintf("%+v", check)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	noError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		noError(t, err)
		said[filepath.Base(file)] = string(content)
	}
	return said, once
}
