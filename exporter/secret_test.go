package exporter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestSecretDoesNotPrintItself(t *testing.T) {
	s := Secret("hunter2")
	holder := struct{ Key Secret }{s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		for _, v := range []any{s, &s, holder, &holder, []Secret{s}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "hunter2") || strings.Contains(strings.ToLower(got), "68756e74657232") {
				t.Errorf("%s of %T reveals: %s", verb, v, got)
			}
		}
	}
	encoded, err := json.Marshal(holder)
	if err != nil || strings.Contains(string(encoded), "hunter2") || !strings.Contains(string(encoded), "secret") {
		t.Errorf("JSON: %s, %v", encoded, err)
	}
	if got := s.LogValue().String(); got != "<secret>" {
		t.Errorf("log value: %s", got)
	}
	if got := fmt.Sprint(Secret("")); got != "" {
		t.Errorf("an empty secret prints as %q", got)
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal does not")
	}
}
