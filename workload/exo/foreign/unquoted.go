package foreign

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// Unquoted returns err, of a connection, in words that hold nothing of what came over it: net/http quotes lines that it does
// not understand, and a line may be an answer or a key. What err is, is kept. It is err itself where nothing is quoted.
func Unquoted(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	shown := Line(withoutQuotations(said))
	if shown == said {
		return err
	}
	return &unquotedError{shown, err}
}

// unquotedError is an error of which not every word is shown.
type unquotedError struct {
	text string
	err  error
}

func (e *unquotedError) Error() string { return e.text }

func (e *unquotedError) Unwrap() error { return e.err }

// withoutQuotations returns text with an ellipsis in the place of what stands in quotation marks, and without it at the end.
func withoutQuotations(text string) string {
	var out strings.Builder
	for {
		before, _, found := strings.Cut(text, `"`)
		out.WriteString(before)
		if !found {
			break
		}
		quotation, err := strconv.QuotedPrefix(text[len(before):])
		if err != nil { // it has no end, so that no word after it can be told from it
			quotation = text[len(before):]
		}
		out.WriteString(Ellipsis)
		text = text[len(before)+len(quotation):]
	}
	return strings.TrimRight(strings.TrimSuffix(out.String(), Ellipsis), " :")
}

// Body is a reader of what came over a connection, of which no error holds anything.
type Body struct{ io.Reader }

// Read implements io.Reader.
func (b Body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = Unquoted(err)
	}
	return n, err
}
