package exo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/sse"
)

// whole reads an answer that comes as one document, which has the node's own figures but none of
// the client's.
func (x *exchange) whole(ctx context.Context, body io.Reader) workload.Result {
	x.guard.untimed()
	x.rec.whole, x.rec.res.Endpoint = true, x.route.documentEnd
	b, err := io.ReadAll(io.LimitReader(body, sse.DefaultMax+1))
	x.rec.res.E2E = time.Since(x.rec.t0)
	switch {
	case err != nil:
		return x.ended(ctx, err)
	case len(b) > sse.DefaultMax:
		return x.rec.fail(workload.OutcomeProtocolError, fmt.Sprintf("the answer is longer than %d bytes", sse.DefaultMax))
	case len(b) == 0:
		return x.rec.fail(workload.OutcomeTruncated, "the answer is empty")
	}
	ev, err := x.route.document(b)
	switch {
	case err != nil:
		return x.rec.fail(workload.OutcomeProtocolError, "the answer is not a chat completion: "+unquoted(err))
	case ev.Error != "":
		return x.rec.fail(workload.OutcomeStreamError, ev.Error)
	}
	x.answered = true
	if _, failure, why := x.rec.event(ev); failure != "" {
		return x.rec.fail(failure, why)
	}
	return x.rec.done()
}

// notAStream says what came in the place of a stream, without repeating an answer.
func notAStream(kind string, body io.Reader) string {
	why := fmt.Sprintf("a stream of events was asked for, the answer is %s", cmp.Or(kind, "a document"))
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
	var doc struct {
		Error fault `json:"error"`
	}
	switch {
	case json.Unmarshal(b, &doc) == nil && doc.Error.set:
		why += ": " + errorWords(b)
	case json.Valid(b):
		why += " of JSON: the node, or something before it, does not stream"
	case kind == "text/html" || bytes.HasPrefix(b, []byte("<")):
		why += " (a web page): something other than the node answers"
	}
	return why
}
