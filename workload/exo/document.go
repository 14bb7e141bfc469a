package exo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
)

// whole reads an answer of /bench that comes as one document, which has exo's own figures
// but none of the client's.
func (x *exchange) whole(ctx context.Context, body io.Reader) workload.Result {
	x.guard.untimed()
	x.rec.res.Endpoint = workload.EndpointBenchJSON
	b, err := io.ReadAll(io.LimitReader(body, sse.DefaultMax+1))
	x.rec.res.E2E = time.Since(x.rec.t0)
	var c chunk
	switch {
	case err != nil:
		return x.ended(ctx, err)
	case len(b) > sse.DefaultMax:
		return x.rec.fail(workload.OutcomeProtocolError, fmt.Sprintf("the answer is longer than %d bytes", sse.DefaultMax))
	case len(b) == 0:
		return x.rec.fail(workload.OutcomeTruncated, "the answer is empty")
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return x.rec.fail(workload.OutcomeProtocolError, fmt.Sprintf("the answer is not a chat completion: %v", err))
	}
	if c.failed() {
		return x.rec.fail(workload.OutcomeStreamError, httpapi.ErrorMessage(b))
	}
	if _, failure, why := x.rec.chunk(&c, time.Time{}); failure != "" {
		return x.rec.fail(failure, why)
	}
	x.rec.stats = c.Stats
	if c.Power != nil {
		x.rec.res.EnergyJoules = c.Power.TotalEnergyJoules
	}
	return x.rec.done()
}

// notAStream says what came in the place of a stream, without repeating an answer.
func notAStream(kind string, body io.Reader) string {
	why := fmt.Sprintf("a stream of events was asked for, the answer is %s", kind)
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
	var c chunk
	if json.Unmarshal(b, &c) == nil && c.failed() {
		why += ": " + httpapi.ErrorMessage(b)
	}
	return why
}
