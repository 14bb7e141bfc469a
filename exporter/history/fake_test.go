package history

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// fake is a Prometheus that knows an exporter by scrapes, and answers the forms of question that are put here.
type fake struct {
	scrapes []snapshot
	native  bool // it has native histograms alone
	asked   []string
}

var selector = regexp.MustCompile(`^\{__name__=~"exobench_\((.*)\)",instance="[^"]*"\}(\[\d+ms\])?$`)

func (f *fake) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.FormValue("query")
		f.asked = append(f.asked, q)
		seconds, err := strconv.ParseFloat(r.FormValue("time"), 64)
		if err != nil {
			t.Error(err)
		}
		v := f.answer(q, time.Unix(int64(seconds), 0))
		result, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"` + v.Type().String() + `","result":` + string(result) + `}}`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (f *fake) answer(q string, at time.Time) model.Value {
	form := selector.FindStringSubmatch(q)
	switch {
	case strings.HasPrefix(q, "count by (instance)"):
		return model.Vector{{Metric: model.Metric{"instance": "host"}, Value: 1}}
	case form == nil:
		return f.increase(q)
	case form[2] != "":
		return f.cycles()
	}
	for _, s := range f.scrapes {
		if s.at.Equal(at) {
			return f.samples(s, regexp.MustCompile("^(?:"+form[1]+")$"))
		}
	}
	return model.Vector{}
}

// increase is of a histogram of one bucket.
func (f *fake) increase(q string) model.Vector {
	if f.native == strings.Contains(q, "_bucket") {
		return nil
	}
	if f.native {
		h := model.SampleHistogram{Count: 7, Buckets: model.HistogramBuckets{{Lower: 0.01, Upper: 0.02, Count: 7}}}
		return model.Vector{{Metric: model.Metric{"model": "m"}, Histogram: &h}}
	}
	return model.Vector{
		{Metric: model.Metric{"model": "m", "le": "0.02"}, Value: 7},
		{Metric: model.Metric{"model": "m", "le": "+Inf"}, Value: 7},
	}
}

func (f *fake) cycles() (m model.Matrix) {
	s := &model.SampleStream{Metric: model.Metric{model.MetricNameLabel: "exobench_cycles_total", "outcome": "ok"}}
	for _, scrape := range f.scrapes {
		v := scrape.values[series{name: "cycles_total", outcome: "ok"}]
		s.Values = append(s.Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(scrape.at.UnixNano()), Value: model.SampleValue(v)})
	}
	return append(m, s)
}

// samples are the series of a snapshot whose name fits.
func (f *fake) samples(s snapshot, names *regexp.Regexp) (v model.Vector) {
	histograms := map[series]*model.Sample{}
	for key, value := range s.values {
		metric := model.Metric{
			model.MetricNameLabel: model.LabelValue("exobench_" + key.name), "model": model.LabelValue(key.model),
			"prompt": model.LabelValue(key.prompt), "outcome": model.LabelValue(key.outcome), "state": model.LabelValue(key.state),
			"node": model.LabelValue(key.node),
		}
		sample := &model.Sample{Metric: metric, Value: model.SampleValue(value)}
		if base, part, ok := histogramPart(key.name); ok && f.native {
			key.name = base
			metric[model.MetricNameLabel] = model.LabelValue("exobench_" + base)
			if histograms[key] == nil {
				histograms[key] = &model.Sample{Metric: metric, Histogram: &model.SampleHistogram{}}
			}
			sample = histograms[key]
			if part == "count" {
				sample.Histogram.Count = model.FloatString(value)
			} else {
				sample.Histogram.Sum = model.FloatString(value)
			}
		}
		if key.name != "model_good_cycles_total" && names.MatchString(key.name) {
			v = append(v, sample)
		}
	}
	for name, all := range s.infos {
		for _, labels := range all {
			metric := labels.Clone()
			metric[model.MetricNameLabel] = model.LabelValue("exobench_" + name)
			key := series{name: name, model: string(labels["model"]), state: string(labels["epoch"])}
			if names.MatchString(name) {
				v = append(v, &model.Sample{Metric: metric, Value: model.SampleValue(s.values[key])})
			}
		}
	}
	return v
}

func histogramPart(name string) (base, part string, ok bool) {
	for _, part := range []string{"count", "sum"} {
		if base, ok := strings.CutSuffix(name, "_seconds_"+part); ok {
			return base + "_seconds", part, true
		}
	}
	return "", "", false
}
