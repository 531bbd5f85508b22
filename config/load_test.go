package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// base holds the sections without which nothing starts. A case brings its own
// in their place.
var base = []struct{ key, text string }{
	{"tables", "tables: {revocations: none}\n"},
	{"issuers", "issuers:\n  - {name: main, issuer: https://idp.example.com/, audiences: [https://api.example.com]}\n"},
	{"routes", "routes:\n  - {route: GET /items, require: [{jwt: {scopes: [items:read]}}]}\n"},
}

func complete(yaml string) string {
	if !strings.HasSuffix(yaml, "\n") {
		return yaml
	}
	end := ""
	yaml, marked := strings.CutSuffix(yaml, "...\n")
	if marked {
		end = "...\n"
	}
	for _, section := range base {
		if !regexp.MustCompile(`(?m)^` + section.key + `:`).MatchString(yaml) {
			yaml += section.text
		}
	}
	return yaml + end
}

func archive(t *testing.T, name string) *txtar.Archive {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

var everything = environment(map[string]string{
	"ISSUER": "https://idp.example.com/", "AUDIENCE": "https://api.example.com",
	"API_ID": "a1b2c3d4e5", "REVOCATIONS_TABLE": "revocations", "NONCES_TABLE": "nonces",
	"TABLE": "none", "SIZE": "100", "EMPTY": "",
})

// write puts a configuration where Load finds it.
func write(t *testing.T, yaml string) string {
	t.Helper()
	// t.TempDir has names that look like pasted secrets.
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "authorizer.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// said is what Load says, with the file's name alone.
func said(t *testing.T, path string, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[Problems](err); !ok {
		t.Fatalf("the error is a %T, want Problems", err)
	}
	return strings.Split(strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""), "\n")
}

const silent = "schema is silent"

func TestBrokenConfigurationIsNamedByFileLineAndKey(t *testing.T) {
	t.Parallel()
	schema := editorSchema(t)
	for _, name := range []string{"broken-file", "broken-keys", "broken-sections", "broken-routes", "broken-cache"} {
		files := archive(t, name+".txtar").Files
		for i := 0; i < len(files); i += 2 {
			title, _ := strings.CutSuffix(files[i].Name, ".yaml")
			if files[i+1].Name != title+".want" {
				t.Fatalf("%s: %q is not followed by its .want", name, title)
			}
			t.Run(name+"/"+title, func(t *testing.T) {
				t.Parallel()
				yaml := string(files[i].Data)
				if name != "broken-file" {
					yaml = complete(yaml)
				}
				want := strings.Split(strings.TrimSpace(string(files[i+1].Data)), "\n")
				accepted := name == "broken-cache" || want[0] == silent
				if want[0] == silent {
					want = want[1:]
				}
				path := write(t, yaml)
				_, err := Load(path, everything)
				if diff := cmp.Diff(want, said(t, path, err)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				schemaAgrees(t, schema, yaml, accepted)
			})
		}
	}
}

func TestConfigurationThatOnlyLooksBrokenLoads(t *testing.T) {
	t.Parallel()
	schema := editorSchema(t)
	for _, f := range archive(t, "accepted.txtar").Files {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			yaml := complete(string(f.Data))
			path := write(t, yaml)
			if _, err := Load(path, everything); err != nil {
				t.Error(err)
			}
			schemaAgrees(t, schema, yaml, true)
		})
	}
}

func TestFileThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "nowhere.yaml"): "cannot be read: no such file or directory",
		dir:                                "cannot be read: is a directory",
	} {
		_, err := Load(path, everything)
		if got := err.Error(); got != path+": "+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBytesThatAreNoTextAreRefusedWithTheirLine(t *testing.T) {
	t.Parallel()
	huge := "log: {principal: plain}\n" + strings.Repeat("#", maxFile)
	for name, c := range map[string]struct{ text, want string }{
		"Latin-1":            {"log:\n  principal: caf\xe9\n", "authorizer.yaml:2: is not UTF-8"},
		"UTF-16":             {"\xff\xfel\x00o\x00g\x00", "authorizer.yaml:1: is not UTF-8"},
		"NUL":                {"log: {}\n\x00", "authorizer.yaml:2: holds the character U+0000, which has no place in a configuration"},
		"a lone CR":          {"log: {}\r", "authorizer.yaml:1: holds the character U+000D, which has no place in a configuration"},
		"another line break": {"log: \u2028", "authorizer.yaml:1: holds the character U+2028, which has no place in a configuration"},
		"a BOM in between":   {"log: {}\n\ufeff", "authorizer.yaml:2: holds the character U+FEFF, which has no place in a configuration"},
		"too much":           {huge, "authorizer.yaml: is larger than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.text)
			_, err := Load(path, everything)
			if diff := cmp.Diff([]string{c.want}, said(t, path, err)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestWindowsFileLoadsAndKeepsItsLines(t *testing.T) {
	t.Parallel()
	windows := func(s string) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") }
	if _, err := Load(write(t, windows(complete("log: {principal: hash}\n"))), everything); err != nil {
		t.Error(err)
	}
	path := write(t, windows(complete("log:\n\n  principal: rot13\n")))
	_, err := Load(path, everything)
	want := []string{"authorizer.yaml:3: log.principal: must be plain or hash"}
	if diff := cmp.Diff(want, said(t, path, err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTooManyProblemsAreCounted(t *testing.T) {
	t.Parallel()
	path := write(t, complete("response:\n  claims:\n"+strings.Repeat("    - reason\n", maxProblems+7)))
	_, err := Load(path, everything)
	got := said(t, path, err)
	if len(got) != maxProblems+1 || got[maxProblems] != "authorizer.yaml: has 7 more problems" {
		t.Errorf("%d lines, the last is %q", len(got), got[len(got)-1])
	}
}

func TestProblemsCarryTheirParts(t *testing.T) {
	t.Parallel()
	path := write(t, complete("log:\n  principal: rot13\n"))
	_, err := Load(path, everything)
	problems, _ := errors.AsType[Problems](err)
	want := Problems{{File: path, Line: 2, Key: "log.principal", Text: "must be plain or hash"}}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSecretPastedIntoTheFileIsNotRepeated(t *testing.T) {
	t.Parallel()
	const secret = "ak_test_" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + "0123Xy"
	for _, yaml := range []string{
		"api_keys: {secrets: ['" + secret + " ']}\n",
		"api_keys: {secrets: " + secret + "}\n",
		"api_keys: {" + secret + ": x}\n",
		secret + "\n",
		"api_keys: '" + secret + "\n",
		"log: {principal: " + secret + "}\n",
		"gateway: {identity_sources: [" + secret + "]}\n",
		"networks: {office: [" + secret + "]}\n",
		"networks: {" + secret + "!: []}\n",
		"issuers: [{name: " + secret + ", issuer: " + secret + ", algorithms: [" + secret + "]}]\n",
		"routes: [{route: " + secret + ", require: [{jwt: {issuer: " + secret + "}, networks: [" + secret + "]}]}]\n",
		"response: {claims: [" + secret + ", " + secret + "]}\n",
		"gateway: *" + secret + "\n",
		"gateway: !" + secret + " x\n",
		"tables: {revocations: '${" + secret + "}'}\n",
	} {
		_, err := Load(write(t, complete(yaml)), everything)
		if err == nil {
			t.Errorf("accepted: %s", yaml)
		} else if strings.Contains(err.Error(), secret[8:]) {
			t.Errorf("%s\nis answered with the secret: %v", yaml, err)
		}
	}
}
