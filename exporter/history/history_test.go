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
	s.add(&model.Sample{
		Metric:    model.Metric{"__name__": "exobench_time_to_first_token_seconds", "model": "m", "prompt": "p"},
		Histogram: &model.SampleHistogram{Count: 3, Sum: 1.5},
	})
	for part, want := range map[string]float64{"_count": 3, "_sum": 1.5} {
		if got := s.values[series{name: "time_to_first_token_seconds" + part, model: "m", prompt: "p"}]; got != want {
			t.Errorf("%s is %v, want %v", part, got, want)
		}
	}
}
