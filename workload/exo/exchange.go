package exo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
	"exo-bench-exporter/workload/stall"
)

// exchange is one request on the wire, from connecting to the end of the answer.
type exchange struct {
	api       *httpapi.Client
	transport http.RoundTripper
	dialect   dialect
	route     route
	body      any
	timeouts  Timeouts
	document  bool                 // the answer is known to come as one JSON document
	answered  bool                 // an answer came as one document
	warn      func(string, ...any) // says once what is odd about the node
	inflight  *atomic.Int32
	watcher   *stall.Watcher
	log       *slog.Logger

	rec   *record
	guard *guard
	trace *connTrace
}

// put puts the request and returns its Result; refused is the answer that came in the place of one
// with status 200, nil where none did.
func (x *exchange) put(ctx context.Context) (res workload.Result, refused *refusal) {
	x.inflight.Add(1)
	defer x.inflight.Add(-1)
	ctx, guard := newGuard(ctx, x.timeouts)
	defer guard.stop()
	x.guard = guard
	x.trace = &connTrace{connected: func() { guard.connected(x.timeouts.FirstToken) }}
	if x.document {
		guard.untimed()
	}
	req, err := x.api.NewRequest(httptrace.WithClientTrace(ctx, x.trace.hooks()), http.MethodPost, x.route.path, x.body)
	if err != nil {
		return x.rec.fail(workload.OutcomeProtocolError, err.Error()), nil
	}
	req.Header.Set("Accept", x.dialect.traits().framing.media+", application/json")
	req.Close = true // a connection of its own: exo 1.x closes it after each stream anyway

	x.rec.begin(time.Now(), 0)
	resp, err := x.transport.RoundTrip(req)
	if got, connect, ok := x.trace.times(); ok {
		x.rec.begin(got, connect)
	}
	if err != nil {
		return x.rec.fail(x.unanswered(ctx, err)), nil
	}
	x.rec.evidence.Wrote = x.trace.written()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		refused = x.refused(resp)
		return x.rec.fail(workload.OutcomeHTTPError, refused.status.Error()), refused
	}
	if res = x.answer(ctx, resp); res.Overran {
		x.sayOverrun()
	}
	if x.rec.twins {
		x.warn("Each event of an answer comes twice: it is measured as if it came once")
	}
	return res, nil
}

// answer reads an answer with status 200 as what it is.
func (x *exchange) answer(ctx context.Context, resp *http.Response) workload.Result {
	framing := x.dialect.traits().framing
	events := framing.decoder(foreign.Body{Reader: resp.Body}, 0)
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	begin := events.Peek()
	if packed := httpapi.Compressed(resp.Header, begin); packed != nil {
		return x.rec.fail(workload.OutcomeProtocolError, "the answer is "+packed.Error())
	}
	switch {
	case framing.starts(begin):
		if kind != framing.media && kind != "" {
			x.warn("The stream of events comes under a wrong label; it is read as what it is", "content_type", kind)
		}
		return x.stream(ctx, events)
	case len(begin) == 0 && (kind == framing.media || kind == ""), kind == framing.media && begin[0] != '{' && begin[0] != '<':
		return x.stream(ctx, events)
	case x.route.document != nil && (kind == "application/json" || kind == "" || kind == framing.media):
		return x.whole(ctx, events.Rest())
	case ctx.Err() != nil:
		return x.ended(ctx, ctx.Err())
	default:
		return x.rec.fail(workload.OutcomeProtocolError, notAStream(kind, events.Rest()))
	}
}

// unanswered judges an error that came before any answer.
func (x *exchange) unanswered(ctx context.Context, err error) (workload.Outcome, string) {
	outcome, why, stopped := interrupted(ctx)
	_, _, connected := x.trace.times()
	// Of a header that breaks off net/http takes what came of the last line for a whole one, and calls it malformed.
	cut := cut(err) || x.trace.ended() && !otherTongue(err)
	switch {
	case outcome == workload.OutcomeCanceled:
		return outcome, why
	case stopped && x.trace.failed():
		return workload.OutcomeConnectError, "no connection: " + why
	case stopped:
		return outcome, why
	case httpapi.Own(err):
		return workload.OutcomeExporterError, x.api.Explain(err).Error()
	case x.trace.failed() || !connected && !cut:
		return workload.OutcomeConnectError, x.api.Explain(err).Error()
	case cut:
		return workload.OutcomeTruncated, "the node closed the connection without an answer: " + x.api.Explain(err).Error()
	default:
		return workload.OutcomeProtocolError, x.api.Explain(err).Error()
	}
}

