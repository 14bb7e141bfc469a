// Package conformance holds the client and the simulator against what real nodes of exo
// sent: the client must report what is in each recording, and the simulator, asked the same,
// must answer with the same documents but for ids, texts and numbers.
package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// versions are those of exo 1.x that were recorded.
var versions = []string{"v1.0.71", "head"}

// transcript is one answer of a real node.
type transcript struct {
	name  string
	raw   []byte
	reads []read
	body  []byte // without framing
	head  head
}

// read is what one read of the recorder gave: when, since the request was written, and how
// many bytes.
type read struct {
	at    time.Duration
	bytes int
}

// head is the head of an answer.
type head struct {
	status  string   // the line, version included
	headers []string // names as they were written, sorted
	values  textproto.MIMEHeader
}

func load(t *testing.T, version, name string) transcript {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", version, name))
	if err != nil {
		t.Fatal(err)
	}
	tr := transcript{name: version + "/" + name, raw: raw}
	if strings.HasSuffix(name, ".json") {
		tr.body = raw
		return tr
	}
	tr.head, tr.body = split(t, raw)
	if times, err := os.ReadFile(filepath.Join("testdata", version, name+".times")); err == nil {
		tr.reads = parseTimes(t, string(times))
	}
	return tr
}

func parseTimes(t *testing.T, text string) (reads []read) {
	t.Helper()
	for line := range strings.Lines(text) {
		var seconds float64
		var r read
		if _, err := fmt.Sscan(line, &seconds, &r.bytes); err != nil {
			continue // the last line, in words
		}
		r.at = time.Duration(seconds * float64(time.Second))
		reads = append(reads, r)
	}
	return reads
}

// split takes an answer apart.
func split(t *testing.T, raw []byte) (h head, body []byte) {
	t.Helper()
	text, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("no head in %.100q", raw)
	}
	status, fields, _ := strings.Cut(string(text), "\r\n")
	h = head{status: status, values: textproto.MIMEHeader{}}
	for line := range strings.SplitSeq(fields, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		h.headers = append(h.headers, name)
		h.values.Add(name, value)
	}
	slices.Sort(h.headers)
	if h.values.Get("Transfer-Encoding") == "chunked" {
		if plain, _, ok := dechunk(body); ok {
			body = plain
		}
	}
	return h, body
}

// dechunk takes chunked framing off, and says for each byte of the body where in framed it
// was; false when framed ends inside the framing or has none.
func dechunk(framed []byte) (body []byte, offsets []int, ok bool) {
	for at := 0; ; {
		line := bytes.Index(framed[at:], []byte("\r\n"))
		if line < 0 {
			return body, offsets, false
		}
		size, err := strconv.ParseInt(string(framed[at:at+line]), 16, 32)
		start := at + line + 2
		end := start + int(size)
		if err != nil || end+2 > len(framed) {
			return body, offsets, false
		}
		if size == 0 {
			return body, offsets, true
		}
		body = append(body, framed[start:end]...)
		for i := start; i < end; i++ {
			offsets = append(offsets, i)
		}
		at = end + 2
	}
}

// asked is what a .request asked for.
type asked struct {
	path string
	body []byte
	chat struct {
		Model     string
		MaxTokens int `json:"max_tokens"`
		Stream    bool
		Messages  []struct{ Role, Content string }
	}
}

func loadRequest(t *testing.T, version, name string) asked {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", version, name+".request"))
	if err != nil {
		t.Fatal(err)
	}
	line, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	var a asked
	if fields := strings.Fields(string(line)); ok && len(fields) > 1 {
		a.path = fields[1]
	}
	a.body = body
	if err := json.Unmarshal(body, &a.chat); err != nil || a.path == "" {
		t.Fatalf("request of %s: %v", name, err)
	}
	return a
}

// event is one event of a stream: its kind, and its document if it has one.
type event struct {
	kind string
	doc  []byte
	end  int // offset of its last byte in the body
}

// events takes a stream apart.
func events(body []byte) (all []event) {
	at := 0
	for block := range bytes.SplitAfterSeq(body, []byte("\n\n")) {
		at += len(block)
		text := strings.TrimSpace(string(block))
		if text == "" {
			continue
		}
		e := event{end: at - 1}
		switch comment, isComment := strings.CutPrefix(text, ": "); {
		case isComment:
			kind, doc, _ := strings.Cut(comment, " ")
			e.kind, e.doc = kind, []byte(doc)
		case text == "data: [DONE]":
			e.kind = "done"
		default:
			e.doc = []byte(strings.TrimPrefix(text, "data: "))
			e.kind = kindOf(e.doc)
		}
		all = append(all, e)
	}
	return all
}

// kindOf tells the data events apart.
func kindOf(doc []byte) string {
	var d struct {
		Error   *json.RawMessage
		Type    string
		Choices []struct {
			FinishReason *string `json:"finish_reason"`
			Delta        struct {
				Reasoning *string `json:"reasoning_content"`
			}
		}
	}
	switch err := json.Unmarshal(doc, &d); {
	case err != nil:
		return "no JSON"
	case d.Error != nil:
		return "error"
	case d.Type != "":
		return d.Type
	case len(d.Choices) == 1 && d.Choices[0].FinishReason != nil:
		return "last token"
	case len(d.Choices) == 1 && d.Choices[0].Delta.Reasoning != nil:
		return "thought"
	}
	return "token"
}

// afterHead returns what follows the head of an answer.
func afterHead(raw []byte) []byte {
	_, rest, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return rest
}
