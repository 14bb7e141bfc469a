package app

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"time"

	"exo-bench-exporter/workload"
)

// hostileCase is an answer that no node gives, in the place of one of a node's.
type hostileCase struct {
	name   string
	answer func(w io.Writer) // until it fails
	// get and post are how requests end, of both models where every question is answered so, and of one
	// where its prompts are.
	get, post workload.Outcome
	// words are what the reason of the turn names, in both cases.
	words string
	// most is how many bytes of an answer are taken at most; 2 MB when zero.
	most int
}

const (
	hostileHost = "exo.test:52415"
	hostileKey  = "sk-hostile-key-SECRET"
	answerHead  = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	streamHead  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
)

// says answers with these texts.
func says(texts ...string) func(io.Writer) {
	return func(w io.Writer) { _, _ = io.WriteString(w, strings.Join(texts, "")) }
}

// repeats answers with head and then with text for ever, after a pause each time.
func repeats(head, text string, pause time.Duration) func(io.Writer) {
	return func(w io.Writer) {
		_, err := io.WriteString(w, head)
		for err == nil {
			time.Sleep(pause)
			_, err = io.WriteString(w, text)
		}
	}
}

// leads answers with a redirect.
func leads(status int, to string) func(io.Writer) {
	return says(fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 1\r\n\r\nx", status, to))
}

// packed answers with 4 MB of white space in a coding, which is a thousandth of that.
func packed(status int, header string, pack func(io.Writer) io.WriteCloser) func(io.Writer) {
	var body bytes.Buffer
	z := pack(&body)
	for range 64 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<10))
	}
	_ = z.Close()
	return says(fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n", status, header, body.Len()), body.String())
}

func zipped(w io.Writer) io.WriteCloser   { return gzip.NewWriter(w) }
func deflated(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

func hostileCases() []hostileCase {
	const (
		status    = workload.OutcomeHTTPError
		protocol  = workload.OutcomeProtocolError
		none      = workload.OutcomeConnectError
		silent    = workload.OutcomeFirstTokenTimeout
		truncated = workload.OutcomeTruncated
	)
	const (
		chunked    = answerHead + "Transfer-Encoding: chunked\r\n\r\n"
		earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
	)
	manyLines := strings.Repeat("X-Hint: b\r\n", 1000)
	return []hostileCase{
		{
			"compressed (gzip, 1:1000)", packed(200, "Content-Encoding: gzip\r\n", zipped),
			status, protocol, "Content-Encoding: gzip", 0,
		},
		{
			"compressed (deflate, 1:1000)", packed(200, "Content-Encoding: deflate\r\n", deflated),
			status, protocol, "Content-Encoding: deflate", 0,
		},
		{
			"compressed twice", packed(200, "Content-Encoding: gzip, br\r\n", zipped),
			status, protocol, "Content-Encoding: gzip, br", 0,
		},
		{
			"compressed (zstd)", says(answerHead, "Content-Encoding: zstd\r\n\r\n\x28\xb5\x2f\xfd"),
			status, protocol, "Content-Encoding: zstd", 0,
		},
		{"compressed without saying so", packed(200, "", zipped), status, protocol, "gzip, and does not say so", 0},
		{
			"compressed in transfer", says(answerHead, "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
			none, protocol, "unsupported transfer", 0,
		},
		{
			"an error, compressed", packed(500, "Content-Encoding: gzip\r\n", zipped),
			status, status, "what it says is compressed", 0,
		},

		{
			"redirect to another host", leads(307, "http://169.254.169.254/latest/meta-data/"),
			status, status, "redirects are not followed", 0,
		},
		{"redirect to https", leads(308, "https://"+hostileHost+"/"), status, status, "https://exo.test", 0},
		{"redirect to a file", leads(301, "file:///etc/passwd"), status, status, "redirects are not followed", 0},
		{"redirect, relative", leads(303, "../x"), status, status, "redirects are not followed", 0},
		{
			"redirect with user and password", leads(302, "http://me:hunter2@else.test/?k=hunter2"),
			status, status, "http://else.test/;", 0,
		},
		{"redirect that names the key", leads(302, "http://else.test/"+hostileKey), status, status, "<redacted>", 0},
		{"redirect to nowhere", says("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), status, status, "HTTP 302", 0},

		{"one header for ever", repeats(answerHead+"X: ", strings.Repeat("a", 4096), 0), none, protocol, "headers exceeded", 0},
		{"headers for ever", repeats(answerHead, manyLines, 0), none, protocol, "headers exceeded", 0},
		{"100 Continue for ever", repeats("", "HTTP/1.1 100 Continue\r\n\r\n", 0), none, protocol, "headers exceeded", 0},
		{"103 Early Hints for ever", repeats("", earlyHints, 0), none, protocol, "headers exceeded", 0},
		{
			"101, another protocol", says("HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nzzz"),
			status, status, "HTTP 101", 0,
		},
		{"trailers for ever", repeats(chunked+"0\r\n", manyLines, 0), none, truncated, "trailer", 0},
		{
			"chunk extensions for ever", repeats(chunked, "1;x="+strings.Repeat("y", 3000)+"\r\n \r\n", 0),
			none, truncated, "chunk", 0,
		},
		{
			"two lengths", says(answerHead, "Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}   "),
			none, protocol, "Content-Length", 0,
		},
		{"no HTTP", says("hello there\n"), none, protocol, "malformed HTTP", 0},
		{"an error for ever", repeats("HTTP/1.1 500 X\r\n\r\n", strings.Repeat("e", 4096), 0), status, status, "HTTP 500", 0},
		{
			"one line of a stream for ever", repeats(streamHead+"data: ", strings.Repeat("x", 64<<10), 0),
			status, protocol, "", 20 << 20,
		},

		{"a header, byte by byte", repeats("HTTP/1.1 200 OK\r\nX: ", "a", 500*time.Millisecond), none, silent, "", 0},
		{"an answer, byte by byte", repeats(answerHead+"\r\n", " ", 500*time.Millisecond), none, silent, "", 0},
		{"a stream, byte by byte", repeats(streamHead, ":\n", 500*time.Millisecond), none, silent, "", 0},
	}
}

const hostileHead = `## Answers that no node gives

Something else than a node answers: a proxy, an attacker. [hostile_test.go](../app/hostile_test.go) has it answer every question
of the exporter (*questions*), or the prompts to one model (*prompts*), and holds that the requests end so, that little of the
answer is taken, that nobody else is called, that the key is shown nowhere, and that the other model is measured beside (*prompts*)
and both afterwards.

| answer | questions | prompts |
| --- | --- | --- |
`

// hostilePage returns the part of docs/faults.md about hostile answers.
func hostilePage() string {
	var b strings.Builder
	b.WriteString(hostileHead)
	for _, c := range hostileCases() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.name, c.get, c.post)
	}
	return b.String()
}
