package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/storage"
)

const (
	job      = "exo-bench-exporter"
	instance = "exo"
)

// scraper puts what the exporter exports into a store, as Prometheus does with prometheus/prometheus.yml.
type scraper struct {
	client *http.Client
	store  *store
	known  map[string]*scraped // by metric and labels as they are exposed
	own    map[string]storage.SeriesRef
	round  int
	news   bool // the last scrape brought something that accumulates
}

// scraped is a series of the exporter.
type scraped struct {
	labels labels.Labels
	ref    storage.SeriesRef
	round  int // in which it was last seen
	last   float64
}

func newScraper(client *http.Client, s *store) *scraper {
	return &scraper{client: client, store: s, known: map[string]*scraped{}, own: map[string]storage.SeriesRef{}}
}

const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

// scrape asks the exporter once and stores what it answers, or that it does not.
func (s *scraper) scrape(at time.Time) error {
	s.round++
	s.news = false
	body, contentType, err := s.get()
	return s.store.do(func() error { return s.keep(body, contentType, err == nil, at) })
}

// keep stores an answer, or that there was none.
func (s *scraper) keep(body []byte, contentType string, answered bool, at time.Time) (err error) {
	up := 0.0
	if answered {
		up = 1
		if err := s.parse(body, contentType, at); err != nil {
			return err
		}
	}
	if err := s.goneSince(at); err != nil {
		return err
	}
	for name, v := range map[string]float64{
		"up": up, "scrape_duration_seconds": 0.004, "scrape_samples_scraped": up * float64(len(s.known)),
		"scrape_samples_post_metric_relabeling": up * float64(len(s.known)), "scrape_series_added": 0,
	} {
		if s.own[name], err = s.store.append(s.own[name], target(labels.FromStrings(model.MetricNameLabel, name)), at, v, nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return s.store.commit()
}

func (s *scraper) get() (body []byte, contentType string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://exporter.test:9955/metrics", http.NoBody)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept", protobuf)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", errors.New(resp.Status)
	}
	body, err = io.ReadAll(resp.Body)
	return body, resp.Header.Get("Content-Type"), err
}

func (s *scraper) parse(body []byte, contentType string, at time.Time) error {
	p, err := textparse.New(body, contentType, nil, textparse.ParserOptions{KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		return err
	}
	for {
		entry, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case entry == textparse.EntrySeries:
			met, _, v := p.Series()
			err = s.take(p, string(met), at, v, nil)
		case entry == textparse.EntryHistogram:
			met, _, h, _ := p.Histogram()
			err = s.take(p, "native "+string(met), at, 0, h)
		}
		if err != nil {
			return err
		}
	}
}

// take stores one sample.
func (s *scraper) take(p textparse.Parser, exposed string, at time.Time, v float64, h *histogram.Histogram) error {
	k := s.known[exposed]
	if k == nil {
		k = &scraped{}
		p.Labels(&k.labels)
		k.labels = target(k.labels)
		s.known[exposed] = k
	}
	k.round = s.round
	accumulated := v
	if h != nil {
		accumulated = float64(h.Count)
	}
	name := k.labels.Get(model.MetricNameLabel)
	if accumulated != k.last && strings.HasPrefix(name, "exobench_") && (h != nil || strings.HasSuffix(name, "_total")) {
		s.news = true
	}
	k.last = accumulated
	ref, err := s.store.append(k.ref, k.labels, at, v, h)
	if err != nil {
		return fmt.Errorf("%s: %w", k.labels, err)
	}
	k.ref = ref
	return nil
}

// goneSince marks the series stale that the last scrape did not have any more.
func (s *scraper) goneSince(at time.Time) error {
	for _, k := range s.known {
		if k.round < s.round {
			if err := s.store.stale(k.ref, k.labels, at); err != nil {
				return fmt.Errorf("%s: %w", k.labels, err)
			}
		}
	}
	maps.DeleteFunc(s.known, func(_ string, k *scraped) bool { return k.round < s.round })
	return nil
}

// target adds the labels of the exporter as a target of Prometheus.
func target(l labels.Labels) labels.Labels {
	return labels.NewBuilder(l).Set("job", job).Set("instance", instance).Labels()
}
