package exosim

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
)

// Header is set on every answer of a Node: nothing that carries it comes from exo.
const Header = "X-Exo-Sim"

// maxBody bounds a request's body, as legacy exo does.
const maxBody = 100 << 20

// ServeHTTP answers as exo would, and under /_sim/ as the simulator.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(Header, "1")
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		n.control.ServeHTTP(w, r)
		return
	}
	_, pattern := n.routes.Handler(r)
	n.count(r, pattern)
	if _, down := n.active(Unreachable, ""); down {
		resetConnection(w)
	}
	if f, ok := n.strikePath(r.URL.Path); ok {
		n.answerFault(w, r, f)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	n.routes.ServeHTTP(w, r)
}

// count notes the call for Calls.
func (n *Node) count(r *http.Request, pattern string) {
	if pattern == "/" || pattern == "" {
		pattern = r.Method + " " + r.URL.Path
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.calls[pattern]; !known && len(n.calls) >= 1000 {
		pattern = "other"
	}
	n.calls[pattern]++
}

// Calls returns how often each route was called since the start, control routes left out.
// A key is a method and a route, as in "DELETE /instance/{id}", or a method and a path
// where the node has no such route.
func (n *Node) Calls() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := make(map[string]int, len(n.calls))
	for k, v := range n.calls {
		calls[k] = v
	}
	return calls
}

// resetter is implemented by the ResponseWriter of Node.Transport.
type resetter interface{ reset(err error) }

// resetConnection breaks the connection under w with a reset, and does not return.
func resetConnection(w http.ResponseWriter) {
	if rw, ok := w.(resetter); ok {
		rw.reset(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET})
		panic(http.ErrAbortHandler)
	}
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset instead of a proper end
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}

// breakOff breaks the connection under w when err says that it has to be, and then does not
// return.
func breakOff(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errReset):
		resetConnection(w)
	case errors.Is(err, errClosed):
		panic(http.ErrAbortHandler)
	}
}

// encode returns v as JSON the way Python's pydantic writes it: no white space, and no
// escapes but those that JSON demands.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("exosim: cannot encode: " + err.Error()) // only own wire types come here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	writeBody(w, status, "application/json", encode(v))
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// readJSON decodes the request's body. When that fails it has answered 422 as FastAPI does.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(v)
	if err == nil {
		return true
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		loc := []any{"body"}
		for part := range strings.SplitSeq(wrongType.Field, ".") {
			loc = append(loc, part)
		}
		unprocessable(w, invalid{Type: "type_error", Loc: loc, Msg: "Input should be a valid " + wrongType.Type.String()})
		return false
	}
	unprocessable(w, invalid{Type: "json_invalid", Loc: []any{"body", 0}, Msg: "JSON decode error", Input: map[string]any{}})
	return false
}

// invalid is one entry of FastAPI's answer to a request that does not validate.
type invalid struct {
	Type  string `json:"type"`
	Loc   []any  `json:"loc"`
	Msg   string `json:"msg"`
	Input any    `json:"input"`
}

func missing(field string, input any) invalid {
	return invalid{Type: "missing", Loc: []any{"body", field}, Msg: "Field required", Input: input}
}

func unprocessable(w http.ResponseWriter, problems ...invalid) {
	writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": problems})
}

// detail is the error body of FastAPI's own routes and of legacy exo.
func detail(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"detail": text})
}

// apiError is exo 1.x's error document.
type apiError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   any    `json:"param"`
	Code    int    `json:"code"`
}

// refuse answers with exo 1.x's error document.
func refuse(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]apiError{"error": {Message: message, Type: http.StatusText(status), Code: status}})
}

func text500(w http.ResponseWriter) {
	writeBody(w, http.StatusInternalServerError, "text/plain; charset=utf-8", []byte("Internal Server Error"))
}
