package workload

import "time"

// Outcome says how a request ended. Only OutcomeOK enters a latency histogram.
type Outcome string

// The outcomes of a request. They are label values and therefore a contract.
const (
	OutcomeOK                Outcome = "ok"
	OutcomeConnectError      Outcome = "connect_error"       // no connection could be made
	OutcomeHTTPError         Outcome = "http_error"          // HTTP status other than 200
	OutcomeStreamError       Outcome = "stream_error"        // an error event inside the stream
	OutcomeTruncated         Outcome = "truncated"           // the stream ended without a finish_reason
	OutcomeFirstTokenTimeout Outcome = "first_token_timeout" // no token event in time
	OutcomeIdleTimeout       Outcome = "idle_timeout"        // token events stopped coming
	OutcomeTotalTimeout      Outcome = "total_timeout"       // the request took too long as a whole
	OutcomeModelMismatch     Outcome = "model_mismatch"      // another model answered
	OutcomeProtocolError     Outcome = "protocol_error"      // the answer is not what the API promises
	OutcomeEmpty             Outcome = "empty"               // a proper end, but no token
	OutcomeCanceled          Outcome = "canceled"            // the exporter itself gave up, usually to stop
)

// Outcomes lists every outcome of a request.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeOK, OutcomeConnectError, OutcomeHTTPError, OutcomeStreamError, OutcomeTruncated,
		OutcomeFirstTokenTimeout, OutcomeIdleTimeout, OutcomeTotalTimeout, OutcomeModelMismatch,
		OutcomeProtocolError, OutcomeEmpty, OutcomeCanceled,
	}
}

// TokenSource says where a Result's OutputTokens was taken from.
type TokenSource string

// Sources of the output token count, best first.
const (
	TokensFromUsage  TokenSource = "usage"  // the answer's usage.completion_tokens
	TokensFromStats  TokenSource = "stats"  // exo's generation_stats.generation_tokens
	TokensFromEvents TokenSource = "events" // the token events that were counted
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
	// Decode is the time from the first to the last token event.
	Decode time.Duration
	// E2E is the time from t0 to the last token event (to the end of the body when not Timed).
	E2E time.Duration
	// Gaps are the times between successive token events: TokenEvents-1 of them.
	Gaps []time.Duration

	TokenEvents   int
	PromptTokens  int // as the server counts them; 0 where it does not say
	CachedTokens  int // of those, found in a prefix cache
	OutputTokens  int
	TokenSource   TokenSource
	TokenMismatch bool // the server's count and the counted token events disagree
	FinishReason  string
	Server        *ServerStats // nil where exo does not report any
	EnergyJoules  float64      // what exo says the request cost; 0 where it does not say
	Contended     bool         // somebody else's work ran meanwhile: kept out of throughput gauges
}

// OK reports whether the request succeeded.
func (r Result) OK() bool { return r.Outcome == OutcomeOK }

// DecodeTokens returns the tokens that Decode covers: all but the first.
func (r Result) DecodeTokens() int {
	if !r.Timed || r.OutputTokens < 2 || r.Decode <= 0 {
		return 0
	}
	return r.OutputTokens - 1
}

// DecodeRate returns (n-1)/(last-first token event) in tokens per second, the formula of
// exo's own generation_tps; false when fewer than two tokens came or they came at once.
func (r Result) DecodeRate() (float64, bool) {
	n := r.DecodeTokens()
	if n == 0 {
		return 0, false
	}
	return float64(n) / r.Decode.Seconds(), true
}

// TPOT returns the time per output token, (last-first)/(n-1); false as for DecodeRate.
func (r Result) TPOT() (time.Duration, bool) {
	n := r.DecodeTokens()
	if n == 0 {
		return 0, false
	}
	return r.Decode / time.Duration(n), true
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
