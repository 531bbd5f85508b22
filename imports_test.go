// Package house_test guards the layout: data flows one way.
package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "lambda-authorizer/"

// leaves know their own job and nothing above them. What each may use of the
// project stands beside it; an absent package may be used by none of them.
var leaves = map[string][]string{
	"reason":     {},
	"problem":    {},
	"fault":      {},
	"policy":     {"reason", "problem"},
	"jwks":       {"reason", "problem"},
	"keydoc":     {},
	"secrets":    {"reason", "problem", "keydoc", "fault"},
	"apikey":     {"reason", "problem", "keydoc"},
	"httpsig":    {"reason", "problem", "keydoc"},
	"revocation": {"reason", "problem", "fault"},
	"network":    {"reason", "problem", "fault"},
	"nonces":     {"fault"},
	"backend":    {},
}

// never lists, for a package and all below it, what it must not import.
var never = []struct {
	pkg, imports, because string
}{
	{"policy", "github.com/aws/", "policy is pure"},
	{"policy", "net/http", "policy is pure"},
	{"policy", "time", "policy has no clock"},
	{"policy", "os", "policy does no I/O"},
	{"config", module + "authorizer", "data flows one way"},
	{"authorizer", module + "cmd", "data flows one way"},
	{"authorizer", module + "items", "the authorizer knows no backend"},
	{"authorizer", module + "local", "the stand-in is no part of the product"},
	{"backend", module + "items", "the middleware knows no backend of its own"},
	{"items", module + "authorizer", "the backend sees only the context"},
	{"items", module + "local", "the stand-in is no part of the product"},
	{"local", module + "authorizer", "the stand-in must be independent of what it tests"},
	{"local", module + "policy", "the stand-in must be independent of what it tests"},
}

func TestLeavesImportNothingAboveThem(t *testing.T) {
	for _, f := range sources(t) {
		allowed, leaf := leaves[strings.SplitN(f.pkg, "/", 2)[0]]
		if !leaf {
			continue
		}
		for _, imp := range f.imports {
			if rest, ours := strings.CutPrefix(imp, module); ours && !slices.Contains(allowed, rest) && !strings.HasPrefix(rest, f.pkg) {
				t.Errorf("%s: leaf %s imports %s", f.name, f.pkg, imp)
			}
		}
	}
}

func TestDataFlowsOneWay(t *testing.T) {
	for _, f := range sources(t) {
		for _, rule := range never {
			if f.pkg != rule.pkg && !strings.HasPrefix(f.pkg, rule.pkg+"/") {
				continue
			}
			for _, imp := range f.imports {
				if imp == rule.imports || strings.HasPrefix(imp, strings.TrimSuffix(rule.imports, "/")+"/") {
					t.Errorf("%s imports %s: %s", f.name, imp, rule.because)
				}
			}
		}
	}
}

func TestOnlyJWKSImportsJWX(t *testing.T) {
	for _, f := range sources(t) {
		for _, imp := range f.imports {
			if strings.HasPrefix(imp, "github.com/lestrrat-go/") && f.pkg != "jwks" {
				t.Errorf("%s imports %s: moving to another version must stay a change inside jwks", f.name, imp)
			}
		}
	}
}

func TestOnlyMainsReadTheEnvironment(t *testing.T) {
	for _, f := range sources(t) {
		if strings.HasPrefix(f.pkg, "cmd/") || strings.HasPrefix(f.pkg, "local") || f.pkg == "oidctest" {
			continue // local is a main's body and a test's server
		}
		for _, call := range []string{"os.Getenv(", "os.LookupEnv(", "os.Environ("} {
			if strings.Contains(f.text, call) {
				t.Errorf("%s calls %s): only mains read the environment", f.name, call)
			}
		}
	}
}

func TestNoPackageHasANameThatSaysNothing(t *testing.T) {
	for _, f := range sources(t) {
		for _, part := range strings.Split(f.pkg, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "models", "model", "internal", "misc", "types"}, part) {
				t.Errorf("%s: package %s", f.name, f.pkg)
			}
		}
	}
}

type source struct {
	name, pkg, text string
	imports         []string
}

// sources are the non-test Go files of this module.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"build", "node_modules", "bench", "testdata", ".git"}, d.Name()) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		s, err := read(path)
		out = append(out, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no source files found: the guard guards nothing")
	}
	return out
}

func read(path string) (source, error) {
	s := source{name: path, pkg: filepath.ToSlash(filepath.Dir(path))}
	text, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	s.text = string(text)
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
	if err != nil {
		return s, err
	}
	for _, imp := range file.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return s, err
		}
		s.imports = append(s.imports, name)
	}
	return s, nil
}
