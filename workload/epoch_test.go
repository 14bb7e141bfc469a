package workload

import (
	"reflect"
	"testing"
)

// Every part of an epoch must be part of its identity and be named when it changes, so that a
// part that is added later and forgotten in Changed fails here.
func TestEpochPartsAreToldApart(t *testing.T) {
	base := Epoch{SHA256: "a", Dialect: DialectExo1, Endpoint: EndpointV1, Nonce: true, Form: "f", Engine: "exo", Version: "1"}
	for i := range reflect.TypeFor[Epoch]().NumField() {
		other := base
		field := reflect.ValueOf(&other).Elem().Field(i)
		name := reflect.TypeFor[Epoch]().Field(i).Name
		if field.Kind() == reflect.Bool {
			field.SetBool(!field.Bool())
		} else {
			field.SetString(field.String() + "x")
		}
		if other.ID() == base.ID() {
			t.Errorf("%s is no part of the ID", name)
		}
		if got := other.Changed(base); len(got) != 1 {
			t.Errorf("a change of %s is told as %q, want one part", name, got)
		}
	}
	if got := base.Changed(base); got != nil {
		t.Errorf("no change is told as %q", got)
	}
	if got := (Epoch{}).ID(); got != "" {
		t.Errorf("the zero Epoch has the ID %q", got)
	}
	if got := len(base.ID()); got != epochIDLength {
		t.Errorf("an ID has %d digits", got)
	}
}
