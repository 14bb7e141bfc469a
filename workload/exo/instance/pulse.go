package instance

import (
	"context"
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/state"
)

// exo numbers the events by which its state changes, and tells the number of the last one. A
// chat leaves nothing else behind when it has ended: exo deletes its task. So the number is
// what shows a short one that came and went during a request of ours:
//
//	events = those of our own request + those of exo at rest + those of others
//
// A request costs one event a token, one for each report on the prefill, and six besides (task
// created and running, runner running, complete, runner ready, task deleted). At rest exo has
// between one and two events a second on each machine (memory every second, the rest seldom);
// how many is learned from the quietest of the spans between two looks. And once a minute each
// machine reads its list of downloads again: see scans.
const (
	ownEvents      = 9    // of a request, beside its tokens: three reports on the prefill
	tokensReported = 2048 // of a prompt, from one report on the prefill to the next
	restMost       = 2.0  // events a second on each machine, the most that a release has
	unheardOf      = 3    // times as many at rest as any release has
	irregular      = 1.2  // times as many events in one span as in another are not exo's own
	restDoubt      = 2    // events of a span that may have been counted in its neighbour
	restUnheard    = 0.5  // of what is taken for the rate at rest, it may be so much: while it is not learned
	restHeard      = 0.75 // and when it is
	restMargin     = 5    // events that come at once now and then; the shortest chat has ten
	spansKept      = 32
	spanShortest   = time.Second
	quietest       = 10 // one span in so many may have counted too few, and is passed over
	blindShare     = 2  // of our own tokens, one of so many is the least that must have counted
)

// cluster is what decides how many events exo has by itself.
type cluster struct {
	nodes int
	cards int // models that a machine knows of, at most
}

// mark is the number of exo's last event at a moment; zero when it is not known.
type mark struct {
	events int64
	at     time.Time
}

// span is what lies between two marks.
type span struct {
	from, to mark
	own      int64 // events that our requests in it cost
}

func (s span) took() time.Duration { return s.to.at.Sub(s.from.at) }

// left returns the events that were not ours.
func (s span) left() float64 { return float64(s.to.events - s.from.events - s.own) }

// rate returns the most events a second that exo may have had in the span beside our own.
func (s span) rate() float64 { return (s.left() + restDoubt) / s.took().Seconds() }

// pulse learns what events exo has by itself. It is safe for concurrent use.
type pulse struct {
	mu    sync.Mutex
	spans []span
	alone int // spans since somebody's request was seen last
	scans scans
}

// verdict is what is thought of the events in a span.
type verdict struct {
	others int64 // that were neither ours nor exo's own; 0 for so few that they may be
	scan   bool  // a scan was among exo's own
	open   bool  // exo may be in the middle of a scan: a later look may judge otherwise
}

// judge says whose the events in a span were. Where exo does not count tokens as events nothing
// can be told.
func (p *pulse) judge(s span, c cluster) verdict {
	if s.took() <= 0 || s.left() < float64(-s.own/blindShare) {
		return verdict{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	most, least := p.rest(c.nodes)
	over, atMost := int64(s.left()-most*s.took().Seconds()), int64(s.left()-least*s.took().Seconds())
	if over <= restMargin {
		return verdict{}
	}
	v := p.scans.judge(s, over, atMost, c)
	if !v.scan {
		v.others = over
	}
	return v
}

// learn takes in a span that is judged.
func (p *pulse) learn(s span, v verdict, c cluster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.took() >= spanShortest && s.left() >= float64(-s.own/blindShare) {
		p.spans = append(p.spans, s)
		p.spans = p.spans[max(0, len(p.spans)-spansKept):]
		p.alone++
	}
	p.scans.learn(s, v, c)
}

// sighted notes that somebody's request was seen: what there is in the spans may be theirs.
func (p *pulse) sighted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alone = 0
}

// rest returns how many events a second exo has at rest, at most and at least: no more than is
// known of its releases, so that somebody who always chats is not taken for exo itself, unless
// every span has far more, and about as many, and nobody was seen all the time, as with an exo
// that nobody has met yet.
func (p *pulse) rest(nodes int) (most, least float64) {
	most = restMost * float64(max(1, nodes))
	if len(p.spans) == 0 {
		return most, most * restUnheard
	}
	rates := make([]float64, len(p.spans))
	for i, s := range p.spans {
		rates[i] = s.rate()
	}
	slices.Sort(rates)
	rate := max(0, rates[len(rates)/quietest])
	steady := p.alone >= spansKept && rates[len(rates)-1-len(rates)/quietest] <= irregular*rate
	if rate <= unheardOf*most || !steady {
		rate = min(most, rate)
	}
	return rate, rate * restHeard
}

// others returns how many events since from were neither ours, of which there were own, nor
// exo's, and the mark up to which that is true: to, or a later one where it took more looks to
// tell a scan that had begun from somebody's request.
func (m *Manager) others(ctx context.Context, from, to mark, own int64) (int64, mark) {
	if from.at.IsZero() || to.at.IsZero() || to.events < from.events {
		return 0, to
	}
	ctx, cancel := context.WithTimeout(ctx, scanLasts)
	defer cancel()
	c := m.size()
	for grew := int64(scanLull + 1); ; {
		s := span{from, to, own}
		v := m.pulse.judge(s, c)
		if v.open && grew > scanLull && sleep(ctx, scanLook) == nil {
			if look, err := m.node.glance(ctx, state.Query{Parts: state.Events}); err == nil {
				grew = look.Events - to.events
				to = marked(look)
				continue
			}
		}
		m.log.Debug("exo's events counted", "in", s.took(), "ours", own, "not_ours", s.left(), "others", v.others, "scan", v.scan)
		m.pulse.learn(s, v, c)
		return v.others, to
	}
}

// marked returns the mark that a look at the events that has just been taken sets.
func marked(s state.Snapshot) mark {
	if !s.Known.Has(state.Events) {
		return mark{}
	}
	return mark{s.Events, time.Now()}
}

// cost returns how many events the requests behind results have cost exo; known is false where
// one went on when nobody read its answer any more. What came is counted, whatever was asked for.
func cost(results []workload.Result) (events int64, known bool) {
	known = true
	for _, r := range results {
		if r.Outcome == workload.OutcomeHTTPError {
			continue // refused, before exo made a task of it
		}
		known = known && !(r.Overran && r.FinishReason == "")
		events += int64(max(r.TokenEvents+r.ExtraEvents, r.OutputTokens) + r.PromptTokens/tokensReported + ownEvents)
	}
	return events, known
}
