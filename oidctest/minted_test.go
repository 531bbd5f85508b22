package oidctest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"lambda-authorizer/jwks"
	"lambda-authorizer/reason"
)

// shape is minted/<name>/shape.json, as far as the test needs it.
type shape struct {
	Documentation []string    `json:"documentation"`
	Expected      expectation `json:"expected"`
}

func TestMintedTokensOfKnownServicesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, name := range mintedNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s shape
			readJSON(t, filepath.Join(testdata, "minted", name, "shape.json"), &s)
			if len(s.Documentation) == 0 {
				t.Error("shape.json names no documentation")
			}
			issuer := mintedIssuer(t, name)
			token, err := verifyMinted(t, name, issuer)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, token, s.Expected)
			if token.Issuer != issuer.Name || token.IssuerURL != issuer.Issuer {
				t.Errorf("issuer = %s, %s, want %s, %s", token.Issuer, token.IssuerURL, issuer.Name, issuer.Issuer)
			}
		})
	}
}

func TestMintedTokensAreRefusedByAConfigurationForOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, token string
		change      func(*jwks.Issuer)
		want        reason.Code
	}{
		{"id token where access tokens are wanted", "cognito-id", func(i *jwks.Issuer) { i.TokenUse = "access" }, reason.TokenUseMismatch},
		{"access token where id tokens are wanted", "cognito-access", func(i *jwks.Issuer) { i.TokenUse = "id" }, reason.TokenUseMismatch},
		{"token of another app client", "cognito-access", func(i *jwks.Issuer) { i.ClientIDs = []string{"another"} }, reason.ClientMismatch},
		{"token bound to a resource where only clients are listed", "cognito-access-resource-bound", func(i *jwks.Issuer) { i.Audiences = nil }, reason.AudienceMismatch},
		{"token without aud where an audience is wanted", "cognito-access", func(i *jwks.Issuer) { i.Audiences = []string{"https://api.example.com"} }, reason.AudienceMismatch},
		{"azp names another client", "auth0", func(i *jwks.Issuer) { i.ClientIDs = []string{"another"} }, reason.ClientMismatch},
		{"cid names another client", "okta", func(i *jwks.Issuer) { i.ClientIDs = []string{"another"} }, reason.ClientMismatch},
		{"appid names another client", "entra-v1", func(i *jwks.Issuer) { i.ClientIDs = []string{"another"} }, reason.ClientMismatch},
		{"no client where one is wanted", "firebase-id", func(i *jwks.Issuer) { i.ClientIDs = []string{"web"} }, reason.ClientMismatch},
		{"at+jwt where JWT is wanted", "auth0-rfc9068", func(i *jwks.Issuer) { i.TokenTypes = []string{"JWT"} }, reason.TypeForbidden},
		{"no typ where at+jwt is wanted", "okta", func(i *jwks.Issuer) { i.TokenTypes = []string{"at+jwt"} }, reason.TypeForbidden},
		{"other spelling of the issuer without the alias", "google-id-bare-issuer", func(i *jwks.Issuer) { i.Aliases = nil }, reason.IssuerUnknown},
		{"slash at the end of the issuer forgotten", "auth0", func(i *jwks.Issuer) { i.Issuer = strings.TrimSuffix(i.Issuer, "/") }, reason.IssuerUnknown},
		{"another tenant", "entra-v2", func(i *jwks.Issuer) {
			i.Issuer = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"
		}, reason.IssuerUnknown},
		{"Keycloak client without an audience mapper", "keycloak", func(i *jwks.Issuer) { i.Audiences = []string{"another-api"} }, reason.AudienceMismatch},
		{"another Firebase project", "firebase-id", func(i *jwks.Issuer) { i.Audiences = []string{"my-project-5678"} }, reason.AudienceMismatch},
		{"algorithm not listed", "okta", func(i *jwks.Issuer) { i.Algorithms = []string{"ES256"} }, reason.AlgorithmForbidden},
		{"principal claim absent", "google-id", func(i *jwks.Issuer) { i.PrincipalClaim = "oid" }, reason.ClaimMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			issuer := mintedIssuer(t, c.token)
			c.change(&issuer)
			_, err := verifyMinted(t, c.token, issuer)
			if got := verdict(err); got != string(c.want) {
				t.Errorf("verdict = %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

func TestRolesAreScopesOnlyWhereTheyAreNamed(t *testing.T) {
	t.Parallel()
	issuer := mintedIssuer(t, "entra-v2-app")
	issuer.ScopeClaims = nil
	token, err := verifyMinted(t, "entra-v2-app", issuer)
	if err != nil {
		t.Fatal(err)
	}
	if len(token.Scopes) != 0 {
		t.Errorf("scopes = %q, want none", token.Scopes)
	}
}

func mintedNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, dir := range glob(t, "minted/*/shape.json") {
		names = append(names, filepath.Base(filepath.Dir(dir)))
	}
	return names
}

func mintedIssuer(t *testing.T, name string) jwks.Issuer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata, "minted", name, "issuer.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var section struct {
		Issuers []jwks.Issuer `yaml:"issuers"`
	}
	if err := yaml.UnmarshalWithOptions(text, &section, yaml.Strict()); err != nil {
		t.Fatalf("%s/issuer.yaml: %v", name, err)
	}
	if len(section.Issuers) != 1 {
		t.Fatalf("%s/issuer.yaml has %d issuers, want one", name, len(section.Issuers))
	}
	return section.Issuers[0]
}

func verifyMinted(t *testing.T, name string, issuer jwks.Issuer) (*jwks.Token, error) {
	t.Helper()
	var m struct {
		MintedAt time.Time `json:"minted_at"`
	}
	readJSON(t, filepath.Join(testdata, "minted", "minted.json"), &m)
	v, err := jwks.New([]jwks.Issuer{issuer}, jwks.Options{
		Now: func() time.Time { return m.MintedAt },
		Dir: filepath.Join(testdata, "minted", name),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(t.Context(), readToken(t, filepath.Join("minted", name, "token.jwt")), "")
}
