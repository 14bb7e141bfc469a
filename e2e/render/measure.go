package render

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/rules"
)

// lookback is how long Prometheus goes on showing a series that has no new samples.
const lookback = 5 * time.Minute

// pace is how often the program is scraped, and rules about alerts are evaluated where their own interval is shorter.
type pace struct {
	scrape, rules time.Duration
	// before is how long before each of these scrapes there is another one: where they lie further apart than Prometheus looks
	// back, what a scrape has added could not be told from what was there. None when zero.
	before time.Duration
}

// measure scrapes the program until a moment. Before each scrape happen is told of it, for what is due by then.
func measure(t *testing.T, client *http.Client, s *store, until time.Time, every pace, happen func(at time.Time) error) {
	t.Helper()
	scraper := newScraper(client, s)
	// News of the last scrapes: records follow what was added, and end one evaluation later or by themselves.
	news := make([]bool, 4)
	if every.scrape >= lookback {
		news = news[:1]
	}
	scrape := func(after time.Duration) time.Time {
		time.Sleep(after)
		at := time.Now()
		if err := happen(at); err != nil {
			t.Error(err)
		}
		if err := scraper.scrape(at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	for time.Now().Before(until) {
		if every.before > 0 {
			scrape(every.scrape - every.before)
		}
		at := scrape(cmp.Or(every.before, every.scrape))
		copy(news[1:], news)
		news[0] = scraper.news
		seen := at.After(until.Add(-lookback)) // what has no news yet is there
		recorded := seen || slices.Contains(news, true)
		err := s.do(func() error {
			err := s.eval(context.Background(), at, func(g *rules.Group) bool {
				if strings.HasPrefix(g.Name(), perScrape) {
					return at.Sub(epoch)%g.Interval() == 0 && recorded
				}
				return at.Sub(epoch)%max(g.Interval(), every.rules) == 0
			})
			if err != nil || every.scrape <= time.Minute || !recorded {
				return err
			}
			// What is recorded minute by minute has the minute before in it.
			return s.eval(context.Background(), at.Add(time.Minute), func(g *rules.Group) bool { return g.Name() == perMinute })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The groups of records that follow the scrapes: all of them by their prefix, and those of a minute.
const perScrape, perMinute = "exobench-dashboards", "exobench-dashboards-models"
