package workload

import (
	"math"
	"time"
)

// Outcome says how a request ended. Only OutcomeOK enters a latency histogram.
type Outcome string

// The outcomes of a request. They are label values and therefore a contract.
const (
	OutcomeOK                Outcome = "ok"
	OutcomeConnectError      Outcome = "connect_error"       // no connection could be made
	OutcomeExporterError     Outcome = "exporter_error"      // the exporter itself lacked something, such as descriptors, to ask
	OutcomeHTTPError         Outcome = "http_error"          // HTTP status other than 200
	OutcomeStreamError       Outcome = "stream_error"        // an error event inside the stream
	OutcomeTruncated         Outcome = "truncated"           // the stream ended without a finish_reason
	OutcomeFirstTokenTimeout Outcome = "first_token_timeout" // no token event in time
	OutcomeIdleTimeout       Outcome = "idle_timeout"        // token events stopped coming
	OutcomeTotalTimeout      Outcome = "total_timeout"       // the request took too long as a whole
	OutcomeModelMismatch     Outcome = "model_mismatch"      // another model answered
	OutcomeProtocolError     Outcome = "protocol_error"      // the answer is not what the API promises
	OutcomeEmpty             Outcome = "empty"               // a proper end, but no token
	OutcomeBuffered          Outcome = "buffered"            // something on the way held the answer back or replayed it: nothing to time
	OutcomeCanceled          Outcome = "canceled"            // the exporter itself gave up, usually to stop
)

// Outcomes lists every outcome of a request.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeOK, OutcomeConnectError, OutcomeExporterError, OutcomeHTTPError, OutcomeStreamError, OutcomeTruncated,
		OutcomeFirstTokenTimeout, OutcomeIdleTimeout, OutcomeTotalTimeout, OutcomeModelMismatch,
		OutcomeProtocolError, OutcomeEmpty, OutcomeBuffered, OutcomeCanceled,
	}
}

// TokenSource says where a Result's OutputTokens was taken from.
type TokenSource string

// Sources of the output token count, best first.
const (
	TokensFromUsage  TokenSource = "usage"  // the answer's usage.completion_tokens
	TokensFromStats  TokenSource = "stats"  // exo's generation_stats.generation_tokens
	TokensFromEvents TokenSource = "events" // the token events that were counted
	// TokensUnknown says that nobody counts the tokens and that the events, which OutputTokens counts, are none.
	TokensUnknown TokenSource = "unknown"
)

// EnergySource says where a Result's EnergyJoules was taken from.
type EnergySource string

// Sources of the energy, best first. They are label values and therefore a contract.
const (
	EnergyFromAnswer EnergySource = "answer" // exo's own figure, which /bench has in an answer that is one document
	EnergyFromPower  EnergySource = "power"  // integrated over the power that exo showed during the request
)

// Endpoint says which of exo's routes served a request.
type Endpoint string

// The routes by which a prompt is put to a model.
const (
	EndpointV1        Endpoint = "v1"         // /v1/chat/completions, streamed
	EndpointBench     Endpoint = "bench"      // /bench/chat/completions, streamed
	EndpointBenchJSON Endpoint = "bench_json" // /bench/chat/completions answered as one JSON document: no client timings
)

// ServerStats are exo's own figures for a request, from its generation_stats.
type ServerStats struct {
	PromptTPS        float64 `json:"prompt_tokens_per_second"`
	GenerationTPS    float64 `json:"output_tokens_per_second"`
	PromptTokens     int     `json:"prompt_tokens"`
	GenerationTokens int     `json:"output_tokens"`
	// PeakMemoryBytes is exo's peak_memory_usage, as reported: the high-water mark of MLX's
	// allocator since the runner started. exo over-reports it by 1024³/10⁹ (7.37 %).
	PeakMemoryBytes uint64 `json:"peak_memory_bytes"`
	// PrefixCacheHit is "none", "partial" or "exact"; empty where exo does not say.
	PrefixCacheHit string `json:"prefix_cache_hit,omitempty"`
}

