package rules

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The cycle intervals that rules can be made for: Prometheus has to see every cycle apart, and keep
// what two days of 24 cycles each look back over.
const (
	MinInterval = 2 * time.Second
	MaxInterval = 7 * 24 * time.Hour
)

// linkForm are the characters of RFC 3986 without the quotation mark that YAML ends a text at.
var linkForm = regexp.MustCompile(`^[A-Za-z0-9._~:/?#@!$&()*+,;=%\[\]-]+$`)

// check returns an error that names every option that cannot be used. What it lets pass is safe
// wherever the templates put it: options are the only text in a rule file that is not ours.
func (o Options) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case o.Interval < MinInterval:
		fail("cycle interval %v is too short for rules: at least %v", o.Interval, MinInterval)
	case o.Interval > MaxInterval:
		fail("cycle interval %v is too long for rules: at most %v", o.Interval, MaxInterval)
	}
	if o.Interval%time.Second != 0 {
		fail("cycle interval %v is not a whole number of seconds", o.Interval)
	}
	if o.Evaluation < time.Second || o.Evaluation > o.Interval {
		fail("evaluation interval %v is not between 1s and the cycle interval %v", o.Evaluation, o.Interval)
	}
	if _, err := regexp.Compile(o.Job); err != nil {
		fail("job %q is not a regular expression: %w", o.Job, err)
	} else if !plain(o.Job) || strings.ContainsAny(o.Job, "\"'`") || strings.Contains(o.Job, "{{") {
		fail("job %q: want a regular expression of job names without white space, quotation marks and {{", o.Job)
	}
	for _, u := range []string{o.GrafanaURL, o.RunbookURL} {
		if err := link(u); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// plain reports whether s is text that can be printed, without white space.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

func link(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a URL: %w", s, err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("%q is not a URL such as https://grafana.example", s)
	case !linkForm.MatchString(s):
		return fmt.Errorf("%q holds a character that has to be written as %%XX in a URL", s)
	}
	return nil
}

// Quoted returns s as a string of PromQL.
func (Options) Quoted(s string) string { return strconv.Quote(s) }
