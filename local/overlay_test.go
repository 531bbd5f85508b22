package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

const base = `# a comment
gateway:
  cache_ttl: 60s   # its own
  apis: ["other/prod"]

tables:
  revocations: ${REVOCATIONS_TABLE}
response: {http_api: simple, claims: [email, "custom:tenant"]}
issuers:
  - name: main
    jwks_file: keys/jwks.json # static
  - name: other
    jwks_file: "/etc/keys.json"
  - {name: third, jwks_file: 'more keys.json'}
bearer:
  header: X-Token
routes:
  - route: GET /items
    require: [{jwt: {}}]
  - route: ANY /admin/{proxy+}
    require: [{jwt: {claims: {a: ["${OTHER}"]}}}]
  - route: $default
    require: [{jwt: {}}]
  - route: $connect
    require: [{jwt: {}}]
`

var cached = overlay{
	ttl: 5 * time.Minute, sources: []string{"$request.header.X-Token"}, apis: "httpiam001/http-iam", httpAPI: "iam",
}

// stagedFile writes base as a file, overlays it and returns the directory of the
// base, the base as read and the lines of the stage's file.
func stagedFile(t *testing.T, text string, o overlay) (string, *baseConfig, staged, []string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "my.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := readConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.write(filepath.Join(dir, "stage"), o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out.path)
	if err != nil {
		t.Fatal(err)
	}
	return dir, b, out, strings.Split(string(raw), "\n")
}

func TestStageReplacesGatewayAndHTTPAPIAndNothingElse(t *testing.T) {
	t.Parallel()
	dir, _, _, lines := stagedFile(t, base, cached)
	var got, want map[string]any
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "\n")), &got); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
	}
	if err := yaml.Unmarshal([]byte(base), &want); err != nil {
		t.Fatal(err)
	}
	want["gateway"] = map[string]any{
		"cache_ttl": "5m0s", "identity_sources": []any{"$request.header.X-Token"}, "apis": []any{"httpiam001/http-iam"},
	}
	want["response"] = map[string]any{"http_api": "iam", "claims": []any{"email", "custom:tenant"}}
	issuers := want["issuers"].([]any)
	issuers[0].(map[string]any)["jwks_file"] = filepath.Join(dir, "keys/jwks.json")
	issuers[2].(map[string]any)["jwks_file"] = filepath.Join(dir, "more keys.json")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stage's configuration (-want +got)\n%s", diff)
	}
}

// Whatever the style of the file, a complaint finds its line.
func TestLinesOfAStageAreKnownByThoseOfTheUsersFile(t *testing.T) {
	t.Parallel()
	indented := "  " + strings.ReplaceAll(strings.TrimSpace(base), "\n", "\n  ") + "\n"
	for name, text := range map[string]string{
		"blocks": base, "with an end": base + "...\n", "indented": indented, "with CRLF": strings.ReplaceAll(base, "\n", "\r\n"),
		"JSON": `{
"gateway": {"cache_ttl": "60s", "apis": ["other/prod"]}, "tables": {
"revocations": "${REVOCATIONS_TABLE}"},
"response": {"http_api": "simple",
"claims": ["email", "custom:tenant"]},
"issuers": [{"name": "main", "jwks_file": "keys/jwks.json"}],
"routes": [{"route": "GET /items",
"require": [{"jwt": {}}]},
{"route": "$default"}]}
`,
	} {
		_, _, out, lines := stagedFile(t, text, cached)
		for n, line := range strings.Split(text, "\n") {
			for _, mark := range []string{"revocations", "claims", "issuers", "route\":", "route:", "require", "name"} {
				if !strings.Contains(line, mark) || strings.Contains(line, "{name: third") {
					continue
				}
				found := false
				for i, now := range lines {
					found = found || strings.Contains(now, strings.Trim(mark, "\":")) && out.origin[i+1] == n+1
				}
				if !found {
					t.Errorf("%s: %s of line %d is on no line of\n%s", name, mark, n+1, strings.Join(lines, "\n"))
				}
			}
		}
		for i, line := range lines {
			set := strings.Contains(line, "cache_ttl") || strings.Contains(line, "http_api") || strings.Contains(line, "httpiam001")
			if set && out.origin[i+1] != 0 {
				t.Errorf("%s: %q is said to be of line %d", name, line, out.origin[i+1])
			}
		}
	}
}

