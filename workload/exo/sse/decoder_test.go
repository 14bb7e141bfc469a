package sse

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// reads yields its chunks one Read each, then err (io.EOF when nil).
type reads struct {
	chunks []string
	err    error
}

func (r *reads) Read(p []byte) (int, error) {
	if len(r.chunks) == 0 {
		if r.err == nil {
			return 0, io.EOF
		}
		return 0, r.err
	}
	n := copy(p, r.chunks[0])
	if r.chunks[0] = r.chunks[0][n:]; r.chunks[0] == "" {
		r.chunks = r.chunks[1:]
	}
	return n, nil
}

// collect reads d to its end and renders the events one a line.
func collect(t testing.TB, d *Decoder) ([]string, error) {
	t.Helper()
	var got []string
	for {
		ev, err := d.Next()
		if err != nil {
			if _, again := d.Next(); again != err {
				t.Errorf("Next after its error %v returned %v, want the same", err, again)
			}
			return got, err
		}
		if ev.Time.IsZero() {
			t.Errorf("event %q has no time", ev.Data)
		}
		got = append(got, render(ev.Kind, ev.Complete, string(ev.Data)))
	}
}

func render(k Kind, complete bool, data string) string {
	s := map[Kind]string{Data: "data", Comment: "comment", Bare: "bare", Fault: "fault"}[k]
	if !complete {
		s += " cut"
	}
	return fmt.Sprintf("%s %q", s, strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")) // a document's line ends
}

func TestDecoder(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"one event", "data: a\n\n", []string{`data "a"`}},
		{
			"a document by itself", "data: a\n\n{\"error\": 1}\ndata: b\n\n{",
			[]string{`data "a"`, `bare "{\"error\": 1}"`, `data "b"`, `bare cut "{"`},
		},
		{
			"a document over several lines", "data: a\n\n{\n  \"error\": {\n    \"message\": \"b } [\\\"\"\n  }\n}\n\ndata: c\n\n",
			[]string{`data "a"`, `bare "{\n  \"error\": {\n    \"message\": \"b } [\\\"\"\n  }\n}"`, `data "c"`},
		},
		{
			"a document that breaks off", "{\n \"a\":\ndata: b\n\n{\n\n{}\n{\n",
			[]string{`bare "{\n \"a\":"`, `data "b"`, `bare "{"`, `bare "{}"`, `bare cut "{"`},
		},
		{"a document within an event", "data: a\n{\n}\ndata: b\n\n", []string{`bare "{\n}"`, `data "a\nb"`}},
		{"an error's field", "data: a\nerror: b\ndata: c\n\nerrors: d\n", []string{`fault "b"`, `data "a\nc"`}},
		{"no space after the colon", "data:a\n\n", []string{`data "a"`}},
		{"only one space is taken off", "data:  a \n\n", []string{`data " a "`}},
		{"no colon", "data\n\n", []string{`data ""`}},
		{"two lines", "data: a\ndata: b\n\n", []string{`data "a\nb"`}},
		{"empty lines of data", "data\ndata\ndata:\n\n", []string{`data "\n\n"`}},
		{"CRLF", "data: a\r\ndata: b\r\n\r\n", []string{`data "a\nb"`}},
		{"CR", "data: a\rdata: b\r\r", []string{`data "a\nb"`}},
		{"mixed line ends", "data: a\rdata: b\n\r\ndata: c\r\n\n", []string{`data "a\nb"`, `data "c"`}},
		{"byte order mark", "\xEF\xBB\xBFdata: a\n\n", []string{`data "a"`}},
		{"byte order mark later is part of the field name", "\n\xEF\xBB\xBFdata: a\n\n", nil},
		{"other fields", "event: x\nid: 1\nretry: 5\ndatabase: y\ndata: a\nfoo\n\n", []string{`data "a"`}},
		{"fields without data make no event", "event: x\nid: 1\n\n", nil},
		{"comments", ": keep-alive\n\n:\n:x\ndata: a\n\n", []string{`comment "keep-alive"`, `comment ""`, `comment "x"`, `data "a"`}},
		{"comment inside an event", "data: a\n: c\ndata: b\n\n", []string{`comment "c"`, `data "a\nb"`}},
		{"no blank line at the end", "data: a\n\ndata: b\n", []string{`data "a"`, `data cut "b"`}},
		{"no line end at the end", "data: a\n\ndata: b", []string{`data "a"`, `data cut "b"`}},
		{"cut comment after data", "data: a\n: b", []string{`comment cut "b"`, `data cut "a"`}},
		{"CR at the very end", "data: a\r\r", []string{`data "a"`}},
		{"NUL and UTF-8 pass", "data: \x00é\U0001F600\n\n", []string{`data "\x00é😀"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"whole":         strings.NewReader(tc.in),
				"byte by byte":  iotest.OneByteReader(strings.NewReader(tc.in)),
				"data with EOF": iotest.DataErrReader(strings.NewReader(tc.in)),
			} {
				got, err := collect(t, NewDecoder(r, 0))
				if err != io.EOF {
					t.Errorf("%s: ended with %v, want EOF", name, err)
				}
				if strings.Join(got, "|") != strings.Join(tc.want, "|") {
					t.Errorf("%s: got %q, want %q", name, got, tc.want)
				}
			}
		})
	}
}

func TestDecoderPassesReadErrorsOn(t *testing.T) {
	for _, want := range []error{io.ErrUnexpectedEOF, syscall.ECONNRESET} {
		d := NewDecoder(&reads{chunks: []string{"data: a\n\ndata: b\n"}, err: want}, 0)
		got, err := collect(t, d)
		if !errors.Is(err, want) {
			t.Errorf("ended with %v, want %v", err, want)
		}
		if strings.Join(got, "|") != `data "a"` {
			t.Errorf("got %q: what was complete must come, what was not must not", got)
		}
	}
}

func TestDecoderGivesUpOnAReaderThatReadsNothing(t *testing.T) {
	stuck := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := NewDecoder(stuck, 0).Next(); err != io.ErrNoProgress {
		t.Errorf("got %v, want io.ErrNoProgress", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestDecoderBound(t *testing.T) {
	const limit = 64 << 10
	fits := "data: " + strings.Repeat("x", limit-len("data: \n\n")) + "\n\n"
	for _, tc := range []struct {
		name, in string
		want     error
	}{
		{"an event of the bound", fits, io.EOF},
		{"many events of the bound", strings.Repeat(fits, 5), io.EOF},
		{"a line beyond it", "data: " + strings.Repeat("x", limit), ErrTooLong},
		{"a comment beyond it", ": " + strings.Repeat("x", limit), ErrTooLong},
		{"an unknown field beyond it", strings.Repeat("x", limit+1), ErrTooLong},
		{"many lines of data beyond it", strings.Repeat("data: xxxxxxxxxxxxxxxx\n", limit/16), ErrTooLong},
		{"any number of other lines", strings.Repeat("id: xxxxxxxxxxxxxxxxx\n", limit), io.EOF},
		{"data, then any number of other lines", "data: a\n" + strings.Repeat("id: xxxxxxxxxxxxxxxxx\n", limit), io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := NewDecoder(strings.NewReader(tc.in), limit)
			_, err := collect(t, d)
			if !errors.Is(err, tc.want) {
				t.Errorf("ended with %v, want %v", err, tc.want)
			}
			if cap(d.buf) > limit {
				t.Errorf("the buffer grew to %d bytes, beyond the bound of %d", cap(d.buf), limit)
			}
		})
	}
	if _, err := NewDecoder(strings.NewReader("data: "+strings.Repeat("x", 1<<20)+"\n\n"), 0).Next(); err != nil {
		t.Errorf("a line of 1 MiB with the default bound: %v", err)
	}
}

// An event's time is that of the Read that completed it, whatever the reader of events does
// in between.
func TestDecoderTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		pr, pw := io.Pipe()
		go func() {
			for _, part := range []string{"data: a\n\nda", "ta: b\n", "\n: c\ndata: d\n\n"} {
				<-time.After(10 * time.Millisecond)
				_, _ = io.WriteString(pw, part)
			}
			<-time.After(10 * time.Millisecond)
			_ = pw.Close()
		}()
		d := NewDecoder(pr, 0)
		for _, want := range []struct {
			data string
			at   time.Duration
		}{{"a", 10 * time.Millisecond}, {"b", 30 * time.Millisecond}, {"c", 30 * time.Millisecond}, {"d", 30 * time.Millisecond}} {
			ev, err := d.Next()
			if err != nil {
				t.Fatal(err)
			}
			if string(ev.Data) != want.data || ev.Time.Sub(start) != want.at {
				t.Errorf("got %q at %v, want %q at %v", ev.Data, ev.Time.Sub(start), want.data, want.at)
			}
		}
		if _, err := d.Next(); err != io.EOF {
			t.Errorf("got %v, want EOF", err)
		}
	})
}

func TestDecoderAllocatesNothing(t *testing.T) {
	const runs = 1000
	stream := strings.Repeat(": keep-alive\n\ndata: "+chunk+"\n\ndata: a\ndata: b\n\n", runs+1)
	for name, r := range map[string]io.Reader{
		"large reads": strings.NewReader(stream),
		"small reads": &sips{r: strings.NewReader(stream)},
	} {
		d := NewDecoder(r, 0)
		if n := testing.AllocsPerRun(runs, func() {
			for range 3 {
				if _, err := d.Next(); err != nil {
					t.Fatal(err)
				}
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for three events, want none", name, n)
		}
	}
}

// sips reads at most 64 bytes at a time.
type sips struct{ r io.Reader }

func (h *sips) Read(p []byte) (int, error) { return h.r.Read(p[:min(len(p), 64)]) }

// Lines are events of their own, and each knows by which read it came.
func TestLineDecoder(t *testing.T) {
	type event struct {
		data     string
		read     int
		complete bool
	}
	d := NewLineDecoder(&reads{chunks: []string{
		"{\"a\":1}\n{\"b\"", ":2}\r\n\n", "data: {\"c\":3}\n{\n \"d\":", "5\n}\n{\"e\":\n{\"f\":6}\n{\"d\":4}",
	}}, 0)
	var got []event
	for {
		ev, err := d.Next()
		if err != nil {
			break
		}
		got = append(got, event{string(ev.Data), ev.Read, ev.Complete})
	}
	want := []event{
		{`{"a":1}`, 1, true},
		{`{"b":2}`, 2, true},
		{`data: {"c":3}`, 3, true},
		{"{\n \"d\":5\n}", 4, true},
		{`{"e":`, 4, true},
		{`{"f":6}`, 4, true},
		{`{"d":4}`, 5, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
