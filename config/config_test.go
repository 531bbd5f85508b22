package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
	"lambda-authorizer/revocation"
	"lambda-authorizer/secrets"
)

// catalogue has every key. It breaks the cache rules and names three places
// for one issuer's keys, so it is decoded and not validated.
func catalogue(t *testing.T) *Config {
	t.Helper()
	data, err := os.ReadFile("testdata/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := newReport("catalogue.yaml")
	c := &Config{}
	newDecoder(everything, r).value(document(data, r), reflect.ValueOf(c).Elem(), "")
	if err := r.err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryKeyOfTheCatalogueIsRead(t *testing.T) {
	t.Parallel()
	leeway := 30 * time.Second
	read := []string{"items:read"}
	want := &Config{
		Gateway: Gateway{
			CacheTTL:        5 * time.Minute,
			IdentitySources: []string{"method.request.header.Authorization"},
			APIs:            []string{"a1b2c3d4e5/prod"},
		},
		Tables: Tables{Revocations: "revocations", Nonces: "nonces"},
		Issuers: []jwks.Issuer{{
			Issuer: "https://idp.example.com/", Aliases: []string{}, Name: "main",
			JWKSURI: "https://idp.example.com/jwks", JWKSFile: "jwks.json", HMACSecret: "prod/legacy-jwt",
			Audiences: []string{"https://api.example.com"}, ClientIDs: []string{"web", "mobile"},
			Algorithms: []string{"RS256", "ES256"}, TokenTypes: []string{"at+jwt"}, TokenUse: "access",
			Leeway: &leeway, MaxTokenAge: 24 * time.Hour, PrincipalClaim: "sub", ScopeClaims: []string{"scope", "scp"},
		}},
		Bearer:     Bearer{Header: "Authorization", Query: "access_token", Cookie: "session", Subprotocol: true, Bare: true},
		APIKeys:    &apikey.Config{Header: "X-Api-Key", Secrets: []string{"prod/api-keys"}},
		Signatures: &httpsig.Config{Secrets: []string{"prod/signing-keys"}, MaxAge: 5 * time.Minute, Components: []string{"@method", "@authority", "@path", "@query"}, Authorities: []string{"api.example.com"}, Replay: "deny"},
		Secrets:    secrets.Config{Refresh: 5 * time.Minute, PreviousGrace: 24 * time.Hour},
		Networks: map[string]Network{
			"office":   {CIDRs: []string{"203.0.113.0/24", "2001:db8::/32"}},
			"partners": {DynamoDB: true},
		},
		DenyNetworks:   []string{"198.51.100.7/32"},
		TrustedProxies: []string{"130.176.0.0/16"},
		Revocation:     revocation.Config{CacheTTL: 5 * time.Second, CacheSize: 100000, Timeout: 500 * time.Millisecond, OnError: "deny"},
		Response:       Response{HTTPAPI: "iam", Unauthenticated: "error", MaxPolicyBytes: 8192, Claims: []string{"email", "custom:tenant"}},
		Log:            Log{Principal: "plain"},
		Routes: []policy.Route{
			{Route: "GET /items", Require: []policy.Entry{
				{JWT: &policy.JWTGrant{Issuer: "main", Scopes: read}},
				{APIKey: &policy.KeyGrant{Scopes: read}},
				{Signature: &policy.KeyGrant{Scopes: read}},
			}},
			{Route: "ANY /admin/{proxy+}", Require: []policy.Entry{{
				JWT:      &policy.JWTGrant{AnyScope: []string{"admin", "root"}, Claims: map[string][]any{"cognito:groups": {"ops"}}},
				Networks: []string{"office"},
			}}},
		},
	}
	if diff := cmp.Diff(want, catalogue(t), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// unset lists the keys below path that no part of the catalogue sets.
func unset(out map[string]bool, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		mark(out, path, v.IsNil())
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			unset(out, path, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			unset(out, path+"[]", v.Index(i))
		}
		mark(out, path, v.IsNil())
	case reflect.Struct:
		for name, i := range newDecoder(nil, nil).fieldsOf(v.Type()).index {
			unset(out, join(path, name), v.Field(i))
		}
	default:
		mark(out, path, v.IsZero())
	}
}

// mark notes a key as set once any part of the catalogue sets it.
func mark(out map[string]bool, path string, missing bool) {
	before, known := out[path]
	out[path] = missing && (before || !known)
}

func TestCatalogueHasEveryKey(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	unset(keys, "", reflect.ValueOf(catalogue(t)).Elem())
	for path, missing := range keys {
		// The catalogue shows scopes for keys, and any_scope for tokens.
		if missing && !strings.HasSuffix(path, ".api_key.any_scope") && !strings.HasSuffix(path, ".signature.any_scope") {
			t.Errorf("%s is not in the catalogue", path)
		}
	}
}

func TestAbsentKeysHaveTheirDefaults(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, complete("api_keys: {secrets: [k]}\ngateway: {cache_ttl: 0s}\ntables: {revocations: none, nonces: nonces}\nsignatures: {secrets: [k]}\n")), everything)
	if err != nil {
		t.Fatal(err)
	}
	leeway := 30 * time.Second
	want := &Config{
		Gateway: Gateway{CacheTTL: 0, IdentitySources: []string{"method.request.header.Authorization"}},
		Tables:  Tables{Revocations: "none", Nonces: "nonces"},
		Issuers: []jwks.Issuer{{
			Name: "main", Issuer: "https://idp.example.com/", Audiences: []string{"https://api.example.com"},
			Algorithms: []string{"RS256", "PS256", "ES256", "EdDSA"}, TokenTypes: []string{"", "JWT", "at+jwt"},
			Leeway: &leeway, PrincipalClaim: "sub", ScopeClaims: []string{"scope", "scp"},
		}},
		Bearer:     Bearer{Header: "Authorization"},
		APIKeys:    &apikey.Config{Header: "X-Api-Key", Secrets: []string{"k"}},
		Signatures: &httpsig.Config{Secrets: []string{"k"}, MaxAge: 5 * time.Minute, Components: []string{"@method", "@authority", "@path", "@query"}, Replay: "deny"},
		Secrets:    secrets.Config{Refresh: 5 * time.Minute, PreviousGrace: 24 * time.Hour},
		Revocation: revocation.Config{CacheTTL: 5 * time.Second, CacheSize: 100000, Timeout: 500 * time.Millisecond, OnError: "deny"},
		Response:   Response{HTTPAPI: "iam", Unauthenticated: "error", MaxPolicyBytes: 8192},
		Log:        Log{Principal: "plain"},
		Routes:     []policy.Route{{Route: "GET /items", Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: []string{"items:read"}}}}}},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	empty, err := Load(write(t, complete("\n")), everything)
	if err != nil {
		t.Fatal(err)
	}
	if empty.Gateway.CacheTTL != 300*time.Second {
		t.Errorf("the cache TTL defaults to %v", empty.Gateway.CacheTTL)
	}
}

