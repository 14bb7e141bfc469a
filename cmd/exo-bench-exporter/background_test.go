package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A log that nobody reads holds up nobody, and what was lost is told when somebody reads again.
func TestLogThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		log := newBackground(w)
		start := time.Now()
		for i := range maxWaiting + 10 {
			fmt.Fprintln(log, "line", i)
			synctest.Wait() // the first is on its way to the reader
		}
		log.Close()
		if took := time.Since(start); took != flushTime {
			t.Errorf("the program waits %s for what nobody reads", took)
		}
		go func() {
			<-log.done
			_ = w.Close()
		}()
		all, err := io.ReadAll(r)
		lines := strings.Split(strings.TrimSpace(string(all)), "\n")
		if err != nil || len(lines) != maxWaiting+2 || lines[0] != "line 0" || !strings.Contains(lines[1], " 9 lines of the log were lost") ||
			lines[len(lines)-1] != fmt.Sprint("line ", maxWaiting) {
			t.Errorf("%d lines, %v: %q … %q", len(lines), err, lines[:2], lines[len(lines)-1])
		}
	})
}

func TestLogIsWrittenAtTheEnd(t *testing.T) {
	var b buffer
	log := newBackground(&b)
	for range 100 {
		fmt.Fprintln(log, "a line")
	}
	log.Close()
	log.Close()
	if n := strings.Count(b.String(), "a line\n"); n != 100 {
		t.Errorf("%d lines of 100", n)
	}
}
