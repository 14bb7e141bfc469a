package exo

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
)

const (
	// From how many bytes on a piece of a private text is kept from what is shown. A few words of a
	// prompt may stand in anybody's mouth, ours too.
	pieceOfKey    = 12
	pieceOfPrompt = 16
	// beginOfKey is from how many bytes on the beginning of a key is kept from what is shown where the
	// text was cut off in it.
	beginOfKey = 4
	// maxPieces bounds the pieces that are known. Of longer texts every so many are.
	maxPieces = 1 << 16
	// redacted stands where a piece was.
	redacted = "<redacted>"
)

// private knows what no word may hold that leaves the client, whatever a node repeats of what it was
// sent: the key, also as people encode it, and the prompts, whole or cut off.
type private struct {
	key, prompts pieces
	forms        []string // of the key
}

func newPrivate(key string, prompts ...string) *private {
	total := 0
	for _, text := range prompts {
		total += len(text)
	}
	p := &private{key: newPieces(pieceOfKey, 1), prompts: newPieces(pieceOfPrompt, 1+total/maxPieces), forms: encodings(key)}
	for _, text := range prompts {
		p.prompts.add(strings.Join(strings.Fields(text), " ")) // as what is shown is
	}
	for _, text := range p.forms {
		p.key.add(text)
	}
	return p
}

// encodings returns the forms in which a key may be repeated: itself, in a URL, in hexadecimal, and
// in base64 wherever it stands there.
func encodings(key string) []string {
	if key == "" {
		return nil
	}
	all := []string{key, hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key)))}
	for _, escaped := range []string{url.QueryEscape(key), url.PathEscape(key)} {
		if escaped != key {
			all = append(all, escaped, strings.ToLower(escaped))
		}
	}
	for before := range 3 { // bytes that share its first group of three
		text := []byte(strings.Repeat("x", before) + key)
		whole := len(text) / 3 * 3
		for _, form := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if s := form.EncodeToString(text[:whole]); len(s) >= 8 {
				all = append(all, s[(before+2)/3*4:]) // the shared group tells less than a byte of it
			}
		}
	}
	return all
}

// hide returns text without the pieces that it holds.
func (p *private) hide(text string) string {
	for _, form := range p.forms {
		if len(form) < pieceOfKey {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return p.prompts.hide(p.hideBegun(p.key.hide(text)))
}

// hideBegun returns text without the beginning of a key, too short for a piece, that it was cut off in.
func (p *private) hideBegun(text string) string {
	if len(p.forms) == 0 || !strings.Contains(text, foreign.Ellipsis) {
		return text
	}
	parts := strings.Split(text, foreign.Ellipsis)
	for i, part := range parts[:len(parts)-1] {
		begun := 0
		for _, form := range p.forms {
			for n := beginOfKey; n < min(len(form), pieceOfKey); n++ {
				if strings.HasSuffix(part, form[:n]) {
					begun = max(begun, n)
				}
			}
		}
		if begun > 0 {
			parts[i] = part[:len(part)-begun] + redacted
		}
	}
	return strings.Join(parts, foreign.Ellipsis)
}

// hideError returns an error that says what err says, but for what is private. What err is, is kept.
func (p *private) hideError(err error) error {
	if err == nil {
		return nil
	}
	var turn *workload.TurnError
	said := err.Error()
	if errors.As(err, &turn) {
		said = turn.Error()
	}
	shown := p.hide(said)
	switch {
	case shown == said:
		return err
	case turn != nil:
		return &workload.TurnError{Outcome: turn.Outcome, Reason: shown, Fix: p.hide(turn.Fix)}
	}
	return &hiddenError{shown, err}
}

// hiddenError is an error of which not every word may be shown.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }

func (e *hiddenError) Unwrap() error { return e.err }

// pieces are the parts of one length of which texts consist.
type pieces struct {
	length int // bytes
	stride int // bytes between two of them
	known  map[string]struct{}
}

func newPieces(length, stride int) pieces {
	return pieces{length, stride, map[string]struct{}{}}
}

func (p pieces) add(text string) {
	for i := 0; i+p.length <= len(text); i += p.stride {
		p.known[text[i:i+p.length]] = struct{}{}
	}
}

// at tells whether a piece begins at that place of text.
func (p pieces) at(text string, i int) bool {
	_, is := p.known[text[i:i+p.length]]
	return is
}

// hide returns text without them.
func (p pieces) hide(text string) string {
	if len(p.known) == 0 {
		return text
	}
	var out strings.Builder
	kept := 0 // of text is written out before it
	for i := 0; i+p.length <= len(text); i++ {
		if !p.at(text, i) {
			continue
		}
		end := i + p.length
		for next := i + 1; next < min(end+p.stride, len(text)-p.length+1); next++ { // they overlap, or follow one another
			if p.at(text, next) {
				end = next + p.length
			}
		}
		out.WriteString(text[kept:i])
		out.WriteString(redacted)
		kept, i = end, end-1
	}
	if kept == 0 {
		return text
	}
	out.WriteString(text[kept:])
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}
