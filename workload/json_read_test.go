package workload

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fill gives every field of v, a pointer to a struct, a value of its own that is not zero.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 6_000_000*(*n%100), time.UTC)))
			return
		}
		for i := range v.NumField() {
			*n++
			fill(t, v.Field(i), n)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, n)
		fill(t, value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			*n++
			fill(t, v.Index(i), n)
		}
	case reflect.String:
		v.SetString("s" + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(1_000_003 * *n))
	case reflect.Uint64:
		v.SetUint(uint64(1_000_003 * *n))
	case reflect.Float64:
		v.SetFloat(1.25 * float64(*n))
	default:
		t.Fatalf("there is a field of kind %s", v.Kind())
	}
}

// What is written is what is read, field by field: a field that is added to one of the types and
// forgotten in its JSON form fails here.
func TestJSONIsReadAsWritten(t *testing.T) {
	var c Cycle
	n := 0
	fill(t, reflect.ValueOf(&c).Elem(), &n)
	for i := range c.Turns {
		turn := &c.Turns[i]
		turn.Cycle = c.Number
		turn.Load.Owned, turn.Load.Shared = false, false // not written
		for k := range turn.Results {
			r := &turn.Results[k]
			r.Outcome, r.Warmup = OutcomeOK, false // warm-ups are published nowhere
			r.Fingerprint, r.Verdict = 0, ""       // nor what is only compared
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got Cycle
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, c) {
		again, _ := json.Marshal(got)
		t.Errorf("got\n%s\nwant\n%s\n%+v\n%+v", again, b, got.Turns[0], c.Turns[0])
	}
	empty := Cycle{Turns: []Turn{{Results: []Result{{Outcome: OutcomeConnectError, Err: "refused"}}}, {}}}
	b, err = json.Marshal(empty)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, empty) {
		t.Errorf("of what is not known: got %+v, %v", got, err)
	}
	for _, broken := range []string{`{"number":"x"}`, `{"turns":[{"start":1}]}`, `{"turns":[{"results":[{"start":1}]}]}`} {
		if err := json.Unmarshal([]byte(broken), &got); err == nil {
			t.Errorf("%s is read", broken)
		}
	}
}

// Every field of the JSON form is described for those who read it.
func TestJSONFieldsAreDescribed(t *testing.T) {
	doc, err := os.ReadFile("../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []reflect.Type{
		reflect.TypeFor[resultJSON](), reflect.TypeFor[turnJSON](), reflect.TypeFor[memoryJSON](), reflect.TypeFor[cycleJSON](),
		reflect.TypeFor[epochJSON](), reflect.TypeFor[Epoch](), reflect.TypeFor[ServerStats](),
		reflect.TypeFor[Signs](), reflect.TypeFor[Asked](), reflect.TypeFor[Quality](),
	} {
		for field := range form.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(doc), "`"+name+"`") {
				t.Errorf("docs/results.md does not describe %s", name)
			}
		}
	}
	for _, m := range []Mark{MarkContended, MarkStarved, MarkDisagreement, MarkCoalesced, MarkShort, MarkOverran, MarkDisbelieved} {
		if !strings.Contains(string(doc), "`"+string(m)+"`") {
			t.Errorf("docs/results.md does not name the mark %s", m)
		}
	}
}
