package authorizer_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
	"lambda-authorizer/jwks"
)

// noon is the time of every test that says no other.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	issuerURL = "https://idp.example.com/"
	audience  = "https://api.example.com"
)

// claims are those of a token; those named replace the usual ones, nil removes
// one.
type claims map[string]any

// testKey signs the tokens of all tests of this package.
var testKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// mint makes a token as the issuer would: ES256, valid at noon.
func mint(t testing.TB, special claims) string {
	t.Helper()
	return mintAs(t, `{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, special)
}

// mintAs makes one with another header. The signature is ES256 all the same.
func mintAs(t testing.TB, header string, special claims) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64(payload(t, special))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, testKey(), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + b64(signature)
}

// payload is the usual claims with special ones in their place.
func payload(t testing.TB, special claims) []byte {
	t.Helper()
	all := claims{
		"iss": issuerURL, "aud": audience, "sub": "alice", "jti": "id-1",
		"iat": noon.Add(-time.Minute).Unix(), "exp": noon.Add(time.Hour).Unix(),
		"scope": "items:read",
	}
	maps.Copy(all, special)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// function is an authorizer under test, with what it wrote.
type function struct {
	*authorizer.Authorizer
	lines *bytes.Buffer
}

// newFunction configures an authorizer: head has the sections before the
// routes, routes the list.
func newFunction(t testing.TB, yaml string, options ...func(*authorizer.Options)) function {
	t.Helper()
	cfg := load(t, yaml, keySet(t), nil)
	clock := func() time.Time { return noon }
	tokens, err := jwks.New(cfg.Issuers, jwks.Options{Now: clock, Dir: cfg.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	f := function{lines: &bytes.Buffer{}}
	o := authorizer.Options{Tokens: tokens, Now: clock, Decisions: f.lines, Log: slog.New(slog.DiscardHandler)}
	for _, set := range options {
		set(&o)
	}
	if f.Authorizer, err = authorizer.New(cfg, o); err != nil {
		t.Fatal(err)
	}
	return f
}

// load reads a configuration that stands beside a key set, jwks.json.
func load(t testing.TB, yaml, keys string, env map[string]string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "jwks.json"), keys)
	cfg, err := loadIn(t, dir, yaml, env)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func loadIn(t testing.TB, dir, yaml string, env map[string]string) (*config.Config, error) {
	t.Helper()
	path := filepath.Join(dir, "authorizer.yaml")
	write(t, path, yaml)
	return config.Load(path, func(name string) (string, bool) { value, ok := env[name]; return value, ok })
}

// keySet is the issuer's, with the key of its tokens.
func keySet(t testing.TB) string {
	t.Helper()
	key, err := testKey().PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	point := key.Bytes() // 0x04, X, Y
	return fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","use":"sig","x":%q,"y":%q}]}`, b64(point[1:33]), b64(point[33:]))
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// line invokes the function and returns its answer with the decision line.
func (f function) line(t testing.TB, event string) (answer string, line map[string]any, failure error) {
	t.Helper()
	f.lines.Reset()
	out, err := f.Invoke(context.Background(), []byte(event))
	if e := json.Unmarshal(f.lines.Bytes(), &line); e != nil {
		t.Fatalf("the decision line is not one JSON object: %v: %s", e, f.lines)
	}
	return string(out), line, err
}

const usual = `
tables: {revocations: none}
issuers:
  - {name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}
`

const itemRoutes = `
routes:
  - route: GET /items
    require: [{jwt: {scopes: ["items:read"]}}]
  - route: GET /items/{id}
    require: [{jwt: {scopes: ["items:read"]}}]
  - route: DELETE /items/{id}
    require: [{jwt: {scopes: ["items:write"]}}]
  - route: GET /reports
    require: [{jwt: {claims: {department: [finance]}}}]
`

const (
	uncached = "gateway: {cache_ttl: 0s}" + usual + itemRoutes
	cached   = usual + itemRoutes
)

const restARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/"

// tokenEvent is a REST TOKEN event for "METHOD /path".
func tokenEvent(token, route string) string {
	method, path, _ := cut(route)
	return fmt.Sprintf(`{"type":"TOKEN","methodArn":%q,"authorizationToken":%q}`, restARN+method+path, "Bearer "+token)
}

// httpEvent is an HTTP API 2.0 event for "METHOD /path", served by routeKey.
func httpEvent(token, route, routeKey string, sources ...string) string {
	method, path, _ := cut(route)
	list, _ := json.Marshal(sources)
	return fmt.Sprintf(`{"version":"2.0","type":"REQUEST","routeArn":%q,"routeKey":%q,"identitySource":%s,
		"headers":{"authorization":%q},"requestContext":{"requestId":"r1","http":{"sourceIp":"192.0.2.44"}}}`,
		restARN+method+path, routeKey, list, "Bearer "+token)
}

func cut(route string) (method, path string, ok bool) {
	for i := range route {
		if route[i] == ' ' {
			return route[:i], route[i+1:], true
		}
	}
	return "", route, false
}
