package exo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"exo-bench-exporter/workload/exo/httpapi"
)

// What is said of an answer says nothing that stands in it: the model's words are nobody's to keep.

// unquoted says what is wrong with a document, without a letter of it.
func unquoted(err error) string {
	var syntax *json.SyntaxError
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON from byte %d on", syntax.Offset)
	case errors.As(err, &other) && other.Field != "":
		return fmt.Sprintf("its %s is a JSON %s", other.Field, kindOf(other))
	case errors.As(err, &other):
		return "it is a JSON " + kindOf(other)
	case errors.Is(err, errNotText), errors.Is(err, errNoChoices):
		return err.Error()
	}
	return "it cannot be read"
}

// kindOf returns what kind of value stands in the place of another one: of a number the error tells the digits, too.
func kindOf(err *json.UnmarshalTypeError) string {
	kind, _, _ := strings.Cut(err.Value, " ")
	return kind
}

// errorWords finds the words for people in an event that is an error, as httpapi.ErrorMessage does, beside what it holds of an
// answer.
func errorWords(b []byte) string {
	var doc map[string]json.RawMessage
	if json.Unmarshal(b, &doc) != nil {
		return httpapi.ErrorMessage(b)
	}
	choices, message := doc["choices"], doc["message"]
	says := len(message) > 0 && message[0] == '{' // Ollama's is the answer, others' is the error
	if choices == nil && !says {
		return httpapi.ErrorMessage(b)
	}
	if within := errorWithin(choices); within != nil && doc["error"] == nil {
		doc["error"] = within
	}
	delete(doc, "choices")
	if says {
		delete(doc, "message")
	}
	rest, err := json.Marshal(doc)
	var about struct {
		Error fault `json:"error"`
		faults
	}
	if err != nil || json.Unmarshal(rest, &about) != nil || !about.Error.set && !about.any() {
		return "an error of which the node says no more"
	}
	return httpapi.ErrorMessage(rest)
}

// errorWithin returns the error of one of several choices; nil where none has one.
func errorWithin(choices json.RawMessage) json.RawMessage {
	var list []struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(choices, &list) != nil {
		return nil
	}
	for _, c := range list {
		if len(c.Error) > 0 && !hollow(c.Error) {
			return c.Error
		}
	}
	return nil
}
