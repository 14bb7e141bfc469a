package foreign

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// An error of a connection says what was wrong, and nothing of what came.
func TestUnquoted(t *testing.T) {
	for said, want := range map[string]string{
		"connection refused":                          "connection refused",
		`broken: malformed HTTP response "said"`:      "broken: malformed HTTP response",
		`malformed MIME header line: "said: \"x"`:     "malformed MIME header line",
		`several lengths; got ["said" "\"said"]`:      "several lengths; got [… …]",
		`(possibly because of "said" while trying)`:   "(possibly because of … while trying)",
		`malformed "said`:                             "malformed",
		`malformed "said\" and said`:                  "malformed",
		"x509: valid for " + strings.Repeat("a", 400): "x509: valid for " + strings.Repeat("a", 269) + "… (416 bytes)",
		"two\nlines": "two lines",
	} {
		cause := errors.New(said)
		err := Unquoted(fmt.Errorf("%w", cause))
		if got := err.Error(); got != want || len(got) > MaxLine {
			t.Errorf("%q becomes %q, want %q", said, got, want)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%q is not what it was", said)
		}
		_, err = io.ReadAll(Body{io.MultiReader(strings.NewReader("a"), iotest.ErrReader(cause))})
		if err == nil || err.Error() != want || !errors.Is(err, cause) {
			t.Errorf("a reader fails with %v, want %q", err, want)
		}
	}
	if Unquoted(nil) != nil {
		t.Error("no error became one")
	}
	if b, err := io.ReadAll(Body{strings.NewReader("a")}); string(b) != "a" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
}