// Result is the immutable record of one request. Durations are monotonic.
type Result struct {
	Model      string    // name in the workload
	ExoModel   string    // id that was asked for
	Answered   string    // id that the answer named, empty if it named none
	Prompt     string    // id of the prompt in the suite
	Kind       string    // kind of the prompt
	Warmup     bool      // opened the turn; published nowhere
	Endpoint   Endpoint  // route that served it
	ResponseID string    // id of the answer, for finding it in exo's log
	Start      time.Time // wall clock at t0
	Outcome    Outcome
	Err        string // what failed, for people; empty when Outcome is ok

	// Connect is what DNS, TCP and TLS took before t0; zero on a reused connection.
	Connect time.Duration
	// Timed says whether the client saw the tokens come; without it TTFT, TTFO, Decode and
	// Gaps are unknown (an answer that came as one document).
	Timed bool
	// TTFT is the time from t0 to the first token event.
	TTFT time.Duration
	// TTFO is the time from t0 to the first token event with content; it differs from TTFT
	// for a model that thinks first, and is zero when no content came at all.
	TTFO time.Duration
	// Decode is the time from the first to the last token event; DecodeTokens came in it.
	Decode time.Duration
	// DecodeOff is by how much Decode is longer than it was because the exporter was late to read one of
	// its ends, where that is too much for a rate to be made of it; 0 elsewhere.
	DecodeOff time.Duration
	// E2E is the time from t0 to the last token event (to the end of the body when not Timed).
	E2E time.Duration
	// Gaps are samples of the time between successive tokens. A gap before an event of k tokens
	// is k samples of a k-th each; events that shared a read with the one before have none.
	Gaps []time.Duration
	// Withheld is the number of such samples that are none because of the exporter: it read at one end
	// of the gap late by more than a tenth of it, or asked exo for something else in the gap or the one before.
	Withheld int

	AskedTokens int // max_tokens of the request
	TokenEvents int
	ExtraEvents int // token events that came beyond AskedTokens; they are not measured
	// FirstTokens is the number of tokens that came at TTFT; 0 stands for the usual one.
	FirstTokens int
	// SilentTokens are output tokens that no event carried, such as a counted end token: they
	// have no time of their own, and no rate is made of them.
	SilentTokens  int
	Coalesced     int // token events that shared a read with the one before
	PromptTokens  int // as the server counts them; 0 where it does not say
	CachedTokens  int // of those, found in a prefix cache
	OutputTokens  int
	TokenSource   TokenSource
	TokenMismatch bool // the server's count and the counted token events disagree
	// Disbelieved names figures of the server that cannot be true; they were not used.
	Disbelieved  []string
	Overran      bool // the server went on past AskedTokens; what came beyond was not measured
	FinishReason string
	Server       *ServerStats // nil where exo does not report any
	// EnergyJoules is what the machines that hold the model took from t0 to E2E, all that else runs on them included;
	// 0 where that is not known.
	EnergyJoules float64
	EnergySource EnergySource // empty where EnergyJoules is 0
	Sensors      *Sensors     // of the machines that hold the model, from t0 to E2E; nil where nothing was seen
	Contended    bool         // somebody else's work ran meanwhile
	// Starved says that the exporter itself did not get the processor, or that the machine slept,
	// for so long that the times are not the model's. Stalled is how long that was, in all.
	Starved bool
	Stalled time.Duration
	// StampLateness is how long before each stamp of a read of token events the kernel had received what
	// was read: the exporter's own part in the times. Empty where the kernel does not tell.
	StampLateness []time.Duration
	Epoch         Epoch // method by which all of this was measured

	Signs *Signs // of nonsense in the answer; nil where its text was not seen
	// Fingerprint tells answers on one installation apart; 0 where there is none. It is in no record.
	Fingerprint uint64
	Repeats     Repeats // whether the answer is the one before; empty where that means nothing
	Verdict     Verdict // on the answer to a question; empty of any other
}

// OK reports whether the request succeeded.
func (r Result) OK() bool { return r.Outcome == OutcomeOK }

// Clean reports whether the figures are the model's own: the request succeeded, and neither other
// people's work nor the exporter's own want of the processor disturbed it. Only clean results
// become samples and figures; the others are counted by outcome and mark.
func (r Result) Clean() bool { return r.OK() && !r.Contended && !r.Starved }

// DecodeTokens returns the tokens that came within Decode: all but those of the first event and
// those that no event carried; 0 where Decode is not known or was spoilt.
func (r Result) DecodeTokens() int {
	if !r.Timed || r.Decode <= 0 || r.DecodeOff != 0 {
		return 0
	}
	return max(0, r.OutputTokens-max(1, r.FirstTokens)-r.SilentTokens)
}

