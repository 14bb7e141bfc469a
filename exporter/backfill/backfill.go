// Package backfill makes of kept records the samples that Prometheus would have scraped, for a
// time in which it was away.
//
//	record.Each → exporter.Metrics (a new one, fed as it was) → Gather at every step → OpenMetrics
//
// It writes the gauges that tell of models: the figures of each cycle, which are lost when nobody
// looks. Counters and histograms lose nothing, for they go on counting: the first scrape after
// the gap shows everything that came in it, and copies that begin at zero would be taken for
// resets.
package backfill

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// maxSteps bounds the samples of one series: all of them are held until they are sorted.
const maxSteps = 6000

// Options say what is to be written. All are required.
type Options struct {
	From, To time.Time     // of the first and last sample
	Step     time.Duration // between samples; Prometheus' scrape interval
	// MaxAge is how long the figures of a turn are shown when no further turn of the model comes:
	// nobody knows from the records whether the exporter was there.
	MaxAge        time.Duration
	Job, Instance string // labels that Prometheus gives to what it scrapes from this exporter
}

func (o Options) check() error {
	switch {
	case !o.From.Before(o.To):
		return errors.New("there is nothing from -from to -to: want a -from before -to")
	case o.Step < time.Second || o.MaxAge <= 0:
		return errors.New("want steps of at least a second")
	case o.To.Sub(o.From)/o.Step > maxSteps:
		return fmt.Errorf("%s in steps of %s is more than %d samples of each series: want longer steps, or parts of that time one by one",
			o.To.Sub(o.From), o.Step, maxSteps)
	case o.Job == "" || o.Instance == "":
		return errors.New("want a -job and an -instance: without them the samples are nobody's")
	}
	return nil
}

// Write reads the records that are kept at path and writes the samples of o to w as OpenMetrics,
// which promtool makes blocks of. It returns how many it wrote.
func Write(w io.Writer, path string, o Options) (samples int, err error) {
	if err := o.check(); err != nil {
		return 0, err
	}
	records, err := load(path, o)
	if err != nil {
		return 0, err
	}
	s := &sampler{o: o, families: make(map[string]*dto.MetricFamily)}
	if len(records) > 0 {
		if err := s.replay(records); err != nil {
			return 0, err
		}
	}
	return s.count, s.write(w)
}

// load returns the records that may be shown in the time of o, by the time at which they came to
// be shown.
func load(path string, o Options) ([]record.Record, error) {
	var all []record.Record
	_, err := record.Each(path, func(r record.Record) error {
		if at := shownAt(r); !at.After(o.To) && at.After(o.From.Add(-o.MaxAge)) {
			all = append(all, r)
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b record.Record) int { return shownAt(a).Compare(shownAt(b)) })
	return all, err
}

// shownAt returns when the exporter showed what r tells of: at its end.
func shownAt(r record.Record) time.Time {
	if r.Turn != nil {
		return r.Turn.Start.Add(r.Turn.Duration)
	}
	return r.Result.Start.Add(r.Result.E2E)
}

// sampler replays records and takes samples meanwhile.
type sampler struct {
	o        Options
	families map[string]*dto.MetricFamily
	count    int
	turns    map[string]*workload.Turn // by model: the turn whose results come
	last     map[string]time.Time      // by model: when something of it came last
}

// replay feeds metrics as the Runner did, and looks at them at every step.
func (s *sampler) replay(records []record.Record) error {
	s.turns, s.last = make(map[string]*workload.Turn), make(map[string]time.Time)
	reg := prometheus.NewRegistry()
	observer := exporter.NewObserver(exporter.NewMetrics(reg, options(records)))
	for at := s.o.From; !at.After(s.o.To); at = at.Add(s.o.Step) {
		for len(records) > 0 && !shownAt(records[0]).After(at) {
			s.feed(observer, records[0])
			records = records[1:]
		}
		if err := s.sample(reg, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *sampler) feed(o exporter.Observer, r record.Record) {
	if r.Result != nil {
		t := s.turns[r.Result.Model]
		if t == nil {
			t = &workload.Turn{}
			s.turns[r.Result.Model] = t
		}
		t.Results = append(t.Results, *r.Result)
		s.last[r.Result.Model] = shownAt(r)
		o.RequestDone(*r.Result)
		return
	}
	turn := *r.Turn
	if t := s.turns[turn.Model]; t != nil {
		turn.Results = slices.DeleteFunc(t.Results, func(r workload.Result) bool { return r.Start.Before(turn.Start) })
		delete(s.turns, turn.Model)
	}
	s.last[turn.Model] = shownAt(r)
	o.TurnDone(turn)
}

// sample keeps what tells of models at that time.
func (s *sampler) sample(reg prometheus.Gatherer, at time.Time) error {
	families, err := reg.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if f.GetType() != dto.MetricType_GAUGE {
			continue
		}
		for _, m := range f.Metric {
			model, of := label(m, "model")
			last, seen := s.last[model]
			if !of || !seen || at.Sub(last) > s.o.MaxAge {
				continue
			}
			s.keep(f, m, at)
		}
	}
	return nil
}

func label(m *dto.Metric, name string) (string, bool) {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue(), true
		}
	}
	return "", false
}

func (s *sampler) keep(f *dto.MetricFamily, m *dto.Metric, at time.Time) {
	kept := s.families[f.GetName()]
	if kept == nil {
		kept = &dto.MetricFamily{Name: f.Name, Help: f.Help, Type: f.Type, Unit: f.Unit}
		s.families[f.GetName()] = kept
	}
	m.TimestampMs = proto.Int64(at.UnixMilli())
	m.Label = append(m.Label, pair("job", s.o.Job), pair("instance", s.o.Instance))
	kept.Metric = append(kept.Metric, m)
	s.count++
}

func pair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)}
}

// write writes the families by name, each series by itself and in the order of time.
func (s *sampler) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	names := make([]string, 0, len(s.families))
	for name := range s.families {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := s.families[name]
		slices.SortStableFunc(f.Metric, func(a, b *dto.Metric) int { return strings.Compare(series(a), series(b)) })
		if _, err := expfmt.MetricFamilyToOpenMetrics(out, f); err != nil {
			return err
		}
	}
	if _, err := expfmt.FinalizeOpenMetrics(out); err != nil {
		return err
	}
	return out.Flush()
}

// series names the series of m within its family.
func series(m *dto.Metric) string {
	var b strings.Builder
	for _, l := range m.Label {
		b.WriteString(l.GetName() + "\x00" + l.GetValue() + "\x00")
	}
	return b.String()
}

// options returns those of metrics that hold every model and prompt in the records.
func options(records []record.Record) exporter.Options {
	var o exporter.Options
	model := func(name string) {
		if !slices.ContainsFunc(o.Models, func(m workload.Model) bool { return m.Name == name }) {
			o.Models = append(o.Models, workload.Model{Name: name})
		}
	}
	for _, r := range records {
		if r.Turn != nil {
			model(r.Turn.Model)
			continue
		}
		model(r.Result.Model)
		if !slices.ContainsFunc(o.Suite.Prompts, func(p workload.Prompt) bool { return p.ID == r.Result.Prompt }) {
			o.Suite.Prompts = append(o.Suite.Prompts, workload.Prompt{ID: r.Result.Prompt})
		}
	}
	return o
}
