package faults

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// Every kind that is declared is described in the table, once, and has a name at the front.
func TestEveryKindIsInTheTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "kinds.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	front, err := os.ReadFile("../names.go")
	if err != nil {
		t.Fatal(err)
	}
	described := map[Kind]int{}
	for _, s := range Table() {
		described[s.Kind]++
		if s.Help == "" || !strings.Contains(Help(), string(s.Kind)) {
			t.Errorf("%s is not described", s.Kind)
		}
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Kind" {
			return true
		}
		declared++
		name, value := spec.Names[0].Name, Kind(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		if described[value] != 1 {
			t.Errorf("%s stands in the table %d times", name, described[value])
		}
		if !strings.Contains(string(front), "faults."+name+"\n") {
			t.Errorf("%s has no name in exosim/names.go", name)
		}
		return true
	})
	if declared != len(Kinds()) || declared == 0 {
		t.Errorf("%d kinds are declared, %d described", declared, len(Kinds()))
	}
}