func TestExplicitZeroIsNotAnAbsentKey(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, complete(`
gateway: {cache_ttl: 0s, identity_sources: []}
issuers:
  - {name: main, issuer: https://idp.example.com/, audiences: [api], leeway: 0s}
bearer: {header: "", query: token}
secrets: {previous_grace: 0s}
revocation: {cache_ttl: 0s}
`)), everything)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"gateway.cache_ttl": c.Gateway.CacheTTL, "gateway.identity_sources": len(c.Gateway.IdentitySources),
		"issuers[0].leeway": *c.Issuers[0].Leeway, "bearer.header": c.Bearer.Header,
		"secrets.previous_grace": c.Secrets.PreviousGrace, "revocation.cache_ttl": c.Revocation.CacheTTL,
	}
	for key, value := range got {
		if !reflect.ValueOf(value).IsZero() {
			t.Errorf("%s was given as zero and is %v", key, value)
		}
	}
}

func TestDefaultMayDependOnAGivenKey(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, complete("issuers:\n  - {name: main, issuer: legacy, audiences: [api], hmac_secret: prod/legacy}\n")), everything)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"HS256"}, c.Issuers[0].Algorithms); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestClaimValuesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, complete(`routes:
  - route: GET /items
    require: [{jwt: {claims: {level: [3, "3", 0.5, true, "true", no]}}}]
`)), everything)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{3.0, "3", 0.5, true, "true", "no"}
	if diff := cmp.Diff(want, c.Routes[0].Require[0].JWT.Claims["level"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRelativeKeyFileResolvesAgainstTheConfiguration(t *testing.T) {
	t.Parallel()
	path := write(t, complete("issuers:\n  - {name: main, issuer: https://idp.example.com/, audiences: [api], jwks_file: keys/jwks.json}\n"))
	keys := filepath.Join(filepath.Dir(path), "keys")
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	// RFC 8037 appendix A.2.
	set := `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	if err := os.WriteFile(filepath.Join(keys, "jwks.json"), []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, everything)
	if err != nil {
		t.Fatal(err)
	}
	if c.Dir() != filepath.Dir(path) {
		t.Errorf("the directory is %s", c.Dir())
	}
}

func TestLineIsWhereAKeyOrItsSectionStands(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, complete(`log:
  principal: hash
response:
  claims:
    - email
    - name
issuers:
  - name: main
    issuer: https://idp.example.com/
    audiences: [api]
routes:
  - route: GET /items
    require:
      - jwt: {scopes: [a,
          b], claims: {"https://example.com/roles": [x]}}
`)), everything)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"log": 1, "log.principal": 2, "response.claims[1]": 6, "issuers[0]": 8, "issuers[0].audiences": 10,
		"routes[0].require[0].jwt.scopes[1]":                     15,
		"routes[0].require[0].jwt.claims":                        15,
		"issuers[0].leeway":                                      8,
		"routes[0].require[0].networks[3]":                       14,
		"routes[7]":                                              11,
		"routes[0].require[0].jwt.claims.https://example.com/ab": 15,
		"gateway.cache_ttl":                                      1,
	} {
		if got := c.Line(path); got != want {
			t.Errorf("%s is said to be on line %d, want %d", path, got, want)
		}
	}
}

func TestFindingIsLocatedInAValidConfiguration(t *testing.T) {
	t.Parallel()
	path := write(t, complete("log:\n  principal: hash\n"))
	c, err := Load(path, everything)
	if err != nil {
		t.Fatal(err)
	}
	got := c.At(problem.At("log.principal", "hides who it was"))
	if want := (Problem{File: path, Line: 2, Key: "log.principal", Text: "hides who it was"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestShippedConfigurationsAreValid(t *testing.T) {
	t.Parallel()
	if _, err := Load("../deploy/authorizer.yaml", everything); err != nil {
		t.Errorf("the default configuration does not start: %v", err)
	}
	if _, err := Load("../deploy/authorizer-uncached.yaml", everything); err != nil {
		t.Errorf("the uncached configuration does not start: %v", err)
	}
}

func TestShippedConfigurationsHaveTheRoutesOfItems(t *testing.T) {
	t.Parallel()
	want := []string{"GET /items", "POST /items", "GET /items/{id}", "PUT /items/{id}", "PATCH /items/{id}", "DELETE /items/{id}", "$connect"}
	for _, path := range []string{"../deploy/authorizer.yaml", "../deploy/authorizer-uncached.yaml"} {
		c, err := Load(path, everything)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range c.Routes {
			got = append(got, r.Route)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
		for at, e := range c.entries() {
			scope := "items:write"
			if strings.HasPrefix(at.route, "GET") || at.route == "$connect" {
				scope = "items:read"
			}
			for _, scopes := range scopesOf(e) {
				if !strings.Contains(strings.Join(scopes, " "), scope) {
					t.Errorf("%s: %s of %s asks for %v, want %s", path, at.path, at.route, scopes, scope)
				}
			}
		}
	}
}

func scopesOf(e policy.Entry) [][]string {
	var out [][]string
	if e.JWT != nil {
		out = append(out, append(e.JWT.Scopes, e.JWT.AnyScope...))
	}
	for _, k := range []*policy.KeyGrant{e.APIKey, e.Signature} {
		if k != nil {
			out = append(out, append(k.Scopes, k.AnyScope...))
		}
	}
	return out
}
