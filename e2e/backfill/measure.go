package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"exo-bench-exporter/grafana"
)

// limit is what no query may take longer than.
const limit = 300 * time.Millisecond

// step is Grafana's interval for 30 days on a panel of 1000 pixels, and of up to 1700 of them.
const step = 30 * time.Minute

// cost is what a query took.
type cost struct {
	grafana.Query
	took   []time.Duration // in ascending order
	cpu    time.Duration   // of Prometheus, on average; on a busy machine took is larger
	series int             // in the answer
}

func (c cost) median() time.Duration { return c.took[len(c.took)/2] }

// measure asks Prometheus everything that the dashboards ask about a period, as Grafana does, and
// prints what it took, the most expensive first.
func measure(url string, length time.Duration, runs int) error {
	dashboards, err := grafana.Dashboards()
	if err != nil {
		return err
	}
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		return err
	}
	prometheus := promapi.NewAPI(client)
	end, err := newest(prometheus, length)
	if err != nil {
		return err
	}
	var costs []cost
	for _, d := range dashboards {
		values := d.Defaults()
		for name, value := range map[string]string{
			"job": ".+", "instance": "exo", "model": "llama-3.1-8b", "reference": "llama-3.1-8b",
			"__range": promDuration(length), "__interval": promDuration(step), "__rate_interval": promDuration(step + scrapeInterval),
		} {
			values[name] = value
		}
		for _, q := range d.Queries() {
			c := cost{Query: q}
			before, err := processorTime(url)
			if err != nil {
				return err
			}
			for range runs {
				took, series, err := ask(prometheus, q.Expand(values), q.Instant, end, length)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", q.Dashboard, q.Place, err)
				}
				c.took, c.series = append(c.took, took), series
			}
			after, err := processorTime(url)
			if err != nil {
				return err
			}
			slices.Sort(c.took)
			c.cpu = (after - before) / time.Duration(runs)
			costs = append(costs, c)
		}
	}
	slices.SortStableFunc(costs, func(a, b cost) int { return cmp.Compare(b.median(), a.median()) })
	return printCosts(costs)
}

func promDuration(d time.Duration) string { return model.Duration(d).String() }

// newest returns when the history ends.
func newest(prometheus promapi.API, length time.Duration) (time.Time, error) {
	query := fmt.Sprintf("max_over_time(timestamp(exobench_simulated)[%s:5m])", promDuration(length))
	value, _, _, err := prometheus.Query(context.Background(), query, time.Now())
	if err != nil {
		return time.Time{}, err
	}
	if vector, ok := value.(model.Vector); ok && len(vector) == 1 {
		return time.Unix(int64(vector[0].Value), 0), nil
	}
	return time.Time{}, fmt.Errorf("%s: got %v, want the time of the newest sample: was a history written?", query, value)
}

// ask asks once and returns how long the whole answer took, and how many series it has.
func ask(prometheus promapi.API, query string, instant bool, end time.Time, length time.Duration) (time.Duration, int, error) {
	var value model.Value
	var err error
	begin := time.Now()
	if instant {
		value, _, _, err = prometheus.Query(context.Background(), query, end)
	} else {
		value, _, _, err = prometheus.QueryRange(context.Background(), query, promapi.Range{Start: end.Add(-length), End: end, Step: step})
	}
	took := time.Since(begin)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", query, err)
	}
	switch value := value.(type) {
	case model.Vector:
		return took, len(value), nil
	case model.Matrix:
		return took, len(value), nil
	}
	return took, 1, nil
}

// processorTime returns how much processor time Prometheus has used, as it says itself.
func processorTime(url string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if text, ok := strings.CutPrefix(line, "process_cpu_seconds_total "); ok {
			seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			return time.Duration(seconds * float64(time.Second)), err
		}
	}
	return 0, fmt.Errorf("%s/metrics: no process_cpu_seconds_total", url)
}

func printCosts(costs []cost) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "median\tworst\tprocessor\tseries\tdashboard\tquery")
	over := 0
	for _, c := range costs {
		if c.median() > limit {
			over++
		}
		fmt.Fprintf(w, "%v\t%v\t%v\t%d\t%s\t%s\n", c.median().Round(time.Millisecond), c.took[len(c.took)-1].Round(time.Millisecond),
			c.cpu.Round(time.Millisecond), c.series, c.Dashboard, c.Place)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if over > 0 {
		return fmt.Errorf("%d of %d queries take longer than %v", over, len(costs), limit)
	}
	fmt.Printf("none of %d queries takes longer than %v\n", len(costs), limit)
	return nil
}
