package sse

import (
	"bufio"
	"bytes"
	"io"
	"testing"
	"time"
)

// chunk is one token as exo 1.x sends it.
const chunk = `{"id":"5d2c8f0e-0000-4000-8000-000000000001","object":"chat.completion","created":1795448518,` +
	`"model":"mlx-community/Llama-3.2-1B-Instruct-4bit","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}`

var stream = bytes.Repeat([]byte("data: "+chunk+"\n\n"), 1000)

func decodeAll(b *testing.B) {
	d := NewDecoder(bytes.NewReader(stream), 0)
	for n := 0; ; n++ {
		if _, err := d.Next(); err == io.EOF {
			if n != 1000 {
				b.Fatalf("%d events, want 1000", n)
			}
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// scanAll finds the same lines with bufio.Scanner, without times, joining or comments.
func scanAll(b *testing.B) {
	sc := bufio.NewScanner(bytes.NewReader(stream))
	n := 0
	for sc.Scan() {
		if bytes.HasPrefix(sc.Bytes(), []byte("data: ")) {
			n++
		}
	}
	if n != 1000 {
		b.Fatalf("%d events, want 1000", n)
	}
}

func BenchmarkDecoder(b *testing.B) {
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		decodeAll(b)
	}
}

// BenchmarkRatio runs both in turn, so that both meet the same load on the machine, and
// reports how many times a bufio.Scanner's time the decoder takes.
func BenchmarkRatio(b *testing.B) {
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		decodeAll(b)
		middle := time.Now()
		scanAll(b)
		ours += middle.Sub(start)
		theirs += time.Since(middle)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "×Scanner")
}
