package workload

// Bounds within which a rate that the server tells can be true.
const (
	maxServerDecode = 1e4 // tokens a second; no machine makes more of them, one after the other, for one reader
	// contradiction is by how many times the server's decode rate and that at which its tokens came may differ.
	contradiction = 2
)

// ServerDecodeRate returns the server's own decode rate in tokens per second. It is false where the server tells
// none, and where what it tells cannot be true: beyond any machine, so slow that the tokens would have taken
// longer than the whole request did, or twice or half of the rate at which the client saw them come.
func (r Result) ServerDecodeRate() (float64, bool) {
	if r.Server == nil || r.Server.GenerationTPS <= 0 {
		return 0, false
	}
	told := r.Server.GenerationTPS
	if told > maxServerDecode || float64(r.OutputTokens-1)/told > (1+rateTolerance)*r.E2E.Seconds() {
		return 0, false
	}
	if seen, ok := r.DecodeRate(); ok && r.RateDisagrees() && (told > contradiction*seen || seen > contradiction*told) {
		return 0, false
	}
	return told, true
}

// ServerPrefillRate returns the server's own prefill rate in prompt tokens per second. It is false where the server
// tells none, and where the prompt would have taken longer than it was until the first token, or until the end of an
// answer of which the client did not see the tokens come.
func (r Result) ServerPrefillRate() (float64, bool) {
	if r.Server == nil || r.Server.PromptTPS <= 0 {
		return 0, false
	}
	n, passed := r.PrefillTokens(), r.E2E
	if told := r.Server.PromptTokens; told > 0 {
		n = min(n, told)
	}
	if r.Timed {
		passed = r.TTFT
	}
	if float64(n)/r.Server.PromptTPS > (1+rateTolerance)*passed.Seconds() {
		return 0, false
	}
	return r.Server.PromptTPS, true
}

// DisbelievedRates names the rates that the server tells and that cannot be true.
func (r Result) DisbelievedRates() (names []string) {
	if r.Server == nil {
		return nil
	}
	if _, ok := r.ServerDecodeRate(); !ok && r.Server.GenerationTPS > 0 {
		names = append(names, "decode rate")
	}
	if _, ok := r.ServerPrefillRate(); !ok && r.Server.PromptTPS > 0 {
		names = append(names, "prefill rate")
	}
	return names
}
