package exo1

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// streamSink is the sink of a streamed answer.
type streamSink struct {
	*wire.SSE
	q *request
}

// Progress implements pace.Sink.
func (s *streamSink) Progress(done, total int) error {
	s.q.node.event()
	return s.Send(wire.Progress(s.q.model, done, total))
}

// Token implements pace.Sink.
func (s *streamSink) Token(g *pace.Generation, t pace.Token) error {
	s.q.node.event()
	var u *wire.Usage
	if t.Finish != "" {
		u = s.q.usage()
	}
	before := time.Now()
	if err := s.Send(wire.DataEvent(wire.Chunk(s.q.node.opts.Variant, s.q.id, s.q.model, before, t, u))); err != nil {
		return err
	}
	g.Record.Wrote(before, time.Now())
	return nil
}

// stream answers with a stream.
func (q *request) stream(w http.ResponseWriter, r *http.Request) {
	events, err := wire.StartStream(w)
	s := &streamSink{events, q}
	q.Out = s
	q.Sent()
	if err != nil {
		q.leave(err)
		return
	}
	release := q.fault.Hold(events)
	err = q.run(r.Context())
	defer q.linger(r.Context(), events)
	defer release()
	breakOff(w, err)
	var a *pace.Interruption
	switch {
	case err == nil:
		s.finish()
	case errors.As(err, &a) && !a.Silent:
		if s.Send(wire.DataEvent(wire.StreamError(q.node.opts.Variant, a.Event))) == nil {
			_ = s.Done()
		}
	}
}

// linger keeps a stream open behind its end when a fault wants it.
func (q *request) linger(client context.Context, s *wire.SSE) {
	if q.fault == nil || q.fault.Kind != faults.Lingers {
		return
	}
	ctx, cancel := q.node.With(client)
	defer cancel()
	for left := pace.Seconds(cmp.Or(q.fault.Seconds, math.MaxInt32)); left > 0; left -= pace.KeepAliveEvery {
		if pace.SleepUntil(ctx, q.Clock.After(min(left, pace.KeepAliveEvery))) != nil || s.KeepAlive() != nil {
			return
		}
	}
}

// finish sends what follows the last token.
func (s *streamSink) finish() {
	q := s.q
	if q.Answer.Length == 0 && s.Send(wire.DataEvent(wire.EmptyChunk(q.node.opts.Variant, q.id, q.model, time.Now(), q.usage()))) != nil {
		return
	}
	figures := wire.Stats[wire.MemorySnake]{
		PromptTPS: q.PromptTPS, GenerationTPS: q.DecodeTPS(),
		PromptTokens: q.Prompt.Tokens, GenerationTokens: q.Answer.Length,
		PeakMemoryUsage: wire.MemorySnake{InBytes: q.peakMemory()}, PrefixCacheHit: q.hit,
	}
	if s.Send(wire.Comment("generation_stats", wire.Encode(figures))) == nil {
		_ = s.Done()
	}
}
