package metric

import (
	"slices"
	"testing"
)

// A series is absent where its family says, and where its group does.
func TestFamilyInGroup(t *testing.T) {
	for _, tt := range []struct{ own, group, want string }{
		{"", "", ""},
		{"where exo is silent", "", "where exo is silent"},
		{"", "when the turn failed", "when the turn failed"},
		{"where exo is silent", "when the turn failed", "where exo is silent, and when the turn failed"},
	} {
		f := Family{Name: "x", Labels: []string{"role"}, Absent: tt.own}.in([]string{"model"}, tt.group)
		if f.Absent != tt.want || !slices.Equal(f.Labels, []string{"model", "role"}) {
			t.Errorf("%q in %q is absent %q, labels %q", tt.own, tt.group, f.Absent, f.Labels)
		}
		f.Help = "What it is."
		if help := f.help(); tt.want == "" && help != "What it is." || tt.want != "" && help != "What it is. Absent "+tt.want+"." {
			t.Errorf("%q in %q has the help %q", tt.own, tt.group, help)
		}
	}
}
