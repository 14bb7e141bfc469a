package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"exo-bench-exporter/workload/exo/foreign"
)

// Errors of a document that is not read to its end.
var (
	ErrSyntax = errors.New("not the JSON expected")
	ErrTooBig = errors.New("larger than anything known of a node")
)

const (
	maxDepth  = 64       // of nesting; exo's own state has about a dozen levels
	maxKey    = 256      // bytes of a key that are kept; more make a key that nothing is called by
	maxNumber = 64       // bytes of a number that are kept
	maxKept   = 16 << 20 // bytes kept of one part, about: what is kept of thousands of nodes is less
	itemCost  = 128      // of an entry in a map or a list
)

// scanner reads one JSON document as a stream. It holds a buffer and what its callers keep,
// whatever the length of the document or of a string in it. Its methods each read one whole
// value; they do nothing once an error has come, which is in err.
type scanner struct {
	r     *bufio.Reader
	at    int64 // bytes read
	depth int
	kept  int
	tape  *tape // what the value at hand is noted on; nil where it is not
	err   error
}

// tape notes what is read, at most limit bytes of it.
type tape struct {
	bytes []byte
	limit int
}

// verbatim returns the value that read reads as it stands. One that is longer than limit bytes is
// ErrTooBig.
func (s *scanner) verbatim(limit int, read func()) []byte {
	s.peek()
	s.tape = &tape{limit: limit}
	read()
	noted := s.tape.bytes
	s.tape = nil
	return noted
}

// took accounts for bytes that were read.
func (s *scanner) took(p ...byte) {
	s.at += int64(len(p))
	switch t := s.tape; {
	case t == nil:
	case len(t.bytes)+len(p) <= t.limit:
		t.bytes = append(t.bytes, p...)
	case s.err == nil:
		s.err = fmt.Errorf("%w: a value that is to be kept exceeds %d bytes at byte %d", ErrTooBig, t.limit, s.at)
	}
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 16<<10)} }

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %s at byte %d", ErrSyntax, fmt.Sprintf(format, args...), s.at)
	}
}

// keep accounts for n bytes that the caller keeps beside the strings that it has read.
func (s *scanner) keep(n int) {
	s.kept += n
	if s.kept > maxKept && s.err == nil {
		s.err = fmt.Errorf("%w: what is to be kept of it exceeds %d MiB at byte %d", ErrTooBig, maxKept>>20, s.at)
	}
}

// next returns the next byte; 0 after an error.
func (s *scanner) next() byte {
	if s.err != nil {
		return 0
	}
	b, err := s.r.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		s.fail("it ends too early")
		return 0
	case err != nil:
		s.err = err
		return 0
	}
	s.took(b)
	return b
}

func (s *scanner) back() {
	if s.err != nil {
		return
	}
	_ = s.r.UnreadByte() // after next, which succeeded
	s.at--
	if s.tape != nil {
		s.tape.bytes = s.tape.bytes[:len(s.tape.bytes)-1]
	}
}

// token returns the next byte that is no white space.
func (s *scanner) token() byte {
	for {
		b := s.next()
		if s.err != nil || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b
		}
	}
}

// peek returns the first byte of the next value, which tells its kind.
func (s *scanner) peek() byte {
	b := s.token()
	s.back()
	return b
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	if s.err != nil {
		return s.err
	}
	for {
		b, err := s.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case b != ' ' && b != '\n' && b != '\t' && b != '\r':
			s.fail("%q follows the document", b)
			return s.err
		}
	}
}

func (s *scanner) enter() {
	if s.depth++; s.depth > maxDepth && s.err == nil {
		s.err = fmt.Errorf("%w: nested deeper than %d at byte %d", ErrTooBig, maxDepth, s.at)
	}
}

// object calls f for each member of an object; f must read the value. Another kind of value
// is skipped, and object returns false.
func (s *scanner) object(f func(key string)) bool {
	if s.peek() != '{' {
		s.skip()
		return false
	}
	s.token()
	s.enter()
	defer func() { s.depth-- }()
	for first := true; s.err == nil; first = false {
		switch b := s.token(); {
		case b == '}' && first:
			return true
		case b != '"':
			s.fail("%q for a key", b)
			return true
		}
		key, length := s.text(maxKey)
		if length > len(key) {
			key = foreign.Head(key, length, maxKey)
		}
		if b := s.token(); b != ':' {
			s.fail("%q after a key", b)
			return true
		}
		f(key)
		switch b := s.token(); b {
		case ',':
		case '}':
			return true
		default:
			s.fail("%q in an object", b)
		}
	}
	return true
}

