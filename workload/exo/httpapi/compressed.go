package httpapi

import (
	"bytes"
	"net/http"
)

// CompressedError says that an answer is compressed. Nobody asked for that, and it is not expanded: a
// stream that is collected to be compressed cannot be timed, and anything may come of a few bytes.
type CompressedError struct{ How string }

func (e *CompressedError) Error() string {
	return "compressed (" + e.How + ") though nobody asked for that: something between here and the node does it, " +
		"and collects streams for it; switch that off for the node"
}

// Compressed returns the error of an answer that is compressed, by its header or by how it begins; nil
// of one that is not.
func Compressed(h http.Header, begin []byte) *CompressedError {
	switch coding := h.Get("Content-Encoding"); {
	case coding != "" && coding != "identity":
		return &CompressedError{"Content-Encoding: " + OneLine(coding)}
	case bytes.HasPrefix(begin, []byte("\x1f\x8b")):
		return &CompressedError{"gzip, and does not say so"}
	}
	return nil
}
