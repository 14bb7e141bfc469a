package workload

import (
	"slices"
	"testing"
	"time"
)

// The client saw 65 tokens come at 100 a second after a second of computing 500 tokens of prompt.
func TestServerRates(t *testing.T) {
	seen := Result{
		Outcome: OutcomeOK, Timed: true, TTFT: time.Second, Decode: 640 * time.Millisecond, E2E: 1640 * time.Millisecond,
		OutputTokens: 65, TokenEvents: 65, PromptTokens: 500,
	}
	unseen := seen
	unseen.Timed, unseen.TTFT, unseen.Decode, unseen.TokenEvents = false, 0, 0, 0
	pieces := unseen
	pieces.PromptTokens, pieces.CachedTokens = 1000, 500
	for _, tc := range []struct {
		name            string
		r               Result
		s               *ServerStats
		decode, prefill float64 // 0 for one that is not believed
		disbelieved     []string
	}{
		{"nothing told", seen, nil, 0, 0, nil},
		{"zeros", seen, &ServerStats{}, 0, 0, nil},
		{"as seen", seen, &ServerStats{GenerationTPS: 101, PromptTPS: 510}, 101, 510, nil},
		{"half as fast again, which the way to the client may cost", seen, &ServerStats{GenerationTPS: 150}, 150, 0, nil},
		{"slower, but within what the request took", seen, &ServerStats{GenerationTPS: 60}, 60, 0, nil},
		{"more than twice as fast as seen", seen, &ServerStats{GenerationTPS: 201}, 0, 0, []string{"decode rate"}},
		{"less than half as fast as seen", seen, &ServerStats{GenerationTPS: 49}, 0, 0, []string{"decode rate"}},
		{"the tokens would have taken longer than all of it", seen, &ServerStats{GenerationTPS: 36}, 0, 0, []string{"decode rate"}},
		{"a prompt that would have taken longer than the first token", seen, &ServerStats{PromptTPS: 470}, 0, 0, []string{"prefill rate"}},
		{"a prompt that was computed at once and waited", seen, &ServerStats{PromptTPS: 1e5}, 0, 1e5, nil},
		{"a part of the prompt, as the server counts it", seen, &ServerStats{PromptTPS: 100, PromptTokens: 100}, 0, 100, nil},
		{"not seen, and possible", unseen, &ServerStats{GenerationTPS: 5000, PromptTPS: 310}, 5000, 310, nil},
		{
			"not seen, and beyond what it took", unseen, &ServerStats{GenerationTPS: 37, PromptTPS: 290}, 0, 0,
			[]string{"decode rate", "prefill rate"},
		},
		{"not seen, and beyond any machine", unseen, &ServerStats{GenerationTPS: 10001}, 0, 0, []string{"decode rate"}},
		{"cached tokens take no time", pieces, &ServerStats{PromptTPS: 310}, 0, 310, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.r.Server = tc.s
			decode, ok := tc.r.ServerDecodeRate()
			if decode != tc.decode || ok != (tc.decode > 0) {
				t.Errorf("decode rate %v (%v), want %v", decode, ok, tc.decode)
			}
			prefill, ok := tc.r.ServerPrefillRate()
			if prefill != tc.prefill || ok != (tc.prefill > 0) {
				t.Errorf("prefill rate %v (%v), want %v", prefill, ok, tc.prefill)
			}
			if got := tc.r.DisbelievedRates(); !slices.Equal(got, tc.disbelieved) {
				t.Errorf("disbelieved %v, want %v", got, tc.disbelieved)
			}
		})
	}
}

// Where nobody knows how many tokens there were, their number is in no sum, and no answer is said to be short.
func TestUnknownTokensAreInNoSum(t *testing.T) {
	r := Result{
		Outcome: OutcomeOK, Timed: true, TTFT: time.Second, Decode: time.Second, E2E: 2 * time.Second, AskedTokens: 64,
		OutputTokens: 30, SilentTokens: 30, TokenEvents: 30, TokenSource: TokensUnknown, EnergyJoules: 5,
	}
	_, perEvent := r.TokensPerEvent()
	_, rate := r.DecodeRate()
	_, energy := Turn{Results: []Result{r}}.EnergyPerToken()
	if r.CountedTokens() != 0 || perEvent || rate || energy || slices.Contains(r.Marks(), MarkShort) {
		t.Errorf("%d tokens, per event %v, rate %v, energy %v, marks %v", r.CountedTokens(), perEvent, rate, energy, r.Marks())
	}
	r.TokenSource, r.SilentTokens = TokensFromEvents, 0
	_, energy = Turn{Results: []Result{r}}.EnergyPerToken()
	if r.CountedTokens() != 30 || !energy || !slices.Contains(r.Marks(), MarkShort) {
		t.Errorf("of counted events: %d tokens, energy %v, marks %v", r.CountedTokens(), energy, r.Marks())
	}
}