// A key that nothing replaces, and a second section, are complained about.
func TestStageKeepsTheUsersOwnMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"gateway: {cache_ttll: 5m}\n":                 "cache_ttll: 5m",
		"gateway: {}\ngateway: {cache_ttll: 1s}\n":    "cache_ttll: 1s",
		"response: {unauthenticated: bogus}\n":        "unauthenticated: bogus",
		"gateway: 5\n":                                "gateway: 5",
		"response: [a]\n":                             "response:\n    - a",
		"{\"gateway\": {\"apis\": [], \"foo\": 1}}\n": "\"foo\": 1",
	} {
		_, _, _, lines := stagedFile(t, text, cached)
		if got := strings.Join(lines, "\n"); !strings.Contains(got, want) {
			t.Errorf("%q lost its mistake:\n%s", text, got)
		}
	}
}

func TestStageWithoutSourcesListsNone(t *testing.T) {
	t.Parallel()
	_, _, _, lines := stagedFile(t, "routes: []\n", overlay{apis: "a/b", httpAPI: "simple"})
	var got struct {
		Gateway  map[string]any
		Response map[string]any
	}
	if err := yaml.Unmarshal([]byte(strings.Join(lines, "\n")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"cache_ttl": "0s", "identity_sources": []any{}, "apis": []any{"a/b"}}
	if diff := cmp.Diff(want, got.Gateway); diff != "" {
		t.Errorf("gateway (-want +got)\n%s", diff)
	}
}

func TestBaseTellsItsRoutesVariablesAndHeader(t *testing.T) {
	t.Parallel()
	_, b, _, _ := stagedFile(t, base, cached)
	var routes []string
	for _, r := range b.Routes {
		routes = append(routes, r.Route)
	}
	if want := []string{"GET /items", "ANY /admin/{proxy+}", "$default", "$connect"}; !cmp.Equal(want, routes) {
		t.Errorf("routes %q", routes)
	}
	if want := []string{"REVOCATIONS_TABLE", "OTHER"}; !cmp.Equal(want, b.variables) {
		t.Errorf("variables %q", b.variables)
	}
	s := &Stack{base: b, options: Options{}.withDefaults()}
	if s.BearerHeader() != "X-Token" {
		t.Errorf("bearer header %q", s.BearerHeader())
	}
}

// The authorizer is the one to complain, with the file as it was written.
func TestFileThatIsNoConfigurationIsHandedOnAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"gateway: [", "- a\n- b\n", "", "a: b\n---\nc: d\n", "just text"} {
		_, _, _, lines := stagedFile(t, text, cached)
		if got := strings.Join(lines, "\n"); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestComplaintPointsIntoTheUsersFile(t *testing.T) {
	t.Parallel()
	const path = "/home/my.yaml"
	const stage = "/tmp/stages/rest/authorizer.yaml"
	for complaint, want := range map[string]string{
		stage + ":2: b: is odd":                    path + ":2: b: is odd",
		stage + ":9: gateway: is odd":              path + " (as this stage sets it): gateway: is odd",
		stage + ": is empty":                       path + ": is empty",
		stage + ":1: a\n" + stage + ":2: b":        path + ":1: a\n" + path + ":2: b",
		"LOG_LEVEL: nonsense":                      "LOG_LEVEL: nonsense",
		"open " + stage + ": permission denied, 7": "open " + path + ": permission denied, 7",
	} {
		if got := (staged{path: stage, origin: []int{0, 1, 2}}).inWordsOf(path, complaint); got != want {
			t.Errorf("%q becomes %q, want %q", complaint, got, want)
		}
	}
}

func FuzzOverlay(f *testing.F) {
	f.Add(base)
	f.Add("issuers: [{jwks_file: a}]\ngateway: {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "my.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := readConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.write(filepath.Join(t.TempDir(), "stage"), cached); err != nil {
			t.Fatal(err)
		}
	})
}
