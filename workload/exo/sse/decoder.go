// Package sse decodes a stream of server-sent events, or of lines, for measurement: every event
// carries the moment at which its last byte was read and the number of that read, and decoding
// one allocates nothing.
package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// DefaultMax is the bound on one event that NewDecoder uses when it is given none, in bytes.
const DefaultMax = 16 << 20

// ErrTooLong is returned when an event or a line does not fit the decoder's bound.
var ErrTooLong = errors.New("event is longer than the bound")

const (
	initialBuffer = 8 << 10
	maxEmptyReads = 100
	maxType       = 32
)

var (
	byteOrderMark = []byte("\xEF\xBB\xBF")
	fieldData     = []byte("data")
	fieldEvent    = []byte("event")
	fieldError    = []byte("error")
)

// Kind tells a data event from a comment.
type Kind uint8

// The kinds of event. Fields other than data and event are legal in a stream and are passed over.
const (
	Data    Kind = iota // the data lines of one event, joined by line feeds
	Comment             // one line that began with a colon
	Bare                // a JSON document without a field name, of one line or several, which is none of a stream's
	Fault               // the value of a field "error", which is none either: llama.cpp's server writes it
)

// Event is one event of a stream.
type Event struct {
	Kind Kind
	// Data is what follows the field name, without one leading space. It is valid until the
	// next call of Next.
	Data []byte
	// Type is the value of the event field, cut at 32 bytes; empty stands for "message". It is valid
	// until the next call of Next.
	Type []byte
	// Time is when the Read that completed the event returned, before anything was parsed.
	Time time.Time
	// Read is the number of that Read, from 1 on: events with the same number came together.
	Read int
	// Complete is false for what the end of the stream cut off: an event without its blank
	// line, or a comment without its line end.
	Complete bool
}

// Decoder reads events as the WHATWG HTML standard defines them: lines end in LF, CR or
// CRLF, and a byte order mark at the start is passed over. It is not safe for concurrent use.
type Decoder struct {
	r     io.Reader
	max   int
	lines bool // every document, and every other line with something in it, is an event
	buf   []byte

	start   int // first byte of the line at hand
	scanned int // bytes before it are known to hold no line end
	end     int // end of what was read

	dataStart, dataEnd int // data of the event at hand, in buf before start
	hasData            bool

	doc document // at hand, which is not whole yet

	kind    [maxType]byte // type of the event at hand
	kindLen int

	skipLF  bool // the last line ended in CR, so a LF that follows belongs to it
	started bool // a line was seen, so no byte order mark can follow
	stamp   time.Time
	reads   int
	err     error // what the last Read returned; reported once everything before it is delivered
}

// NewDecoder returns a Decoder of r. An event, with the line ends and field names that are
// still buffered with it, may take up to limit bytes (DefaultMax when limit is not positive);
// the decoder's memory never grows past that.
func NewDecoder(r io.Reader, limit int) *Decoder {
	if limit <= 0 {
		limit = DefaultMax
	}
	return &Decoder{r: r, max: limit, buf: make([]byte, min(initialBuffer, limit))}
}

// NewLineDecoder returns a Decoder of r for which every JSON document, usually one a line, is a data event,
// and so is every other line that is not empty. The limit is that of NewDecoder.
func NewLineDecoder(r io.Reader, limit int) *Decoder {
	d := NewDecoder(r, limit)
	d.lines = true
	return d
}

// Next returns the next event, whatever its kind. After the last one it returns io.EOF, or the
// error of the reader as it came: what was complete before a failed read is delivered first,
// what was not is dropped. At a plain io.EOF the remainder is delivered as an event that is
// not Complete. An event beyond the bound gives an error that wraps ErrTooLong. Once Next
// has failed it goes on returning the same error.
func (d *Decoder) Next() (Event, error) {
	for {
		if from, to, ok := d.line(); ok {
			if ev, ok := d.take(from, to); ok {
				return ev, nil
			}
			continue
		}
		if d.err == nil {
			d.fill()
			continue
		}
		if errors.Is(d.err, io.EOF) {
			if ev, ok := d.remainder(); ok {
				return ev, nil
			}
		}
		return Event{}, d.err
	}
}

// Peek reads until something other than white space has come, and returns what is there without
// taking it: nothing at the end of the stream or when the read fails.
func (d *Decoder) Peek() []byte {
	for d.err == nil && len(bytes.TrimSpace(d.buf[d.start:d.end])) == 0 && d.end-d.start < len(d.buf)/2 {
		d.fill()
	}
	return bytes.TrimLeft(bytes.TrimPrefix(d.buf[d.start:d.end], byteOrderMark), " \t\r\n")
}

// Rest returns a reader of everything that no event was made of yet. The Decoder must not be used
// any more.
func (d *Decoder) Rest() io.Reader {
	return io.MultiReader(bytes.NewReader(d.buf[d.start:d.end]), d.r)
}

// line finds the bounds in buf of the next line, without its end.
func (d *Decoder) line() (from, to int, ok bool) {
	if d.skipLF && d.start < d.end {
		d.skipLF = false
		if d.buf[d.start] == '\n' {
			d.start++
			d.scanned = d.start
		}
	}
	rest := d.buf[d.scanned:d.end]
	i := bytes.IndexByte(rest, '\n')
	if i >= 0 {
		rest = rest[:i]
	}
	if j := bytes.IndexByte(rest, '\r'); j >= 0 {
		i = j
		d.skipLF = true
	}
	if i < 0 {
		d.scanned = d.end
		return 0, 0, false
	}
	from, to = d.start, d.scanned+i
	d.start = to + 1
	d.scanned = d.start
	return from, to, true
}

