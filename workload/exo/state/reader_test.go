package state

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
)

// served answers GETs from a table of bodies by path, 404 to others, and notes what was asked.
type served struct {
	bodies map[string]string
	once   string // path of which the first call is answered by 404
	calls  []string
}

func (s *served) RoundTrip(req *http.Request) (*http.Response, error) {
	s.calls = append(s.calls, req.URL.Path)
	body, code := s.bodies[req.URL.Path], 200
	if req.URL.Path == s.once {
		body, s.once = "", ""
	}
	switch body {
	case "":
		code, body = 404, `{"error":{"message":"unable to find path in state json"}}`
	case "cut":
		return respond(req, code, io.MultiReader(strings.NewReader(`{"i":`), broken{})), nil
	}
	return respond(req, code, strings.NewReader(body)), nil
}

var errReset = errors.New("connection reset by peer")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errReset }

func respond(req *http.Request, code int, body io.Reader) *http.Response {
	return &http.Response{
		StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1,
		Request: req,
	}
}

func (s *served) asked() []string {
	calls := s.calls
	s.calls = nil
	return calls
}

func newTestReader(t *testing.T, bodies map[string]string) (*Reader, *served) {
	t.Helper()
	s := &served{bodies: bodies}
	api, err := httpapi.New(httpapi.Options{BaseURL: "http://exo.test", Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	return NewReader(api, slog.New(slog.NewTextHandler(t.Output(), nil))), s
}

const (
	oneInstance = `{"i":{"MlxRingInstance":{"shardAssignments":{"modelId":"m","nodeToRunner":{"n":"r"}}}}}`
	oneRunner   = `{"r":{"RunnerReady":{}}}`
)

func TestLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, srv := newTestReader(t, map[string]string{
			"/state/instances": oneInstance, "/state/runners": oneRunner, "/state/tasks": `{}`, "/state/lastEventAppliedIdx": `7`,
		})
		look := func(q Query, want ...string) Snapshot {
			t.Helper()
			s, err := r.Look(t.Context(), q)
			if got := srv.asked(); err != nil || !slices.Equal(got, want) {
				t.Errorf("%+v asked %v, want %v: %v", q, got, want, err)
			}
			return s
		}
		s := look(Query{Parts: Instances | Runners | Tasks | Events | Memories},
			"/state/instances", "/state/runners", "/state/tasks", "/state/nodeMemory", "/state/nodeMemory", "/state/lastEventAppliedIdx")
		if !s.Health(s.Instances["i"]).Ready || s.Events != 7 || s.Tasks == nil || s.Known != Instances|Runners|Tasks|Events {
			t.Errorf("got %+v", s)
		}
		time.Sleep(time.Second)
		s = look(Query{Parts: Instances | Runners | Tasks, MaxAge: 2 * time.Second}, "/state/tasks")
		if len(s.Instances) != 1 || len(s.Runners) != 1 || s.Known != Instances|Runners|Tasks {
			t.Errorf("got %+v", s)
		}
		look(Query{Parts: Instances | Runners, MaxAge: time.Second}, "/state/instances", "/state/runners")
		look(Query{Parts: Instances}, "/state/instances")
		r.Forget()
		look(Query{Parts: Runners, MaxAge: time.Hour}, "/state/runners")
	})
}

// One answer that a part is not there proves nothing for good.
func TestPartIsMissedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, path := range []string{"/state/instances", "/state/runners"} {
			r, srv := newTestReader(t, map[string]string{"/state/instances": oneInstance, "/state/runners": oneRunner})
			srv.once = path
			for range 2 {
				s, err := r.Look(t.Context(), Query{Parts: Instances | Runners})
				if err != nil || !s.Health(s.Instances["i"]).Ready {
					t.Errorf("%s: %+v, %v", path, s, err)
				}
			}
			if want := []string{"/state/instances", "/state/runners", path}; len(srv.calls) != 5 || slices.Contains(srv.calls, "/state") {
				t.Errorf("asked %v, want %v and once more without the last", srv.calls, want)
			}
		}
	})
}

// TestLookWhole reads an exo before v1.0.70.
func TestLookWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, srv := newTestReader(
			t,
			map[string]string{
				"/state": `{"instances":` + oneInstance + `,"runners":` + oneRunner + `,"tasks":{},"node_memory":{"n":{"ram_total":5}}}`,
			},
		)
		s, err := r.Look(t.Context(), Query{Parts: Instances | Runners | Tasks | Memories | Events})
		if got := srv.asked(); err != nil || !slices.Equal(got, []string{"/state/instances", "/state/instances", "/state"}) {
			t.Fatalf("asked %v: %v", got, err)
		}
		if !s.Health(s.Instances["i"]).Ready || *s.Memories["n"].Total != 5 || s.Known != Instances|Runners|Tasks|Memories {
			t.Errorf("got %+v", s)
		}
		if _, err := r.Look(
			t.Context(), Query{Parts: Instances | Tasks, MaxAge: time.Minute},
		); err != nil || !slices.Equal(srv.asked(), []string{"/state"}) {
			t.Error("one call for all that is missing is enough", err)
		}
	})
}

func TestLookFails(t *testing.T) {
	for body, want := range map[string]error{
		"<html>":                ErrSyntax,
		`{"i":{}`:               ErrSyntax,
		oneInstance + "{}":      ErrSyntax,
		strings.Repeat("[", 70): ErrTooBig,
		"cut":                   errReset,
	} {
		r, _ := newTestReader(t, map[string]string{"/state/instances": body})
		_, err := r.Look(t.Context(), Query{Parts: Instances})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "GET /state/instances") {
			t.Errorf("%q: got %v, want %v", body, err, want)
		}
	}
}
