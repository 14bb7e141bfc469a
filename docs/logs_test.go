package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// names may begin a message as they are written.
var names = []string{"exo ", "exo's ", "exo-bench-exporter ", "-demo "}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// logCall is a call of a slog.Logger with a message that is written out.
type logCall struct {
	where, message string
	keys           []string
}

// literal returns the text of a string, of which only the beginning may be written out.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		return literal(e.X)
	}
	return "", false
}

// logCalls returns what the program logs. A logger is whatever ends in log or logger, by its name.
func logCalls(t *testing.T) []logCall {
	t.Helper()
	logger := regexp.MustCompile(`(?i)(^|\.)(log|logger|slog)$`)
	var calls []logCall
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, filepath.Join(root, file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !logger.MatchString(lastName(method.X)) {
				return true
			}
			args := call.Args
			switch method.Sel.Name {
			case "Debug", "Info", "Warn", "Error":
			case "DebugContext", "InfoContext", "WarnContext", "ErrorContext":
				args = args[1:]
			case "Log":
				args = args[2:]
			default:
				return true
			}
			c := logCall{where: set.Position(call.Pos()).String()}
			if c.message, ok = literal(args[0]); !ok {
				return true
			}
			for i := 1; i < len(args); i += 2 {
				if key, ok := literal(args[i]); ok {
					c.keys = append(c.keys, key)
				}
			}
			calls = append(calls, c)
			return true
		})
	}
	return calls
}

// lastName returns the name of a variable, field or function.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return lastName(e.Fun)
	}
	return ""
}

// TestLogIsOfOneKind asserts that whoever reads or filters the log need not know who wrote a line.
func TestLogIsOfOneKind(t *testing.T) {
	calls := logCalls(t)
	if len(calls) < 40 {
		t.Fatalf("%d calls of a logger were found", len(calls))
	}
	for _, c := range calls {
		first, named := []rune(c.message)[0], false
		for _, n := range names {
			named = named || strings.HasPrefix(c.message, n)
		}
		if !named && !unicode.IsUpper(first) {
			t.Errorf("%s: message %q begins neither with a capital nor with a name", c.where, c.message)
		}
		if strings.HasSuffix(c.message, ".") {
			t.Errorf("%s: message %q ends in a full stop", c.where, c.message)
		}
		for _, k := range c.keys {
			if !snakeCase.MatchString(k) {
				t.Errorf("%s: key %q is not in snake_case", c.where, k)
			}
			if k == "error" {
				t.Errorf("%s: the key of an error is err", c.where)
			}
		}
	}
}
