package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
)

// RenameKeys returns the JSON document with every key of its objects renamed, in the same
// order. Ids and tags among the keys have neither underscores nor a small first letter, and
// therefore survive both directions.
func RenameKeys(doc []byte, rename func(string) string) []byte {
	return edit{rename: rename}.apply(doc)
}

// DropNulls returns the JSON document without the members of its objects that are null.
func DropNulls(doc []byte) []byte {
	return edit{rename: func(key string) string { return key }, dropNulls: true}.apply(doc)
}

// edit is what becomes of the members of objects.
type edit struct {
	rename    func(key string) string
	dropNulls bool
}

// apply returns the edited document, and one that is no JSON as it is: the caller's decoder will say so.
func (e edit) apply(doc []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var out bytes.Buffer
	if !e.value(d, &out) {
		return doc
	}
	return out.Bytes()
}

// value copies the next value; false when there is none.
func (e edit) value(d *json.Decoder, out *bytes.Buffer) bool {
	t, err := d.Token()
	if err != nil {
		return false
	}
	open, isDelim := t.(json.Delim)
	if !isDelim {
		out.Write(Encode(t))
		return true
	}
	out.WriteRune(rune(open))
	for first := true; d.More(); {
		before := out.Len()
		if !first {
			out.WriteByte(',')
		}
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return false
			}
			out.Write(Encode(e.rename(key.(string))))
			out.WriteByte(':')
		}
		value := out.Len()
		if !e.value(d, out) {
			return false
		}
		if e.dropNulls && open == '{' && string(out.Bytes()[value:]) == "null" {
			out.Truncate(before)
			continue
		}
		first = false
	}
	end, err := d.Token()
	if err != nil {
		return false
	}
	out.WriteRune(rune(end.(json.Delim)))
	return true
}

// ToCamel returns a snake_case key in camelCase.
func ToCamel(key string) string {
	var b strings.Builder
	up := false
	for _, r := range key {
		switch {
		case r == '_':
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ToSnake returns a camelCase key in snake_case.
func ToSnake(key string) string {
	if key == "" || !unicode.IsLower(rune(key[0])) {
		return key // a tag or a libp2p peer id
	}
	var b strings.Builder
	for _, r := range key {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Member returns the field of the struct v that has this key in JSON; false when there is none, or
// when it would be left out.
func Member(v any, key string) (any, bool) {
	all := reflect.ValueOf(v)
	for field := range all.Type().Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != key {
			continue
		}
		value := all.FieldByIndex(field.Index)
		return value.Interface(), options != "omitempty" || !value.IsZero()
	}
	return nil, false
}
