package oidctest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/jwks"
	"lambda-authorizer/oidctest"
	"lambda-authorizer/reason"
)

const recordDir = "../testdata/record"

// live is one provider for all tests of the package.
var live *oidctest.Provider

func TestMain(m *testing.M) {
	var err error
	if live, err = oidctest.Start(context.Background(), recordDir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	live.Close()
	os.Exit(code)
}

func TestDiscoveryNamesTheIssuerAndItsKeys(t *testing.T) {
	t.Parallel()
	var discovery struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	getJSON(t, live.Issuer+"/.well-known/openid-configuration", &discovery)
	if discovery.Issuer != live.Issuer {
		t.Errorf("issuer = %q, want %q", discovery.Issuer, live.Issuer)
	}
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	getJSON(t, discovery.JWKSURI, &set)
	var algorithms []string
	for _, key := range set.Keys {
		algorithms = append(algorithms, key["alg"])
		if key["d"] != "" {
			t.Error("the key set publishes a private key")
		}
	}
	slices.Sort(algorithms)
	if diff := cmp.Diff([]string{"ES256", "EdDSA", "PS256", "RS256"}, algorithms); diff != "" {
		t.Errorf("algorithms of the key set (-want +got):\n%s", diff)
	}
}

func TestServiceTokenIsAJWTAccessToken(t *testing.T) {
	t.Parallel()
	token, err := live.ClientCredentials(t.Context(), "items:read", "no:such:scope")
	if err != nil {
		t.Fatal(err)
	}
	header, claims := decode(t, token)
	if header["typ"] != "at+jwt" { // RFC 9068 section 2.1
		t.Errorf("typ = %v, want at+jwt", header["typ"])
	}
	want := map[string]any{"iss": live.Issuer, "aud": live.Audience, "sub": oidctest.Service, "client_id": oidctest.Service, "scope": "items:read"}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("%s = %v, want %v", name, claims[name], value)
		}
	}
}

func TestLiveServiceTokenIsVerifiedByDiscovery(t *testing.T) {
	t.Parallel()
	raw, err := live.ClientCredentials(t.Context(), "items:read", "items:write")
	if err != nil {
		t.Fatal(err)
	}
	token, err := liveVerifier(t, live.Audience).Verify(t.Context(), raw, "")
	if err != nil {
		t.Fatal(err)
	}
	_, claims := decode(t, raw)
	compare(t, token, expectation{
		Principal: oidctest.Service, Subject: oidctest.Service, ClientID: oidctest.Service,
		TokenID: claims["jti"].(string), Scopes: []string{"items:read", "items:write"},
	})
}

func TestLiveUserTokenIsVerifiedByDiscovery(t *testing.T) {
	t.Parallel()
	raw, err := live.AuthorizationCode(t.Context(), oidctest.Olga, "items:read", "admin")
	if err != nil {
		t.Fatal(err)
	}
	token, err := liveVerifier(t, live.Audience).Verify(t.Context(), raw, "")
	if err != nil {
		t.Fatal(err)
	}
	_, claims := decode(t, raw)
	compare(t, token, expectation{
		Principal: oidctest.Olga, Subject: oidctest.Olga, ClientID: oidctest.Web,
		TokenID: claims["jti"].(string), Scopes: []string{"items:read", "admin"},
	})
	if diff := cmp.Diff([]any{"staff", "ops"}, token.Claims["groups"]); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestLiveTokenForAnotherAPIIsRefused(t *testing.T) {
	t.Parallel()
	raw, err := live.ClientCredentials(t.Context(), "items:read")
	if err != nil {
		t.Fatal(err)
	}
	_, err = liveVerifier(t, "https://billing.example.com").Verify(t.Context(), raw, "")
	if reason.Of(err) != reason.AudienceMismatch {
		t.Errorf("Verify = %v, want %s", err, reason.AudienceMismatch)
	}
}

func TestSignInOfAStrangerFails(t *testing.T) {
	t.Parallel()
	if token, err := live.AuthorizationCode(t.Context(), "mallory", "items:read"); err == nil || token != "" {
		t.Errorf("AuthorizationCode for an unknown account = %v, want an error", err)
	}
}

func TestProviderIsGoneAfterClose(t *testing.T) {
	t.Parallel()
	p, err := oidctest.Start(t.Context(), recordDir)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := p.ClientCredentials(t.Context()); err == nil {
		t.Error("a closed provider still issues tokens")
	}
}

func TestStartSaysWhatToRunWhenPackagesAreMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "serve.mjs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := oidctest.Start(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("Start = %v, want it to name `make setup`", err)
	}
}

func TestStartNamesADirectoryWithoutProvider(t *testing.T) {
	t.Parallel()
	_, err := oidctest.Start(t.Context(), "no/such/directory")
	if err == nil || !strings.Contains(err.Error(), "no/such/directory") {
		t.Errorf("Start = %v, want it to name the directory", err)
	}
}

func TestStartTellsWhyTheProviderEnded(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		`throw new Error("no luck today")`:                         "no luck today",
		`console.log("hello"); process.stdin.on("data", () => {})`: "first line",
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "node_modules", "oidc-provider"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "serve.mjs"), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := oidctest.Start(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start with %s: %v, want it to say %q", script, err, want)
		}
	}
}

func liveVerifier(t *testing.T, audience string) *jwks.Verifier {
	t.Helper()
	v, err := jwks.New([]jwks.Issuer{{Issuer: live.Issuer, Name: "main", Audiences: []string{audience}}}, jwks.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
}

// decode reads a token's header and claims and checks nothing.
func decode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the token has %d parts", len(parts))
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}
