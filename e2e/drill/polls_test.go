package drill

import (
	"sync"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

// pollInterval is how often the exporter looks whether exo is there, while it is.
const pollInterval = 15 * time.Second

// polls notices when the exporter has looked whether exo is there: it then has another round
// trip time.
type polls struct {
	mu   sync.Mutex
	rtt  string
	last time.Time
}

// watchPolls looks at the exporter's metrics all the time, and lets see have them, too.
func watchPolls(t *testing.T, metrics string, see func(exposition []byte, now time.Time)) *polls {
	p := &polls{}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case now := <-tick.C:
				body, _ := stack.Get(metrics) // fails while the exporter is away
				see(body, time.Now())
				rtt, _ := stack.Sample(body, "exobench_exo_rtt_seconds")
				p.mu.Lock()
				if rtt != p.rtt && rtt != "" {
					p.last = now
				}
				p.rtt = rtt
				p.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	return p
}

// beforeNext returns about a second before the exporter looks the next time.
func (p *polls) beforeNext(t *testing.T) {
	t.Helper()
	stack.Eventually(t, 4*pollInterval, 100*time.Millisecond, "the exporter is about to look whether exo is there", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		until := pollInterval - time.Since(p.last)
		return until > 400*time.Millisecond && until < 1200*time.Millisecond
	})
}
