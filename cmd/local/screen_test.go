package main

import (
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// configured writes a configuration for a run.
func configured(t *testing.T, text string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"AUTHORIZER_CONFIG": path}
}

// ask sends a request with headers given as name and value.
func ask(t *testing.T, method, url string, headers ...string) int {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestFaultIsShownOnceWithATerminalOrWithout(t *testing.T) {
	const dead = "http://127.0.0.1:1/oidc"
	config := configured(t, `
tables: {revocations: none}
issuers:
  - {name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"]}
  - {name: dead, issuer: "`+dead+`", audiences: ["${AUDIENCE}"]}
routes: [{route: GET /items, require: [{jwt: {}}]}]
`)
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + encode([]byte(`{"iss":"`+dead+`","sub":"a"}`)) + "." + encode([]byte("signature"))
	watched, quiet := launch(t, config, "--watch-decisions"), launch(t, config)
	for _, s := range []*session{watched, quiet} {
		if status := ask(t, "GET", s.url+"/rest/items"); status != 401 {
			t.Errorf("no token: %d", status)
		}
		if status := ask(t, "GET", s.url+"/rest/items", "Authorization", "Bearer "+token); status != 500 {
			t.Errorf("dead issuer: %d", status)
		}
	}
	quiet.stderr.await(t, `fault +/rest .*jwks_unavailable`)
	watched.stdout.await(t, `fault +/rest .*jwks_unavailable`)
	if said := watched.stderr.String(); strings.Contains(said, "jwks_unavailable") {
		t.Errorf("said again: %s", said)
	}
	if said := quiet.stderr.String(); strings.Contains(said, "unauthorized") {
		t.Errorf("a refusal is no fault: %s", said)
	}
}

// Directories with blanks, another header, no cache, a path that a shell reads.
func TestBannerWorksWhenPastedAsAWhole(t *testing.T) {
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	blank := filepath.Join(t.TempDir(), "it's a directory")
	if err := os.Symlink(dir, blank); err != nil {
		t.Fatal(err)
	}
	env := configured(t, `
tables: {revocations: "${REVOCATIONS_TABLE}", nonces: "${NONCES_TABLE}"}
issuers: [{name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"]}]
bearer: {header: "${HEADER}"}
api_keys: {secrets: [api-keys]}
signatures: {secrets: [signing-keys]}
routes:
  - {route: GET /health&more, require: [{api_key: {}}]}
  - {route: GET /items, require: [{jwt: {scopes: [items:read]}}, {signature: {scopes: [items:read]}}]}
  - {route: POST /items, require: [{jwt: {scopes: [items:write]}}]}
`)
	env["LOCAL_CACHE_TTL"], env["HEADER"] = "0", "X-Token"
	s := launch(t, env, "-dir", blank)
	_, lines, _ := strings.Cut(s.stdout.String(), "another shell:\n")
	lines, file, _ := strings.Cut(lines, "AWS CLI and authctl: ")
	file, _, _ = strings.Cut(file, "\n")
	shell := exec.Command("sh", "-c", lines+file+" && echo $LOCAL_URL")
	shell.Env = append(os.Environ(), "HEADER="+env["HEADER"])
	said, err := shell.CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`HTTP/1.1 (\d+)`).FindAllStringSubmatch(string(said), -1) {
		got = append(got, m[1])
	}
	// 404 is the items function's, which the API key has reached. The signed
	// request shows its body alone.
	if got, want := strings.Join(got, " "), "201 200 401 403 401 404"; got != want || !strings.HasSuffix(string(said), `{"items":[]}`+s.url+"\n") {
		t.Errorf("statuses %s, want %s, then an empty list and the URL\n%s%s\n%s", got, want, lines, file, said)
	}
	if strings.Contains(lines, "from its cache") {
		t.Errorf("nothing is cached:\n%s", lines)
	}
}
