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

// staged writes base as a file, overlays it and returns the directory of the
// base, the base as read and the lines of the stage's file.
func staged(t *testing.T, text string, o overlay) (string, *baseConfig, []string) {
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
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return dir, b, strings.Split(string(raw), "\n")
}

func TestStageReplacesGatewayAndHTTPAPIAndNothingElse(t *testing.T) {
	t.Parallel()
	dir, _, lines := staged(t, base, cached)
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

func TestLinesThatAStageDoesNotReplaceKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	_, _, lines := staged(t, base, cached)
	for n, line := range strings.Split(base, "\n") {
		replaced := n >= 1 && n <= 4 || strings.Contains(line, "http_api") || strings.Contains(line, "jwks_file")
		if !replaced && lines[n] != line {
			t.Errorf("line %d is %q, was %q", n+1, lines[n], line)
		}
	}
}

func TestStageWithoutSourcesListsNone(t *testing.T) {
	t.Parallel()
	_, _, lines := staged(t, "routes: []\n", overlay{apis: "a/b", httpAPI: "simple"})
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
	_, b, _ := staged(t, base, cached)
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
	for _, text := range []string{"gateway: [", "- a\n- b\n", "", "a: b\n---\nc: d\n", "just text", "{gateway: {cache_ttl: 0s}}"} {
		_, _, lines := staged(t, text, cached)
		if got := strings.Join(lines, "\n"); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestComplaintPointsIntoTheUsersFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "my.yaml")
	if err := os.WriteFile(path, []byte("a: 1\nb: 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const stage = "/tmp/stages/rest/authorizer.yaml"
	for complaint, want := range map[string]string{
		stage + ":2: b: is odd":                    path + ":2: b: is odd",
		stage + ":9: gateway: is odd":              path + " (as this stage sets it): gateway: is odd",
		stage + ": is empty":                       path + ": is empty",
		stage + ":1: a\n" + stage + ":2: b":        path + ":1: a\n" + path + ":2: b",
		"LOG_LEVEL: nonsense":                      "LOG_LEVEL: nonsense",
		"open " + stage + ": permission denied, 7": "open " + path + ": permission denied, 7",
	} {
		if got := inWordsOf(path, stage, complaint); got != want {
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
