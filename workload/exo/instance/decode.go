package instance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// exo writes camelCase or snake_case depending on the path an object takes through it, wraps
// variants as {"Variant": {…}}, and moves fields between versions. These helpers read JSON
// trees without minding any of that; what is not there reads as zero.

// same reports whether a and b are one key, in camelCase or snake_case.
func same(a, b string) bool {
	for {
		a, b = strings.TrimLeft(a, "_"), strings.TrimLeft(b, "_")
		if a == "" || b == "" {
			return a == b
		}
		if a[0]|0x20 != b[0]|0x20 { // keys are ASCII letters and digits
			return false
		}
		a, b = a[1:], b[1:]
	}
}

// child returns the value of key in the object v, or nil.
func child(v any, key string) any {
	obj, _ := v.(map[string]any)
	if x, ok := obj[key]; ok {
		return x
	}
	for k, x := range obj {
		if same(k, key) {
			return x
		}
	}
	return nil
}

// path returns the value at the end of a path of keys, or nil.
func path(v any, keys ...string) any {
	for _, k := range keys {
		v = child(v, k)
	}
	return v
}

// search returns the first value of key anywhere in v, nearest to the root first, or nil.
func search(v any, key string) any {
	level := []any{v}
	for len(level) > 0 {
		var next []any
		for _, v := range level {
			switch v := v.(type) {
			case map[string]any:
				if x := child(v, key); x != nil {
					return x
				}
				for _, k := range slices.Sorted(maps.Keys(v)) {
					next = append(next, v[k])
				}
			case []any:
				next = append(next, v...)
			}
		}
		level = next
	}
	return nil
}

// untag takes {"Variant": body} apart. A bare string is a variant without a body; anything
// else is a body without a variant.
func untag(v any) (variant string, body any) {
	switch v := v.(type) {
	case string:
		return v, nil
	case map[string]any:
		if len(v) == 1 {
			for k, b := range v {
				if _, nested := b.(map[string]any); nested || b == nil {
					return k, b
				}
			}
		}
	}
	return "", v
}

func text(v any) string { s, _ := v.(string); return s }

// count reads a number that is not negative.
func count(v any) uint64 {
	if f, ok := v.(float64); ok && f > 0 {
		return uint64(f)
	}
	return 0
}

// amount reads an amount of memory, {"inBytes": n} or n; false where there is none.
func amount(v any) (uint64, bool) {
	if inner := child(v, "inBytes"); inner != nil {
		v = inner
	}
	if _, ok := v.(float64); !ok {
		return 0, false
	}
	return count(v), true
}

func objects(v any) map[string]any { m, _ := v.(map[string]any); return m }

func tree(raw json.RawMessage) any {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}