// cut reports whether err is that of a connection that ended too early.
func cut(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && op.Op != "dial"
}

// otherTongue reports whether err says that what came does not begin as an answer by HTTP does.
func otherTongue(err error) bool {
	const malformed = "malformed HTTP response "
	return strings.Contains(err.Error(), malformed) && !strings.Contains(err.Error(), malformed+`"HTTP/`)
}

// stream reads a streamed answer to its end.
func (x *exchange) stream(ctx context.Context, d *sse.Decoder) workload.Result {
	events := x.dialect.events(d)
	for {
		ev, err := events.Next()
		var failure workload.Outcome
		var why string
		var malformed *malformedError
		switch {
		case errors.As(err, &malformed):
			failure, why = workload.OutcomeProtocolError, err.Error()
		case err != nil:
			return x.ended(ctx, err)
		default:
			ev.Came = x.trace.came()
			failure, why = x.event(ev)
		}
		switch {
		case failure != "":
			res := x.rec.fail(failure, why)
			if x.dialect.traits().runsOn {
				x.drain(events)
			}
			return res
		case ev.End, x.beyond():
			x.rec.marked = true
			return x.rec.done()
		}
	}
}

// event takes in one event; a non-empty outcome says why the request has failed.
func (x *exchange) event(ev answer.Event) (failure workload.Outcome, why string) {
	if ev.Error != "" {
		return workload.OutcomeStreamError, ev.Error
	}
	token, failure, why := x.rec.event(ev)
	switch {
	case failure != "":
		return failure, why
	case x.rec.complete():
		x.guard.complete(x.rec.counted())
	case token:
		x.guard.token()
	}
	return "", ""
}

// beyond reports whether an answer has gone on for so long past what was asked for that nothing is
// to be learned from its end. Hanging up ends it, but where the node goes on all the same.
func (x *exchange) beyond() bool {
	return x.rec.evidence.Extra > max(beyondLeast, beyondTimes*x.rec.evidence.Asked) && !x.dialect.traits().runsOn
}

// How many token events beyond those asked for are read, at least and as a multiple.
const (
	beyondLeast = 256
	beyondTimes = 4
)

func (x *exchange) sayOverrun() {
	help := x.dialect.traits().overrun
	if help == "" {
		help = "have the server keep to it"
	}
	x.warn("The node ignores max_tokens: what it generates beyond is read but not measured, and costs time", "help", help)
}

// drain reads a failed answer to its end where hanging up would not stop the generation, which
// would then disturb the next request.
func (x *exchange) drain(events eventReader) {
	for {
		_, err := events.Next()
		var malformed *malformedError
		if err != nil && !errors.As(err, &malformed) {
			return
		}
		x.guard.token()
	}
}

// ended judges the end of a stream without a mark of its end. What goes wrong after the
// finish_reason takes nothing from the tokens before it.
func (x *exchange) ended(ctx context.Context, err error) workload.Result {
	outcome, why, stopped := interrupted(ctx)
	switch {
	case errors.Is(err, sse.ErrTooLong):
		return x.rec.fail(workload.OutcomeProtocolError, err.Error())
	case errors.Is(err, io.EOF):
		return x.rec.done()
	case outcome == workload.OutcomeCanceled:
		return x.rec.fail(outcome, why)
	case x.rec.complete():
		x.rec.marked = true // nothing that was asked for is missing
		return x.rec.done()
	case stopped:
		return x.rec.fail(outcome, why)
	default:
		return x.rec.fail(workload.OutcomeTruncated, x.rec.cutOff(err))
	}
}
