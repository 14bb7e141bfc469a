package exo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
	"exo-bench-exporter/workload/stall"
)

// maxErrorBody bounds what is read of an error's body, in bytes.
const maxErrorBody = 64 << 10

// exchange is one request on the wire, from connecting to the end of the answer.
type exchange struct {
	api       *httpapi.Client
	transport http.RoundTripper
	dialect   dialect
	route     route
	body      any
	timeouts  Timeouts
	document  bool   // the answer is known to come as one JSON document
	overrun   func() // called when the node goes on past max_tokens
	inflight  *atomic.Int32
	watcher   *stall.Watcher
	log       *slog.Logger

	rec   *record
	guard *guard
	trace *connTrace
}

// put puts the request and returns its Result; noRoute tells that it failed because the node
// does not have the route.
func (x *exchange) put(ctx context.Context) (res workload.Result, noRoute bool) {
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
		return x.rec.fail(workload.OutcomeProtocolError, err.Error()), false
	}
	media := x.dialect.traits().media
	req.Header.Set("Accept", media+", application/json")
	req.Close = true // a connection of its own: exo 1.x closes it after each stream anyway

	x.rec.begin(time.Now(), 0)
	resp, err := x.transport.RoundTrip(req)
	if got, connect, ok := x.trace.times(); ok {
		x.rec.begin(got, connect)
	}
	if err != nil {
		return x.rec.fail(x.unanswered(ctx, err)), false
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return x.refused(resp)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case kind == media, kind == "":
		return x.stream(ctx, resp.Body), false
	case kind == "application/json" && x.route.document != nil:
		return x.whole(ctx, resp.Body), false
	default:
		return x.rec.fail(workload.OutcomeProtocolError, notAStream(kind, resp.Body)), false
	}
}

// unanswered judges an error that came before any answer.
func (x *exchange) unanswered(ctx context.Context, err error) (workload.Outcome, string) {
	outcome, why, stopped := interrupted(ctx)
	_, _, connected := x.trace.times()
	switch {
	case outcome == workload.OutcomeCanceled:
		return outcome, why
	case stopped && x.trace.failed():
		return workload.OutcomeConnectError, "no connection: " + why
	case stopped:
		return outcome, why
	case x.trace.failed() || !connected && !cut(err):
		return workload.OutcomeConnectError, err.Error()
	case cut(err):
		return workload.OutcomeTruncated, "the node closed the connection without an answer: " + err.Error()
	default:
		return workload.OutcomeProtocolError, err.Error()
	}
}

// cut reports whether err is that of a connection that ended too early.
func cut(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && op.Op != "dial"
}

// refused reads the words of an answer with a status other than 200.
func (x *exchange) refused(resp *http.Response) (res workload.Result, noRoute bool) {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // half a message is better than none
	err := &httpapi.StatusError{Method: http.MethodPost, Path: x.route.path, Code: resp.StatusCode, Message: httpapi.ErrorMessage(body)}
	return x.rec.fail(workload.OutcomeHTTPError, err.Error()), isNoRoute(resp.StatusCode, body)
}

// isNoRoute tells a route that does not exist, for which the web framework answers, from a
// model that has no instance, for which exo answers with an error object.
func isNoRoute(status int, body []byte) bool {
	var doc struct {
		Error json.RawMessage `json:"error"`
	}
	return status == http.StatusMethodNotAllowed ||
		status == http.StatusNotFound && (json.Unmarshal(body, &doc) != nil || len(doc.Error) == 0)
}

// stream reads a streamed answer to its end.
func (x *exchange) stream(ctx context.Context, body io.Reader) workload.Result {
	events := x.dialect.events(body)
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
			failure, why = x.event(ev)
		}
		switch {
		case failure != "":
			res := x.rec.fail(failure, why)
			if x.dialect.traits().runsOn {
				x.drain(events)
			}
			return res
		case ev.End:
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
	if token {
		x.guard.token()
	}
	if x.rec.bound {
		x.overrun()
	}
	return failure, why
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

// ended judges the end of a stream without a mark of its end. What goes wrong after the finish_reason
// takes nothing from the tokens before it.
func (x *exchange) ended(ctx context.Context, err error) workload.Result {
	outcome, why, stopped := interrupted(ctx)
	switch {
	case errors.Is(err, sse.ErrTooLong):
		return x.rec.fail(workload.OutcomeProtocolError, err.Error())
	case errors.Is(err, io.EOF):
		return x.rec.done()
	case outcome == workload.OutcomeCanceled:
		return x.rec.fail(outcome, why)
	case x.rec.finish != "":
		return x.rec.done()
	case stopped:
		return x.rec.fail(outcome, why)
	default:
		return x.rec.fail(workload.OutcomeTruncated, x.rec.cutOff(err))
	}
}
