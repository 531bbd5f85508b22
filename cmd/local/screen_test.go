package main

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
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
