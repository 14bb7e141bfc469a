package truth

import (
	"fmt"
	"testing"
)

func TestLogForgets(t *testing.T) {
	var l Log
	for i := range kept + 10 {
		l.Begin(Truth{ID: fmt.Sprint(i)})
	}
	if len(l.order) != kept || len(l.byID) != kept || l.byID["9"] != nil || l.byID["10"] == nil {
		t.Errorf("%d and %d are kept", len(l.order), len(l.byID))
	}
}