// TokensPerEvent returns the mean number of tokens that one token event carried: 1 on a server
// that sends every token by itself; false when no event came.
func (r Result) TokensPerEvent() (float64, bool) {
	if r.TokenEvents == 0 || r.OutputTokens <= r.SilentTokens {
		return 0, false
	}
	return float64(r.OutputTokens-r.SilentTokens) / float64(r.TokenEvents), true
}

// DecodeRate returns DecodeTokens/(last-first token event) in tokens per second: (n-1) over that
// time where an event is a token, the formula of exo's own generation_tps; false when fewer than
// two tokens came, they came at once, or the exporter was late to read them.
func (r Result) DecodeRate() (float64, bool) {
	n := r.DecodeTokens()
	if n == 0 {
		return 0, false
	}
	return float64(n) / r.Decode.Seconds(), true
}

// TPOT returns the time per output token, the inverse of DecodeRate; false as for DecodeRate.
func (r Result) TPOT() (time.Duration, bool) {
	n := r.DecodeTokens()
	if n == 0 {
		return 0, false
	}
	return r.Decode / time.Duration(n), true
}

// CountedTokens returns the output tokens; 0 where their number is not known.
func (r Result) CountedTokens() int {
	if r.TokenSource == TokensUnknown {
		return 0
	}
	return r.OutputTokens
}

// PrefillTokens returns the prompt tokens that were not found in a cache.
func (r Result) PrefillTokens() int { return max(0, r.PromptTokens-r.CachedTokens) }

// PrefillRate returns uncached prompt tokens per second of TTFT as the client saw it; false
// where the server did not count the prompt or nothing was timed.
func (r Result) PrefillRate() (float64, bool) {
	if !r.Timed || r.TTFT <= 0 || r.PrefillTokens() == 0 {
		return 0, false
	}
	return float64(r.PrefillTokens()) / r.TTFT.Seconds(), true
}

// rateTolerance is the relative difference between the client's and the server's decode rate up
// to which they agree.
const rateTolerance = 0.05

// fewTokens is the number of tokens below which one more or less is several per cent.
const fewTokens = 30

// RateDisagrees reports whether the server's own decode rate contradicts the client's by more
// than five per cent, so that at least one of them is wrong. Of an answer of few tokens it may be
// the rate with the first token counted, which takes no time of decoding: exo leaves it out,
// llama.cpp and Ollama do not.
func (r Result) RateDisagrees() bool {
	rate, ok := r.DecodeRate()
	if !ok || r.Server == nil || r.Server.GenerationTPS <= 0 {
		return false
	}
	off := math.Abs(rate/r.Server.GenerationTPS - 1)
	if n := r.DecodeTokens(); n < fewTokens {
		off = min(off, math.Abs(rate*float64(n+1)/float64(n)/r.Server.GenerationTPS-1))
	}
	return off > rateTolerance
}

// Mark is something that a reader of a Result has to know about its figures.
type Mark string

// The marks of a result.
const (
	MarkContended    Mark = "contended"         // other people's work ran meanwhile
	MarkStarved      Mark = "starved"           // the exporter did not get the processor, or the machine slept
	MarkDisagreement Mark = "rate_disagreement" // client's and server's decode rate differ by more than 5 %
	MarkLate         Mark = "late"              // the exporter read an end of the time of decoding too late for a rate
	MarkCoalesced    Mark = "coalesced"         // some token events shared a read
	MarkShort        Mark = "short"             // the answer ended before the tokens that were asked for
	MarkDisbelieved  Mark = "disbelieved"       // figures of the server cannot be true and were not used
	MarkOverran      Mark = "overran"           // the server went on past the tokens that were asked for
)

// Marks returns the marks of r, worst first.
func (r Result) Marks() []Mark {
	var marks []Mark
	for _, m := range []struct {
		mark Mark
		set  bool
	}{
		{MarkContended, r.Contended},
		{MarkStarved, r.Starved},
		{MarkDisagreement, r.OK() && r.RateDisagrees()},
		{MarkLate, r.DecodeOff != 0},
		{MarkCoalesced, r.Coalesced > 0},
		{MarkShort, r.OK() && r.AskedTokens > 0 && r.OutputTokens < r.AskedTokens && r.TokenSource != TokensUnknown},
		{MarkOverran, r.Overran},
		{MarkDisbelieved, len(r.Disbelieved) > 0},
	} {
		if m.set {
			marks = append(marks, m.mark)
		}
	}
	return marks
}
