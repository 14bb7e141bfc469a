package sse

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// naive is the decoder as one would write it with the whole stream at hand.
func naive(stream string) []string {
	stream = strings.TrimPrefix(stream, "\xEF\xBB\xBF")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	var got, data, doc []string
	depth := 0
	for i, line := range lines {
		last := i == len(lines)-1 // what follows the last line end
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		if line != "" && (line[0] == '{' && doc == nil || strings.ContainsAny(line[:1], " \t\"}],") && doc != nil) {
			doc = append(doc, line)
			if depth += deeper(line); depth <= 0 {
				got = append(got, render(Bare, !last, strings.Join(doc, "\n")))
				doc, depth = nil, 0
			}
			continue
		}
		if doc != nil {
			got = append(got, render(Bare, !last, strings.Join(doc, "\n")))
			doc, depth = nil, 0
			if line != "" && line[0] == '{' {
				doc = []string{line}
				if depth = deeper(line); depth <= 0 {
					got = append(got, render(Bare, !last, line))
					doc, depth = nil, 0
				}
				continue
			}
		}
		switch {
		case line == "":
			if len(data) > 0 {
				got = append(got, render(Data, !last, strings.Join(data, "\n")))
				data = nil
			}
		case field == "":
			got = append(got, render(Comment, !last, value))
		case field == "error":
			got = append(got, render(Fault, !last, value))
		case field == "data":
			data = append(data, value)
		}
	}
	if doc != nil {
		got = append(got, render(Bare, false, strings.Join(doc, "\n")))
	}
	if len(data) > 0 {
		got = append(got, render(Data, false, strings.Join(data, "\n")))
	}
	return got
}

// texts are what is quoted in a line of JSON, to its end where the quotation does not end.
var texts = regexp.MustCompile(`"(\\.|[^"\\])*("|\\?$)`)

// deeper returns by how many a line of JSON opens more brackets than it closes.
func deeper(line string) (n int) {
	for _, c := range texts.ReplaceAllString(line, "") {
		switch c {
		case '{', '[':
			n++
		case '}', ']':
			n--
		}
	}
	return n
}

// splits cuts stream into reads whose sizes are the bytes of sizes, over and over.
func splits(stream string, sizes []byte) []string {
	var out []string
	for i := 0; stream != ""; i++ {
		n := len(stream)
		if len(sizes) > 0 {
			n = min(n, 1+int(sizes[i%len(sizes)]))
		}
		out = append(out, stream[:n])
		stream = stream[n:]
	}
	return out
}

// FuzzDecoder compares the decoder with the naive one and wants the same whatever the reads.
func FuzzDecoder(f *testing.F) {
	for _, s := range []string{
		"data: a\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "\xEF\xBB\xBF: c\rdata\rdata:x\r\r", ":\n:\ndata",
		"event: e\ndata: 1\n: c\ndata: 2\n\n\n",
		": keep-alive\n\ndata: " + chunk + "\n\ndata: [DONE]\n\n", "data: a\r", "\r\n\r\n", "\xEF\xBB", "data:\n\n\ndata: \n\r\r\n",
		"{\n  \"error\": {\n  \"message\": \"a }\"\n }\n}\n\ndata: a\n{\r\n\"b\":[\r\n]}\rdata: c\n\n{\n{}\n{\n \ndata: d\n\n{\"\n\"",
		"error: a\nerror\nerrors: b\ndata: a\n{\"error\":1}\ndata: b\n\n{}\r\n{",
	} {
		f.Add(s, []byte{0})
		f.Add(s, []byte{2, 0, 6})
		f.Add(s, []byte(nil))
	}
	f.Fuzz(func(t *testing.T, stream string, sizes []byte) {
		want := naive(stream)
		d := NewDecoder(&reads{chunks: splits(stream, sizes)}, 0)
		d.buf = d.buf[:16] // so that the buffer moves and grows
		got, err := collect(t, d)
		if err != io.EOF {
			t.Errorf("ended with %v, want EOF", err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("stream %q read as %v:\n got %q\nwant %q", stream, sizes, got, want)
		}
	})
}
