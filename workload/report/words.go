package report

import (
	"fmt"
	"strings"
	"time"

	"exo-bench-exporter/workload"
)

// term is a word of the contract and what it means.
type term struct{ name, words string }

var outcomes = []term{
	{string(workload.OutcomeOK), "succeeded"},
	{string(workload.OutcomeConnectError), "no connection could be made"},
	{string(workload.OutcomeExporterError), "the exporter itself lacked something to ask"},
	{string(workload.OutcomeHTTPError), "an HTTP status other than 200"},
	{string(workload.OutcomeStreamError), "an error inside the answer"},
	{string(workload.OutcomeTruncated), "the answer broke off"},
	{string(workload.OutcomeFirstTokenTimeout), "no token came in time"},
	{string(workload.OutcomeIdleTimeout), "tokens stopped coming"},
	{string(workload.OutcomeTotalTimeout), "it took too long as a whole"},
	{string(workload.OutcomeModelMismatch), "another model answered"},
	{string(workload.OutcomeProtocolError), "the answer was not what the API promises"},
	{string(workload.OutcomeEmpty), "there was no token in the answer"},
	{string(workload.OutcomeBuffered), "something on the way held the answer back"},
	{string(workload.OutcomeCanceled), "the exporter was told to stop"},
}

var turnOutcomes = []term{
	{string(workload.TurnOK), "every request succeeded"},
	{string(workload.TurnPartial), "some requests failed"},
	{string(workload.TurnFailed), "no request succeeded"},
	{string(workload.TurnUnavailable), "the node does not know the model or cannot place it"},
	{string(workload.TurnSkipped), "the node was busy, or lacked memory"},
	{string(workload.TurnCanceled), "the exporter was told to stop"},
}

var resultMarks = []term{
	{string(workload.MarkContended), "other people's work ran meanwhile: no figure was taken"},
	{string(workload.MarkStarved), "the exporter was kept from the processor: no figure was taken"},
	{string(workload.MarkDisagreement), "client's and server's decode rate differ by more than 5 %: no rate was taken"},
	{string(workload.MarkLate), "an end of the decoding was read too late: no rate was taken"},
	{string(workload.MarkCoalesced), "some tokens shared a read: those gaps are no samples"},
	{string(workload.MarkShort), "the answer ended before the tokens that were asked for"},
	{string(workload.MarkDisbelieved), "figures of the server cannot be true and were not used"},
	{string(workload.MarkOverran), "the server went on past the tokens that were asked for"},
}

// counts puts numbers to terms, those without any left out.
func counts(terms []term, n map[string]int) (all []Count) {
	for _, t := range terms {
		if n[t.name] > 0 {
			all = append(all, Count{t.name, t.words, n[t.name]})
		}
	}
	return all
}

// list joins words as people do.
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// moment names a time for people who read at about the time now: of the last six days by the day of the week.
func moment(t, now time.Time) string {
	t = t.UTC()
	if age := now.Sub(t); age >= 0 && age < 6*24*time.Hour {
		return t.Format("Monday 15:04 UTC")
	}
	return Date(t)
}

// Date writes a moment as people read it.
func Date(t time.Time) string { return t.UTC().Format("2 January 2006 15:04 UTC") }

// times says how many times as much a ratio is.
func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("%.1f ×", ratio)
	}
	return fmt.Sprintf("%.0f ×", ratio)
}

// Period says from when to when the report is.
func (r Report) Period() string {
	if r.From.Format(time.DateOnly) == r.To.Format(time.DateOnly) {
		return r.From.Format("2 January 2006, 15:04") + " to " + r.To.Format("15:04 UTC")
	}
	return Date(r.From) + " to " + Date(r.To)
}
