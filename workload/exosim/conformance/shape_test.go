package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape is what a JSON document looks like when its values are left out: for each path the
// types that are found there. Keys that are ids count as one, elements of lists too.
type shape map[string]map[string]bool

// ids are keys that name something of this one run.
var ids = regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|(12D3KooW|2D3KooW)\w{43,44}|n1)$`)

func shapeOf(t *testing.T, what string, doc []byte) shape {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%s: %v in %.200s", what, err, doc)
	}
	s := shape{}
	s.add("", v)
	return s
}

func (s shape) add(path string, v any) {
	note := func(kind string) {
		if s[path] == nil {
			s[path] = map[string]bool{}
		}
		s[path][kind] = true
	}
	switch v := v.(type) {
	case map[string]any:
		note("object")
		for key, member := range v {
			if ids.MatchString(key) {
				key = "*"
			}
			s.add(path+"."+key, member)
		}
	case []any:
		note("list")
		for _, element := range v {
			s.add(path+"[]", element)
		}
	case nil:
		note("null")
	case bool:
		note("bool")
	case float64:
		note("number")
	default:
		note("string")
	}
}

func (s shape) types(path string) string {
	return strings.Join(slices.Sorted(maps.Keys(s[path])), "|")
}

// differences returns where got differs from want, as "path: got, want"; "" stands for
// nothing being there.
func differences(got, want shape) (all []string) {
	paths := map[string]bool{}
	for _, s := range []shape{got, want} {
		for path := range s {
			paths[path] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if g, w := got.types(path), want.types(path); g != w {
			all = append(all, fmt.Sprintf("%s: %s, want %s", path, orNothing(g), orNothing(w)))
		}
	}
	return all
}

func orNothing(types string) string {
	if types == "" {
		return "nothing"
	}
	return types
}

// meant is a difference that the simulator has on purpose.
type meant struct {
	path string // pattern of the paths, below each of which everything may differ
	why  string
}

// unmeant returns the differences that no entry of allowed explains, and notes in used which
// entries do.
func unmeant(diffs []string, allowed []meant, used map[string]bool) (left []string) {
	for _, d := range diffs {
		path, _, _ := strings.Cut(d, ": ")
		explained := false
		for _, m := range allowed {
			if regexp.MustCompile(`^(?:` + m.path + `)(?:$|[.\[])`).MatchString(path) {
				used[m.path], explained = true, true
			}
		}
		if !explained {
			left = append(left, d)
		}
	}
	return left
}

func TestShapes(t *testing.T) {
	got := shapeOf(t, "got", []byte(`{"a":1,"b":[{"c":null},{"c":"x"}],"0123456789abcdef0123456789abcdef":true}`))
	want := shapeOf(t, "want", []byte(`{"a":"1","b":[{"c":"x","d":1}],"fedcba9876543210fedcba9876543210":false}`))
	diffs := differences(got, want)
	if s := strings.Join(diffs, "; "); s != ".a: number, want string; .b[].c: null|string, want string; .b[].d: nothing, want number" {
		t.Errorf("differences %s", s)
	}
	used := map[string]bool{}
	if left := unmeant(diffs, []meant{{`\.b`, "lists"}, {`\.z`, "never"}}, used); len(left) != 1 || !used[`\.b`] || used[`\.z`] {
		t.Errorf("left %v, used %v", left, used)
	}
}
