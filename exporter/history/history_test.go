package history

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// A Prometheus that has nothing to say of the exporter, or too much, is told of in words.
func TestChoose(t *testing.T) {
	vector := func(instances ...string) string {
		var all []string
		for _, i := range instances {
			all = append(all, fmt.Sprintf(`{"metric":{"instance":%q},"value":[1,"1"]}`, i))
		}
		return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(all, ",") + `]}}`
	}
	for name, c := range map[string]struct{ answer, instance, want string }{
		"none":        {vector(), "", "knows of no cycle of an exporter"},
		"two":         {vector("b", "a"), "", "name one by -instance: a, b"},
		"another one": {vector("a"), "b", "of -instance b this Prometheus knows no cycle in that time; it knows a"},
		"an error":    {`{"status":"error","errorType":"bad_data","error":"no"}`, "", "no answer of Prometheus: bad_data: no"},
		"a page":      {`<html>`, "", "no answer of Prometheus"},
		"a number":    {`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`, "", "an answer of Prometheus that is a scalar"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.answer)) }))
			defer server.Close()
			_, err := Read(t.Context(), Options{URL: server.URL, Instance: c.instance, From: time.Unix(0, 0), To: time.Unix(3600, 0)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A native histogram has the count and the sum that a classic one has in series of their own, which win.
func TestNative(t *testing.T) {
	s := snapshot{values: map[series]float64{}}
	add := func(name string, h *model.SampleHistogram, v model.SampleValue) {
		m := model.Metric{"__name__": model.LabelValue("exobench_" + name), "model": "m", "prompt": "p"}
		s.add(&model.Sample{Metric: m, Histogram: h, Value: v})
	}
	add("time_to_first_token_seconds", &model.SampleHistogram{Count: 3, Sum: 1.5}, 0)
	add("request_duration_seconds_count", nil, 4)
	add("request_duration_seconds", &model.SampleHistogram{Count: 3, Sum: 1.5}, 0)
	add("inter_token_latency_seconds", &model.SampleHistogram{Count: 3, Sum: 1.5}, 0)
	add("inter_token_latency_seconds_count", nil, 4)
	for name, want := range map[string]float64{
		"time_to_first_token_seconds_count": 3, "time_to_first_token_seconds_sum": 1.5, "request_duration_seconds_count": 4,
		"inter_token_latency_seconds_count": 4, "inter_token_latency_seconds_sum": 1.5,
	} {
		if got := s.values[series{name: name, model: "m", prompt: "p"}]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// What a Prometheus keeps of histograms is the same turn, whether classic or native: requests and gaps are counted, and the buckets
// of the gaps are asked for from the first look on, not from before it.
func TestRead(t *testing.T) {
	for name, native := range map[string]bool{"classic": false, "native": true} {
		t.Run(name, func(t *testing.T) {
			p := &fake{scrapes: []snapshot{taken(3), taken(4), taken(5)}, native: native}
			h, err := Read(t.Context(), Options{URL: p.serve(t), From: time.Unix(1, 0), To: time.Unix(10000, 0)})
			if err != nil {
				t.Fatal(err)
			}
			if len(h.Turns) != 2 {
				t.Fatalf("%d turns", len(h.Turns))
			}
			rate, _ := h.Turns[1].Turn.DecodeRate()
			ttft, _ := h.Turns[1].Turn.MedianTTFT()
			if rate != 50 || ttft != 500*time.Millisecond {
				t.Errorf("rate %v, first token %v", rate, ttft)
			}
			if d := h.Gaps["m"]; d.N != 400 { // of two prompts in two turns
				t.Errorf("%d gaps", d.N)
			}
			last := p.asked[len(p.asked)-1]
			if want := `[1801s]`; !strings.Contains(last, want) || strings.Contains(last, "_bucket") == native {
				t.Errorf("asked %s, want %s", last, want)
			}
		})
	}
}

// A range in which no cycle ended has no turn and no gaps.
func TestReadNothing(t *testing.T) {
	p := &fake{scrapes: []snapshot{taken(3)}}
	h, err := Read(t.Context(), Options{URL: p.serve(t), From: time.Unix(1, 0), To: time.Unix(10000, 0)})
	if err != nil || len(h.Turns) != 0 || len(h.Gaps) != 0 {
		t.Errorf("%v: %+v", err, h)
	}
}

// No error tells the user or the password that an address has.
func TestErrorsQuoteNoAddress(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, address := range map[string]string{
		"no port":    "http://alice:hush@localhost:port",
		"no scheme":  "alice:hush@localhost:9090",
		"other":      "ftp://alice:hush@localhost:9090",
		"nobody":     strings.Replace(closed.URL, "http://", "http://alice:hush@", 1),
		"no address": "",
	} {
		_, err := Read(t.Context(), Options{URL: address, From: time.Unix(0, 0), To: time.Unix(3600, 0)})
		if err == nil || strings.Contains(err.Error(), "alice") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "nobody" != strings.Contains(err.Error(), "no answer of Prometheus: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
