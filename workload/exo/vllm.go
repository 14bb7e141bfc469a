package exo

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// vllmFigures are sums that vLLM keeps over all of its requests, as its /metrics has them. It tells
// nothing of a single request in its answer; what a request adds to the sums is its own when it is
// the only one that has ended meanwhile.
type vllmFigures struct {
	prompts, prefillSeconds float64
	tokens, decodeSeconds   float64
	requests                float64 // that have ended
}

// vllmSums are where the sums stand in the exposition.
var vllmSums = map[string]func(*vllmFigures) *float64{
	"vllm:prompt_tokens_total":               func(f *vllmFigures) *float64 { return &f.prompts },
	"vllm:generation_tokens_total":           func(f *vllmFigures) *float64 { return &f.tokens },
	"vllm:request_prefill_time_seconds_sum":  func(f *vllmFigures) *float64 { return &f.prefillSeconds },
	"vllm:request_decode_time_seconds_sum":   func(f *vllmFigures) *float64 { return &f.decodeSeconds },
	"vllm:request_decode_time_seconds_count": func(f *vllmFigures) *float64 { return &f.requests },
}

// maxExposition bounds what is read of vLLM's /metrics, in bytes.
const maxExposition = 4 << 20

// read adds up the series of the sums over all of their labels.
func (f *vllmFigures) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if labels := strings.LastIndexByte(lines.Text(), '}'); labels >= 0 {
			value = strings.TrimSpace(lines.Text()[labels+1:])
		}
		name, _, _ = strings.Cut(name, "{")
		sum := vllmSums[name]
		if sum == nil {
			continue
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			*sum(f) += v
		}
	}
	return lines.Err()
}

// since returns the figures of the only request that ended between before and f; ok is false when
// there was none, or another one beside it.
func (f vllmFigures) since(before vllmFigures) (s answer.Stats, ok bool) {
	if f.requests-before.requests != 1 {
		return s, false
	}
	per := func(n, seconds float64) answer.Rate {
		if !(n > 0 && seconds > 0 && n/seconds < 1e6) {
			return 0
		}
		return answer.Rate(n / seconds)
	}
	s.PromptTPS = per(f.prompts-before.prompts, f.prefillSeconds-before.prefillSeconds)
	s.GenerationTPS = per(f.tokens-before.tokens-1, f.decodeSeconds-before.decodeSeconds) // decoding begins with the first token
	return s, true
}

// How often and how long vLLM is asked for the figures of a request that has just ended.
const (
	vllmLooks = 4
	vllmPause = 50 * time.Millisecond
	vllmBound = 2 * time.Second
)

// observeVLLM looks at vLLM's figures before a request, and returns what adds to its result what
// the request changed in them.
func (c *Client) observeVLLM(ctx context.Context) observation {
	look := func() (f vllmFigures, err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vllmBound)
		defer cancel()
		err = c.api.Stream(ctx, http.MethodGet, "/metrics", maxExposition, f.read)
		return f, err
	}
	before, err := look()
	if err != nil {
		c.log.Debug("VLLM's own figures cannot be read", "err", err)
		return observation{}
	}
	return observation{add: func(res *workload.Result) {
		if !res.OK() || res.Server != nil {
			return
		}
		for i := range vllmLooks {
			if i > 0 && pause(ctx, vllmPause) != nil {
				return
			}
			after, err := look()
			if err != nil || after.requests > before.requests+1 {
				return
			}
			if s, ok := after.since(before); ok {
				res.Server = serverStats(s)
				return
			}
		}
	}}
}
