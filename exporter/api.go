package exporter

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	// defaultPage and maxPage are how many items a page of the API has where nobody says, and at most.
	defaultPage, maxPage = 20, 100
	// apiPath is before the paths of the API's first version.
	apiPath = "/api/v1/"
)

// openAPI describes the API.
//
//go:embed openapi.yaml
var openAPI []byte

// Results are the records that the API lists.
type Results interface {
	// Page returns records newest first, at most limit of them, from before the one with the id before where that is not
	// empty, and the id to go on before, or "". The error is os.ErrNotExist where there is no record of that id.
	Page(before string, limit int) (page []json.RawMessage, next string, err error)
}

// API tells programs what the status page shows, and lists single results. What it says is described by openapi.yaml.
type API struct {
	store   *Store
	results Results // nil where none are kept
	now     func() time.Time
}

// NewAPI returns the API of what s and results hold; results is nil where none are kept.
func NewAPI(s *Store, results Results) *API { return &API{store: s, results: results, now: time.Now} }

// Mount has f serve the API.
func (a *API) Mount(f *Front) {
	f.Handle("GET "+apiPath+"status", inJSON(a.status))
	f.Handle("GET "+apiPath+"models", inJSON(a.models))
	f.Handle("GET "+apiPath+"results", inJSON(a.list))
	f.Handle("GET "+apiPath+"openapi.yaml", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openAPI)
	}))
}

// refusal is why a request is not answered.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

// inJSON serves what do returns as JSON.
func inJSON(do func(r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		body, err := do(r)
		if err != nil {
			var refused refusal
			if !errors.As(err, &refused) {
				refused = refusal{http.StatusInternalServerError, "It cannot be read."}
			}
			status, body = refused.status, map[string]string{"error": refused.text}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
}

// asked reads the parameters of a list: its page's size, and from where on, which is called by another name.
func asked(r *http.Request, from string) (limit int, start string, err error) {
	limit = defaultPage
	for name, values := range r.URL.Query() {
		value := values[len(values)-1]
		switch name {
		case "limit":
			if limit, err = strconv.Atoi(value); err != nil || limit < 1 || limit > maxPage {
				return 0, "", refusal{http.StatusBadRequest, fmt.Sprintf("limit: want a number from 1 to %d", maxPage)}
			}
		case from:
			start = value
		default:
			return 0, "", refusal{http.StatusBadRequest, fmt.Sprintf("there are limit and %s, and no other parameter", from)}
		}
	}
	return limit, start, nil
}

func (a *API) list(r *http.Request) (any, error) {
	limit, before, err := asked(r, "before")
	if err != nil {
		return nil, err
	}
	if a.results == nil {
		return nil, refusal{http.StatusNotFound, "no records are kept: EXOBENCH_RESULTS is off"}
	}
	page, next, err := a.results.Page(before, limit)
	if errors.Is(err, os.ErrNotExist) {
		return nil, refusal{http.StatusNotFound, "before: there is no such record among those that are known"}
	}
	if err != nil {
		return nil, err
	}
	return apiPage[json.RawMessage]{page, known(next, next != "")}, nil
}

// apiPage is one page of a list. Next is what the next one starts from, nil on the last.
type apiPage[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}
