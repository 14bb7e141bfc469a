package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// options are what parts are told of the configuration, by package: app/wiring.go fills them in, and its test holds
// that every variable arrives there.
var options = map[string]string{
	"exporter":              "Options",
	"exporter/cluster":      "ClientOptions",
	"exporter/memory":       "Config",
	"workload":              "RunnerOptions",
	"workload/exo":          "Options",
	"workload/exo/httpapi":  "Options",
	"workload/exo/instance": "Options",
	"workload/record":       "Options",
	"workload/exosim":       "Options",
	"workload/exosim/exo0":  "Options",
	"workload/exosim/exo1":  "Options",
}

// TestOptionsAreMadeUseOf asserts that a part reads whatever it can be told: a variable that arrives there does
// something.
func TestOptionsAreMadeUseOf(t *testing.T) {
	for dir, name := range options {
		fields, read := map[string]bool{}, map[string]bool{}
		for _, file := range goFiles(t) {
			if filepath.ToSlash(filepath.Dir(file)) != dir || strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					if s, ok := n.Type.(*ast.StructType); ok && n.Name.Name == name {
						for _, f := range s.Fields.List {
							for _, id := range f.Names {
								fields[id.Name] = true
							}
						}
					}
				case *ast.SelectorExpr:
					read[n.Sel.Name] = true
				}
				return true
			})
		}
		if len(fields) == 0 {
			t.Errorf("package %s has no struct %s", dir, name)
		}
		for field := range fields {
			if !read[field] {
				t.Errorf("nothing in package %s reads %s.%s", dir, name, field)
			}
		}
	}
}
