package items_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestDocumentNamesEveryProblemOfTheSourceAndNoOther(t *testing.T) {
	t.Parallel()
	_, documented := readDocument(t).promised()
	written := map[string]string{}
	for _, dir := range []string{".", "../backend"} {
		for code, at := range sourceCodes(t, dir) {
			written[code] = at
		}
	}
	for code, at := range written {
		if !documented[code] {
			t.Errorf("%s: the document does not name %s", at, code)
		}
	}
	for code := range documented {
		if written[code] == "" {
			t.Errorf("the document names %s, and nothing writes it", code)
		}
	}
}

// sourceCodes finds what the files of dir give a Problem for its Code, and
// where.
func sourceCodes(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(names), err)
	}
	codes, files := map[string]string{}, token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, value := range codeValues(n) {
				at := files.Position(value.Pos()).String()
				if literal, ok := value.(*ast.BasicLit); !ok {
					t.Errorf("%s: a code that this test cannot read: use a literal, or a variable called code that gets literals", at)
				} else if code, err := strconv.Unquote(literal.Value); err != nil {
					t.Errorf("%s: %v", at, err)
				} else {
					codes[code] = at
				}
			}
			return true
		})
	}
	return codes
}

// codeValues are the expressions that n gives to a Code, or, where they are
// literals, to a variable called code.
func codeValues(n ast.Node) (values []ast.Expr) {
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		if variable, _ := n.Value.(*ast.Ident); ok && key.Name == "Code" && (variable == nil || variable.Name != "code") {
			values = append(values, n.Value)
		}
	case *ast.AssignStmt:
		for i, value := range n.Rhs {
			_, literal := value.(*ast.BasicLit)
			switch to := n.Lhs[i].(type) {
			case *ast.Ident:
				if to.Name == "code" && literal {
					values = append(values, value)
				}
			case *ast.SelectorExpr:
				if to.Sel.Name == "Code" {
					values = append(values, value)
				}
			}
		}
	}
	return values
}