// array calls f for each element of an array; f must read it. Another kind of value is
// skipped, and array returns false.
func (s *scanner) array(f func(i int)) bool {
	if s.peek() != '[' {
		s.skip()
		return false
	}
	s.token()
	s.enter()
	defer func() { s.depth-- }()
	if s.peek() == ']' {
		s.token()
		return true
	}
	for i := 0; s.err == nil; i++ {
		f(i)
		switch b := s.token(); b {
		case ',':
		case ']':
			return true
		default:
			s.fail("%q in an array", b)
		}
	}
	return true
}

// str reads a string, cleaned and cut to limit bytes; "" and false for another kind of value.
func (s *scanner) str(limit int) (string, bool) {
	if s.peek() != '"' {
		s.skip()
		return "", false
	}
	s.token()
	head, length := s.text(limit)
	s.kept += min(length, limit)
	return foreign.Head(head, length, limit), s.err == nil
}

// number reads a number; false for another kind of value.
func (s *scanner) number() (float64, bool) {
	if b := s.peek(); b != '-' && (b < '0' || b > '9') {
		s.skip()
		return 0, false
	}
	w := s.word()
	v, err := strconv.ParseFloat(w, 64)
	if strings.Trim(w, "0123456789+-.eE") != "" || err != nil && !errors.Is(err, strconv.ErrRange) {
		s.fail("a number that is none")
	}
	return v, err == nil && s.err == nil
}

// skip reads one value and keeps nothing of it.
func (s *scanner) skip() {
	switch b := s.peek(); {
	case s.err != nil:
	case b == '{':
		s.object(func(string) { s.skip() })
	case b == '[':
		s.array(func(int) { s.skip() })
	case b == '"':
		s.token()
		s.text(0)
	case b == '-' || b >= '0' && b <= '9':
		s.number()
	default:
		if w := s.word(); w != "true" && w != "false" && w != "null" {
			s.fail("no value")
		}
	}
}

// word reads a number or a literal.
func (s *scanner) word() string {
	var buf [maxNumber]byte
	n := 0
	s.token()
	s.back()
	for s.err == nil {
		b, err := s.r.ReadByte()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.err = err
			}
			break
		}
		s.took(b)
		if !(b == '-' || b == '+' || b == '.' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z') {
			s.back()
			break
		}
		if n == len(buf) {
			s.fail("a number of more than %d digits", len(buf))
			break
		}
		buf[n] = b
		n++
	}
	return string(buf[:n])
}

// text reads the rest of a string after its opening quote and returns at most the first
// limit bytes of it, and its length.
func (s *scanner) text(limit int) (head string, length int) {
	var kept []byte
	add := func(p []byte) {
		if length == len(kept) {
			kept = append(kept, p[:min(len(p), limit-len(kept))]...)
		}
		length += len(p)
	}
	for s.err == nil {
		if run := s.run(); len(run) > 0 {
			add(run)
			s.took(run...)
			_, _ = s.r.Discard(len(run)) // of what is buffered
			continue
		}
		switch b := s.next(); {
		case s.err != nil:
		case b == '"':
			return string(kept), length
		case b == '\\':
			var char [utf8.UTFMax]byte
			add(char[:utf8.EncodeRune(char[:], s.escape())])
		case b < ' ':
			s.fail("a control character in a string")
		default: // the first byte of a buffer that was empty
			add([]byte{b})
		}
	}
	return "", 0
}

// run returns the plain bytes of a string that are buffered next.
func (s *scanner) run() []byte {
	buffered, _ := s.r.Peek(s.r.Buffered())
	for i, b := range buffered {
		if b == '"' || b == '\\' || b < ' ' {
			return buffered[:i]
		}
	}
	return buffered
}

// escape reads an escape after its backslash.
func (s *scanner) escape() rune {
	switch b := s.next(); b {
	case '"', '\\', '/':
		return rune(b)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		return s.unicode()
	default:
		s.fail("an escape that is none")
		return 0
	}
}

func (s *scanner) unicode() rune {
	r := s.hex()
	if !utf16.IsSurrogate(r) {
		return r
	}
	// The second half of a pair, if it is there; a half alone is no character.
	if p, _ := s.r.Peek(2); string(p) != `\u` {
		return utf8.RuneError
	}
	s.next()
	s.next()
	if pair := utf16.DecodeRune(r, s.hex()); pair != utf8.RuneError {
		return pair
	}
	return utf8.RuneError
}

func (s *scanner) hex() rune {
	var r rune
	for range 4 {
		b := s.next()
		switch {
		case b >= '0' && b <= '9':
			r = r<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			s.fail("a Unicode escape that is none")
			return utf8.RuneError
		}
	}
	return r
}
