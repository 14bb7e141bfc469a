// Package wire knows how exo's documents and streams look, byte by byte. It holds no state.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// maxBody bounds a request's body, as legacy exo does.
const maxBody = 100 << 20

// ResetConnection breaks the connection under w with a reset, and does not return.
func ResetConnection(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
			_ = tcp.SetLinger(0) // a reset instead of a proper end
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}

var _ interface{ SetLinger(sec int) error } = (*net.TCPConn)(nil)

// Encode returns v as JSON the way Python's pydantic writes it: no white space, and no
// escapes but those that JSON demands.
func Encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("exosim: cannot encode: " + err.Error()) // only own wire types come here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// WriteJSON answers with v as exo 1.x writes it.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	WriteBody(w, status, "application/json", Encode(v))
}

// WriteBody answers with a body of known length.
func WriteBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// ReadJSON decodes the request's body. When that fails it has answered 422 as FastAPI does.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	_, ok := ReadBody(w, r, v)
	return ok
}

// ReadBody is ReadJSON that also returns what was read.
func ReadBody(w http.ResponseWriter, r *http.Request, v any) (body json.RawMessage, ok bool) {
	body, err := DecodeBody(w, r, v)
	if err == nil {
		return body, true
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		loc := []any{"body"}
		for part := range strings.SplitSeq(wrongType.Field, ".") {
			loc = append(loc, part)
		}
		Unprocessable(w, Invalid{Type: "type_error", Loc: loc, Msg: "Input should be a valid " + wrongType.Type.String()})
		return nil, false
	}
	at, what := pythonError(body, err)
	Unprocessable(w, Invalid{
		Type: "json_invalid", Loc: []any{"body", at}, Msg: "JSON decode error", Input: map[string]any{},
		Ctx: map[string]string{"error": what},
	})
	return nil, false
}

// pythonError returns where Python's decoder stops in a document that is no JSON, and what
// it says.
func pythonError(body []byte, err error) (at int, what string) {
	at = len(body)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset > 0 && !strings.HasPrefix(syntax.Error(), "unexpected end") {
		at = int(syntax.Offset) - 1
	}
	switch before := bytes.TrimRight(body[:at], " \t\r\n"); {
	case len(before) > 0 && before[len(before)-1] == '{':
		return at, "Expecting property name enclosed in double quotes"
	case json.Valid(before):
		return at, "Extra data"
	}
	return at, "Expecting value"
}

// DecodeBody reads the request's body and decodes it.
func DecodeBody(w http.ResponseWriter, r *http.Request, v any) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return body, err
	}
	return body, json.Unmarshal(body, v)
}

// Invalid is one entry of FastAPI's answer to a request that does not validate.
type Invalid struct {
	Type  string `json:"type"`
	Loc   []any  `json:"loc"`
	Msg   string `json:"msg"`
	Input any    `json:"input"`
	Ctx   any    `json:"ctx,omitempty"`
}

// Missing returns the entry for a field that is not there.
func Missing(field string, input any) Invalid {
	return Invalid{Type: "missing", Loc: []any{"body", field}, Msg: "Field required", Input: input}
}

// Unprocessable answers 422 as FastAPI does.
func Unprocessable(w http.ResponseWriter, problems ...Invalid) {
	WriteJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": problems})
}

// Detail answers with the error body of FastAPI's own routes and of legacy exo.
func Detail(w http.ResponseWriter, status int, text string) {
	WriteJSON(w, status, map[string]string{"detail": text})
}

// APIError is exo 1.x's error document.
type APIError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   any    `json:"param"`
	Code    int    `json:"code"`
}

// Refuse answers with exo 1.x's error document.
func Refuse(w http.ResponseWriter, status int, message string) {
	WriteJSON(w, status, map[string]APIError{"error": {Message: message, Type: http.StatusText(status), Code: status}})
}

// Text500 answers as Starlette does when a handler raises.
func Text500(w http.ResponseWriter) {
	WriteBody(w, http.StatusInternalServerError, "text/plain; charset=utf-8", []byte("Internal Server Error"))
}
