package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/secretsmanager"
)

// everything is a configuration of all kinds of credential, uncached.
const everything = `
gateway: {cache_ttl: 0s, identity_sources: []}
tables: {revocations: none, nonces: nonces}
issuers:
  - {name: main, issuer: "https://idp.example.com", audiences: ["https://api.example.com"]}
api_keys: {header: X-Api-Key, secrets: [keys]}
signatures: {secrets: [signing]}
networks: {office: [203.0.113.0/24]}
routes:
  - route: GET /items
    require: [{signature: {scopes: ["items:read"]}}, {api_key: {}, networks: [office]}]
`

const (
	apiKey        = "ak_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1qpYpc"
	signingSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// secretsAlone is an AWS that has the secrets of these tests and nothing else:
// a call of another service fails the test.
func secretsAlone(t *testing.T) string {
	t.Helper()
	secrets := secretsmanager.New("eu-central-1", "123456789012")
	hash := "2a6bd0d2d2b7b9e1d4e6d6c5f1f9c1f5c3ba3bd7c0b2d2c1f1e0d0c0b0a09080"
	for name, text := range map[string]string{
		"keys":    `{"keys":{"test":{"sha256":"` + hash + `","principal":"partner"}}}`,
		"signing": `{"keys":{"k1":{"secret":"` + signingSecret + `","principal":"robot","scopes":["items:read"]}}}`,
	} {
		if err := secrets.Create(name, text); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if target := r.Header.Get("X-Amz-Target"); !strings.HasPrefix(target, secretsmanager.Target) {
			t.Errorf("explain calls %s", target)
		}
		secrets.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func explainWithSecrets(t *testing.T, endpoint string, args ...string) *explained {
	t.Helper()
	config := filepath.Join(t.TempDir(), "authorizer.yaml")
	if err := os.WriteFile(config, []byte(everything), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	tool := &tool{in: strings.NewReader(""), out: &out, err: &errs, env: os.LookupEnv, now: time.Now}
	tool.run(t.Context(), append([]string{"explain", "--config", config, "--endpoint-url", endpoint, "--region", "eu-central-1", "--output", "json"}, args...))
	if errs.Len() > 0 {
		t.Fatal(errs.String())
	}
	for _, secret := range []string{apiKey[8:], signingSecret} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("a secret is shown whole: %s", out.String())
		}
	}
	var x explained
	decode(t, out.Bytes(), &x)
	return &x
}

func someCredentials(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

// An explanation must not use up the nonce of a request that is still to be
// sent.
func TestExplainingASignedRequestSpendsNothing(t *testing.T) {
	someCredentials(t)
	endpoint := secretsAlone(t)
	signer, err := httpsig.NewSigner("k1", signingSecret)
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "https://api.example.com/prod/items?b=2&a=1%20x", nil)
	if err := signer.Sign(req); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"rest", "http1", "http2"} {
		args := []string{"--kind", kind, "--stage", "prod", "--path", "/items?" + req.URL.RawQuery, "-H", "Host: api.example.com"}
		for name := range req.Header {
			args = append(args, "-H", name+": "+req.Header.Get(name))
		}
		for range 2 {
			x := explainWithSecrets(t, endpoint, args...)
			if x.Outcome != "allow" {
				t.Fatalf("%s: %s, %s: %+v", kind, x.Outcome, x.Reason, x.Steps)
			}
			for _, s := range x.Steps {
				if s.Step == "replay" && s.Verdict != "skipped" {
					t.Errorf("%s: replay is %s: %s", kind, s.Verdict, s.Detail)
				}
			}
		}
	}
}

func TestCredentialsAreShownShortened(t *testing.T) {
	someCredentials(t)
	x := explainWithSecrets(t, secretsAlone(t), "--path", "/items", "-H", "X-Api-Key: "+apiKey)
	if want := []presented{{"api_keys.header", "ak_test_… (57 characters)"}}; len(x.Request.Credentials) != 1 || x.Request.Credentials[0] != want[0] {
		t.Errorf("shown %+v, want %+v", x.Request.Credentials, want)
	}
	if x.Outcome != "unauthorized" || x.Reason != "api_key_unknown" {
		t.Errorf("%s, %s", x.Outcome, x.Reason)
	}
}

// A cached copy that cannot open what the caller may use says so, and which
// paths of no route it opens besides.
func TestExplainTellsWhatACachedCopyCannotSay(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "authorizer.yaml")
	keys, err := filepath.Abs(filepath.Join(recordings, "recorded", "jwks.json"))
	if err != nil {
		t.Fatal(err)
	}
	text := `
tables: {revocations: none}
issuers:
  - {name: main, issuer: "https://idp.example.com", audiences: ["https://api.example.com"], jwks_file: "` + keys + `"}
routes:
  - {route: "GET /b/{x+}", require: [{jwt: {scopes: ["items:read"]}}]}
  - {route: "GET /b/{x}/d", require: [{jwt: {scopes: [admin]}}]}
  - {route: "GET /{x}/d", require: [{jwt: {scopes: ["items:read"]}}]}
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	bearer := "Authorization: Bearer " + recordedToken(t, "valid")
	x := explainJSON(t, "--config", config, "--path", "/a/d", "-H", bearer)
	got, _ := json.Marshal(x.Cached)
	if len(x.Cached.LeftOut) == 0 || len(x.Cached.Closes) != 1 || x.Cached.Closes[0] != "GET /b/{x}/d" {
		t.Errorf("cached copy %s", got)
	}
	left := x.Cached.LeftOut[0]
	path := map[string]string{"GET /b/{x+}": "/b/x/y", "GET /{x}/d": "/a/d"}[left]
	x = explainJSON(t, "--config", config, "--path", path, "-H", bearer)
	if x.Reason != "policy_inexact" || x.Status != 500 || x.Cached.Why != "API Gateway keeps no errors" {
		t.Errorf("%s, which is left out, is answered %s, %s: %d", left, x.Outcome, x.Reason, x.Status)
	}
	if c := x.Cached; len(c.LeftOut) != 1 || len(c.Opens) != 1 || len(c.Because) == 0 || !strings.Contains(c.Because[0], left) ||
		!strings.Contains(c.Because[0], "to a caller who may not use GET /b/{x}/d") {
		t.Errorf("the explanation is no help: %+v", c)
	}
}

// What is told of an answer is that answer's, to the byte.
func TestExplainTellsOfTheAnswerItself(t *testing.T) {
	t.Parallel()
	bearer := "Authorization: Bearer " + recordedToken(t, "valid")
	of := func(head, routes string, args ...string) *explained {
		config := filepath.Join(t.TempDir(), "authorizer.yaml")
		keys, err := filepath.Abs(filepath.Join(recordings, "recorded", "jwks.json"))
		if err != nil {
			t.Fatal(err)
		}
		text := head + "\ntables: {revocations: none}\nissuers:\n  - {name: main, issuer: \"https://idp.example.com\", audiences: [\"https://api.example.com\"], jwks_file: \"" + keys + "\"}\nroutes:\n" + routes
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return explainJSON(t, append([]string{"--config", config, "-H", bearer}, args...)...)
	}
	mine, others := "  - {route: \"GET /items/{id}\", require: [{jwt: {}}]}\n  - {route: \"GET /items/{id}/lines\", require: [{jwt: {}}]}\n",
		"  - {route: \"GET /admin\", require: [{jwt: {scopes: [nobody]}}]}\n"

	x := of("", mine, "--path", "/items/7")
	var answer struct {
		PolicyDocument json.RawMessage `json:"policyDocument"`
	}
	decode(t, x.Answer, &answer)
	var document bytes.Buffer
	if err := json.Compact(&document, answer.PolicyDocument); err != nil {
		t.Fatal(err)
	}
	if x.Document != document.Len() {
		t.Errorf("a policy of %d bytes is said to have %d", document.Len(), x.Document)
	}
	if len(x.Cached.AlsoOpens) != 1 || x.Cached.AlsoOpens[0] != "GET /items/*/*" {
		t.Errorf("also opens %q", x.Cached.AlsoOpens)
	}
	simple := "gateway: {identity_sources: [$request.header.Authorization, $context.routeKey]}\nresponse: {http_api: simple}"
	if c := of(simple, mine+others, "--path", "/items/7").Cached; len(c.Opens) != 1 || c.Opens[0] != "GET /items/{id}" || c.Closes != nil {
		t.Errorf("a simple yes: %+v", c)
	}
	if c := of(simple, mine+others, "--path", "/admin").Cached; len(c.Closes) != 1 || c.Closes[0] != "GET /admin" || c.Opens != nil {
		t.Errorf("a simple no: %+v", c)
	}
}
