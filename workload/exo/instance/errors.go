package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

func failed(cause error, format string, args ...any) error {
	return &workload.TurnError{Outcome: workload.TurnFailed, Reason: fmt.Sprintf(format, args...), Err: cause}
}

func skipped(cause error, format string, args ...any) error {
	return &workload.TurnError{Outcome: workload.TurnSkipped, Reason: fmt.Sprintf(format, args...), Err: cause}
}

// wantOfMemory is a skipped turn for which a node lacks memory.
type wantOfMemory struct{ error }

func (w *wantOfMemory) Unwrap() error { return w.error }

func noMemory(cause error, format string, args ...any) error {
	return &wantOfMemory{skipped(cause, format, args...)}
}

func unavailable(cause error, format string, args ...any) error {
	return &workload.TurnError{Outcome: workload.TurnUnavailable, Reason: fmt.Sprintf(format, args...), Err: cause}
}

// answered turns the error of a call into a failed turn when the node did answer, and only
// wraps it when it did not or when ctx ended.
func answered(ctx context.Context, err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	var te *workload.TurnError
	if errors.As(err, &te) {
		return err
	}
	var se *httpapi.StatusError
	if errors.As(err, &se) || badJSON(err) {
		return failed(err, "%s; look into exo's log", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func badJSON(err error) bool {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &typed) || errors.As(err, new(*httpapi.CompressedError)) ||
		errors.Is(err, state.ErrSyntax) || tooBig(err)
}

// tooBig reports whether err is that of an answer beyond every bound.
func tooBig(err error) bool {
	return errors.Is(err, state.ErrTooBig) || errors.Is(err, httpapi.ErrTooLong)
}

// missing reports whether err says that the node has no such route.
func missing(err error) bool {
	return httpapi.IsStatus(err, http.StatusNotFound) || httpapi.IsStatus(err, http.StatusMethodNotAllowed)
}

// passing reports whether a call that failed with err may succeed soon: the node could not
// be reached, or answered that it is not itself at the moment.
func passing(err error) bool {
	if errors.As(err, new(*final)) || tooBig(err) {
		return false
	}
	var se *httpapi.StatusError
	if errors.As(err, &se) {
		return se.Code >= 500 || se.Code == http.StatusTooManyRequests || se.Code == http.StatusRequestTimeout
	}
	return true
}

// final marks an error that is not worth repeating although it looks like passing.
type final struct{ error }

func (f *final) Unwrap() error { return f.error }

// outcomeOf returns the outcome of a turn that err stands for; false when it stands for none.
func outcomeOf(err error) (workload.TurnOutcome, bool) {
	var te *workload.TurnError
	if errors.As(err, &te) {
		return te.Outcome, true
	}
	return "", false
}

// reasonOf returns what a turn's error says to people, without its cause.
func reasonOf(err error) string {
	var te *workload.TurnError
	if errors.As(err, &te) {
		return te.Reason
	}
	return err.Error()
}
