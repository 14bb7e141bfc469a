package replay

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// loader loads from a rule file the alerts of the given names with all recording rules that they rest
// on, and leaves out the rest: what is recorded for people, and the texts of the alerts, cost as much
// as the alarms themselves. What is loaded is as it stands in the file, and in its order.
type loader struct {
	parser.Parser
	file   []byte
	alerts []string
}

// Parse parses an expression.
func (l loader) Parse(query string) (parser.Expr, error) { return l.ParseExpr(query) }

// Load implements rules.GroupLoader.
func (l loader) Load(_ string, ignoreUnknown bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	all, errs := rulefmt.Parse(l.file, ignoreUnknown, scheme, l, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		return nil, errs
	}
	recorded := map[string]rulefmt.Rule{}
	needed := map[string]bool{}
	var todo []rulefmt.Rule
	for _, g := range all.Groups {
		for _, r := range g.Rules {
			switch {
			case r.Record != "":
				recorded[r.Record] = r
			case slices.Contains(l.alerts, r.Alert):
				needed[r.Alert] = true
				todo = append(todo, r)
			}
		}
	}
	for _, name := range l.alerts {
		if !needed[name] {
			return nil, []error{fmt.Errorf("the rules have no alert %s", name)}
		}
	}
	for len(todo) > 0 {
		expr, err := l.Parse(todo[0].Expr)
		if err != nil {
			return nil, []error{err}
		}
		todo = todo[1:]
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			if v, ok := node.(*parser.VectorSelector); ok && !needed[v.Name] {
				needed[v.Name] = true
				if r, ok := recorded[v.Name]; ok {
					todo = append(todo, r)
				}
			}
			return nil
		})
	}
	for i := range all.Groups {
		g := &all.Groups[i]
		g.Rules = slices.DeleteFunc(g.Rules, func(r rulefmt.Rule) bool { return !needed[r.Record+r.Alert] })
		for j := range g.Rules {
			g.Rules[j].Annotations = nil
		}
	}
	all.Groups = slices.DeleteFunc(all.Groups, func(g rulefmt.RuleGroup) bool { return len(g.Rules) == 0 })
	return all, nil
}
