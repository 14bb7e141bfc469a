package sse

import "bytes"

// document is a JSON document that is none of a stream's events, which may go over several lines.
type document struct {
	open       bool
	start, end int // of what has come of it, in the decoder's buffer
	nesting    nesting
}

// continues are the bytes with which a further line of a document begins. None of a stream's own lines does.
var continues = []byte(" \t\"}],")

// documentLine takes the line buf[from:to] into the document at hand, or begins one; ok tells that it is whole.
func (d *Decoder) documentLine(from, to int) (ev Event, ok bool) {
	if !d.doc.open {
		d.doc = document{open: true, start: from}
	}
	d.doc.end = to
	if !d.doc.nesting.closes(d.buf[from:to]) {
		return Event{}, false
	}
	return d.endDocument(true), true
}

// inDocument reports whether the line buf[from:to] belongs to a document at hand.
func (d *Decoder) inDocument(from, to int) bool {
	return d.doc.open && from < to && bytes.IndexByte(continues, d.buf[from]) >= 0
}

// endDocument delivers the document at hand, whole or not.
func (d *Decoder) endDocument(complete bool) Event {
	d.doc.open = false
	kind := Bare
	if d.lines {
		kind = Data
	}
	return d.event(kind, d.doc.start, d.doc.end, complete)
}

// nesting is how deep in a JSON document one is.
type nesting struct{ depth int }

// closes takes in one line of a document and reports whether that ends it. No text goes over the end of a line.
func (n *nesting) closes(line []byte) bool {
	quoted, escaped := false, false
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
		case quoted:
			quoted, escaped = c != '"', c == '\\'
		case c == '"':
			quoted = true
		case c == '{', c == '[':
			n.depth++
		case c == '}', c == ']':
			n.depth--
		}
	}
	return n.depth <= 0
}
