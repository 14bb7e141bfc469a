package exporter

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caarlos0/env/v11"

	"exo-bench-exporter/workload/exo/foreign"
)

// Problem is one variable that is wrong.
type Problem struct {
	Variable string // with prefix
	Value    string // quoted for display; empty for a secret and where none was given
	Message  string // what would be right
}

// maxMessage bounds a message in bytes, which may hold the name of a file; maxProblems bounds those
// that are listed.
const (
	maxMessage  = 1000
	maxProblems = 50
)

func (p Problem) String() string {
	name, message := foreign.ID(p.Variable), foreign.Cut(p.Message, maxMessage)
	if p.Value == "" {
		return name + ": " + message
	}
	return name + "=" + p.Value + ": " + message
}

// ConfigError lists everything that is wrong with a configuration.
type ConfigError struct {
	Problems []Problem
}

func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString("the configuration is wrong:")
	for _, p := range e.Problems[:min(len(e.Problems), maxProblems)] {
		b.WriteString("\n  " + p.String())
	}
	if n := len(e.Problems) - maxProblems; n > 0 {
		fmt.Fprintf(&b, "\n  and %d more", n)
	}
	return b.String()
}

// problems collects what is wrong with environ, at most one problem a variable.
type problems struct {
	environ map[string]string
	found   []Problem
}

// add records that the variable called name (without prefix) is wrong.
func (p *problems) add(name, message string) {
	if p.has(name) {
		return
	}
	value := p.environ[EnvPrefix+name]
	switch {
	case name == "API_KEY" || name == "DRIVER_PASSWORD":
		value = ""
	case value == "" && name != "MODELS":
	case name == "EXO_URL" || name == "DRIVER_URL":
		value = quote(redactURL(value))
	default:
		value = quote(value)
	}
	p.found = append(p.found, Problem{Variable: EnvPrefix + name, Value: value, Message: message})
}

func (p *problems) has(name string) bool {
	return slices.ContainsFunc(p.found, func(f Problem) bool { return f.Variable == EnvPrefix+name })
}

// addParseErrors records the values that package env could not parse. It returns err itself
// when it is anything else, which means that Config has a wrong tag.
func (p *problems) addParseErrors(err error) error {
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	for _, err := range all.Errors {
		var parse env.ParseError
		if !errors.As(err, &parse) {
			return err
		}
		field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
		p.add(field.Tag.Get("env"), wanted(parse))
	}
	return nil
}

// wanted says what would have been right for a value that could not be parsed.
func wanted(err env.ParseError) string {
	switch err.Type {
	case reflect.TypeFor[time.Duration]():
		return "want a duration such as 500ms, 30s or 1h30m"
	case reflect.TypeFor[bool]():
		return "want true or false"
	case reflect.TypeFor[int]():
		return "want a whole number"
	case reflect.TypeFor[slog.Level]():
		return "want debug, info, warn or error"
	default:
		return strings.ReplaceAll(err.Err.Error(), "\n", "; ")
	}
}

// sort puts the problems into the order of Config.
func (p *problems) sort() {
	vars := Variables()
	index := func(f Problem) int {
		return slices.IndexFunc(vars, func(v Variable) bool { return v.Name == f.Variable })
	}
	slices.SortFunc(p.found, func(a, b Problem) int { return cmp.Compare(index(a), index(b)) })
}

// addUnknown records the variables that have our prefix and that nobody reads. Their values
// are not shown: a misspelled API key is one of them.
func (p *problems) addUnknown() {
	var known []string
	for _, v := range Variables() {
		known = append(known, v.Name)
	}
	var unknown []string
	for name := range p.environ {
		if strings.HasPrefix(name, EnvPrefix) && !slices.Contains(known, name) && !serviceLink(name, p.environ[name]) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		p.found = append(p.found, Problem{
			Variable: name,
			Message:  fmt.Sprintf("there is no such variable; did you mean %s?", nearest(name, known)),
		})
	}
}

// redactURL returns raw without what can hold a secret: user and password, query, fragment.
// It does not need raw to be a URL that parses.
func redactURL(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = hidden + rest[at:]
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i+1] + hidden
	}
	return scheme + rest
}

// quote returns s quoted and cut to a length that a terminal shows.
func quote(s string) string {
	const most = 160
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