// take processes the line buf[from:to]; ok tells that it completed an event.
func (d *Decoder) take(from, to int) (ev Event, ok bool) {
	if !d.started {
		d.started = true
		if bytes.HasPrefix(d.buf[from:to], byteOrderMark) {
			from += len(byteOrderMark)
		}
	}
	switch {
	case d.inDocument(from, to), !d.doc.open && from < to && d.buf[from] == '{':
		return d.documentLine(from, to)
	case d.doc.open: // and broken off: the line comes after it
		d.start, d.scanned = from, from
		return d.endDocument(true), true
	case d.lines:
		return d.event(Data, from, to, true), from < to
	case from == to:
		return d.dispatch(true)
	case d.buf[from] == ':':
		return d.event(Comment, d.value(from+1, to), to, true), true
	case d.buf[from] == 'e':
		if at, ok := d.named(fieldError, from, to); ok {
			return d.event(Fault, at, to, true), true
		}
	}
	d.field(from, to)
	return Event{}, false
}

// field takes the value of a data or event line into the event at hand and passes over other
// fields.
func (d *Decoder) field(from, to int) {
	if at, ok := d.named(fieldEvent, from, to); ok {
		d.kindLen = copy(d.kind[:], d.buf[at:to])
		return
	}
	from, ok := d.named(fieldData, from, to)
	if !ok {
		return
	}
	if !d.hasData { // the usual case is a single line: it stays where it was read
		d.hasData = true
		d.dataStart, d.dataEnd = from, to
		return
	}
	// There is room: the previous line's end and this line's field name lie in between.
	d.buf[d.dataEnd] = '\n'
	d.dataEnd += 1 + copy(d.buf[d.dataEnd+1:], d.buf[from:to])
}

// named returns where the value of a line begins whose field has the given name.
func (d *Decoder) named(field []byte, from, to int) (value int, ok bool) {
	if !bytes.HasPrefix(d.buf[from:to], field) {
		return 0, false
	}
	from += len(field)
	if from == to {
		return to, true
	}
	return d.value(from+1, to), d.buf[from] == ':' // else it is a longer field name
}

// value passes over the one space that may stand between a colon and a value.
func (d *Decoder) value(from, to int) int {
	if from < to && d.buf[from] == ' ' {
		from++
	}
	return from
}

// dispatch ends the event at hand; ok is false when it has no data, which makes it none.
func (d *Decoder) dispatch(complete bool) (ev Event, ok bool) {
	kind := d.kind[:d.kindLen:d.kindLen]
	d.kindLen = 0
	if !d.hasData {
		return Event{}, false
	}
	d.hasData = false
	ev = d.event(Data, d.dataStart, d.dataEnd, complete)
	ev.Type = kind
	return ev, true
}

func (d *Decoder) event(k Kind, from, to int, complete bool) Event {
	return Event{Kind: k, Data: d.buf[from:to:to], Time: d.stamp, Read: d.reads, Complete: complete}
}

// remainder delivers what the end of the stream cut off: first the last line, then a document, then the event.
func (d *Decoder) remainder() (ev Event, ok bool) {
	if d.start < d.end {
		from := d.start
		d.start = d.end
		if ev, ok = d.take(from, d.end); ok {
			ev.Complete = false
			return ev, true
		}
	}
	if d.doc.open {
		return d.endDocument(false), true
	}
	return d.dispatch(false)
}

// fill makes room and reads once; the time is taken before anything else is done.
func (d *Decoder) fill() {
	if !d.makeRoom() {
		d.err = fmt.Errorf("%w of %d bytes", ErrTooLong, d.max)
		return
	}
	for range maxEmptyReads {
		n, err := d.r.Read(d.buf[d.end:])
		d.stamp = time.Now()
		d.reads++
		d.end += n
		d.err = err
		if n > 0 || err != nil {
			return
		}
	}
	d.err = io.ErrNoProgress
}

// makeRoom moves what is still needed to the front of a full buf, and doubles buf when that
// does not help; false when it must not grow any more.
func (d *Decoder) makeRoom() bool {
	from := d.start // of what is needed besides the data
	if d.doc.open {
		from = d.doc.start
	}
	if from == d.end && !d.hasData {
		d.start, d.scanned, d.end = 0, 0, 0
	}
	if d.end < len(d.buf) {
		return true
	}
	kept := 0
	if d.hasData {
		kept = d.dataEnd - d.dataStart
		if d.dataStart > 0 {
			copy(d.buf, d.buf[d.dataStart:d.dataEnd])
			d.dataStart, d.dataEnd = 0, kept
		}
	}
	d.end = kept + copy(d.buf[kept:], d.buf[from:d.end])
	by := from - kept
	d.start, d.scanned, d.doc.start, d.doc.end = d.start-by, d.end, d.doc.start-by, d.doc.end-by
	if d.end < len(d.buf) {
		return true
	}
	if len(d.buf) >= d.max {
		return false
	}
	buf := make([]byte, min(2*len(d.buf), d.max))
	copy(buf, d.buf[:d.end])
	d.buf = buf
	return true
}
