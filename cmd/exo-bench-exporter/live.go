package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"exo-bench-exporter/app"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/exo/instance"
)

const (
	// barWidth is the width of a bar, and barBeside of what stands beside it and the words before, in columns.
	barWidth, barBeside = 16, 12
	// leastWords is the least room for words.
	leastWords = 20
)

// liveLine is a line at the foot of a terminal that says what goes on. What is written to it stays, above the line.
// It has no colours.
type liveLine struct {
	w     io.Writer
	width int // columns of the terminal

	mu  sync.Mutex
	bar *progressbar.ProgressBar // nil where nothing is shown
}

// newLiveLine returns a liveLine where w is a terminal that can show one, else nil.
func newLiveLine(inv invocation, w io.Writer) *liveLine {
	width := widthOf(inv.stderr)
	if width == 0 || inv.env["TERM"] == "dumb" {
		return nil
	}
	return &liveLine{w: w, width: width}
}

// Write implements io.Writer.
func (l *liveLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	return l.w.Write(p)
}

// show says what goes on and how far it is: done of total, or how far nobody knows where total is 0.
func (l *liveLine) show(words string, done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	if total == 0 {
		total = -1
	}
	l.bar = progressbar.NewOptions64(
		total, progressbar.OptionSetWriter(l.w), progressbar.OptionSetWidth(barWidth), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionUseANSICodes(true), progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionSetRenderBlankState(false), progressbar.OptionSetTheme(progressbar.ThemeASCII),
		progressbar.OptionSetDescription(shorten(words, max(leastWords, l.width-barWidth-barBeside))),
	)
	if total < 0 {
		_ = l.bar.RenderBlank()
		return
	}
	_ = l.bar.Set64(min(done, total-1)) // one that is full ends its line
}

// shorten returns the beginning of words, printable and of at most n characters.
func shorten(words string, n int) string {
	words = foreign.ID(words)
	if all := []rune(words); len(all) > n {
		return string(all[:n-1]) + "…"
	}
	return words
}

// stop takes the line away.
func (l *liveLine) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *liveLine) clear() {
	if l.bar != nil {
		_ = l.bar.Clear()
		l.bar = nil
	}
}

// follower is told how a cycle goes on.
type follower interface {
	workload.Observer
	loading(instance.Progress)
}

// live shows on a terminal how a cycle goes on: a line that changes, and above it what is over.
type live struct {
	*progress
	line   *liveLine
	tokens int // of the turn, so far
}

// follow returns what tells a person on w how a cycle goes on: line by line where line is nil.
func follow(p *progress, line *liveLine) follower {
	if line != nil {
		p.w = line
		return &live{progress: p, line: line}
	}
	return &told{p, app.Seldom(p.loading)}
}

// told is a progress that speaks of a load now and then.
type told struct {
	*progress
	seldom func(instance.Progress)
}

func (t *told) loading(p instance.Progress) { t.seldom(p) }

func (l *live) TurnStarted(model string, _ time.Time) {
	l.turn++
	l.model, l.done, l.tokens = model, 0, 0
	l.say("getting ready", 0, 0)
}

func (l *live) loading(p instance.Progress) {
	words := p.Stage
	if amount := app.LoadAmount(p); amount != "" {
		words += " " + amount
	}
	l.say(fmt.Sprintf("%s for %s", words, p.Elapsed.Round(time.Second)), int64(p.Done), int64(p.Total))
}

func (l *live) RequestDone(r workload.Result) {
	if r.OK() {
		l.done++
	} else {
		l.progress.RequestDone(r) // which stays
	}
	l.tokens += r.CountedTokens()
	l.say(fmt.Sprintf("prompt %d of %d, %d tokens", min(l.done+1, l.prompts), l.prompts, l.tokens), int64(l.done), int64(l.prompts))
}

func (l *live) CycleDone(c workload.Cycle) {
	l.line.stop()
	l.progress.CycleDone(c)
}

func (l *live) say(words string, done, total int64) {
	l.line.show(fmt.Sprintf("[%d/%d] %s: %s", l.turn, l.models, l.model, words), done, total)
}
