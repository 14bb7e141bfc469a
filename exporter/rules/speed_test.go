package rules

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload/judge"
)

// What is said of speed is the exporter's word, whatever the cycle interval.
func TestRulesOfSpeedAreTheSameForEveryInterval(t *testing.T) {
	speed := func(interval time.Duration) any {
		f, _ := generate(t, Options{Interval: interval, Evaluation: time.Minute})
		for _, g := range f.Groups {
			if g.Name == "exobench-speed" {
				return g
			}
		}
		t.Fatalf("no group exobench-speed for %v", interval)
		return nil
	}
	if a, b := speed(time.Minute), speed(7*24*time.Hour); !reflect.DeepEqual(a, b) {
		t.Errorf("for a minute %+v\nfor a week %+v", a, b)
	}
}

// Every kind of change is told of by one alert, a loss of decode speed by no two.
func TestEveryKindHasAnAlert(t *testing.T) {
	f, _ := generate(t, Options{})
	selector := regexp.MustCompile(`max without \([a-z, ]+\) \(exobench:speed:alarm\{(.*)\}\)`)
	matcher := regexp.MustCompile(`(quantity|kind)(=~|!~|=)"([a-z|]+)"`)
	told := map[string][]string{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			m := selector.FindStringSubmatch(r.Expr)
			if r.Alert == "" || m == nil {
				continue
			}
			for _, q := range judge.Quantities() {
				for _, k := range judge.Kinds() {
					of := map[string]string{"quantity": string(q), "kind": string(k)}
					matches := true
					for _, m := range matcher.FindAllStringSubmatch(m[1], -1) {
						matches = matches && slices.Contains(strings.Split(m[3], "|"), of[m[1]]) == (m[2] != "!~")
					}
					if matches {
						told[string(q+" ")+string(k)] = append(told[string(q+" ")+string(k)], r.Alert)
					}
				}
			}
		}
	}
	for _, q := range judge.Quantities() {
		for _, k := range judge.Kinds() {
			if got := told[string(q+" ")+string(k)]; len(got) != 1 {
				t.Errorf("%s %s is told of by %q", q, k, got)
			}
		}
	}
}
