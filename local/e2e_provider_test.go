package local_test

import (
	"fmt"
	"testing"

	"lambda-authorizer/oidctest"
)

// Tokens of a certified OpenID provider, found by discovery, through every
// kind of API and the real bootstrap.
func TestTokensOfARealProviderOpenWhatTheirScopesSay(t *testing.T) {
	t.Parallel()
	p, err := oidctest.Start(t.Context(), "../testdata/record")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s := ownStack(t, fmt.Sprintf(`
tables: {revocations: "${REVOCATIONS_TABLE}"}
issuers:
  - {name: real, issuer: %q, audiences: [%q]}
routes:
  - {route: GET /items, require: [{jwt: {scopes: ["items:read"]}}]}
  - {route: POST /items, require: [{jwt: {scopes: ["items:write"]}}]}
`, p.Issuer, p.Audience))
	machine, err := p.ClientCredentials(t.Context(), "items:read")
	if err != nil {
		t.Fatal(err)
	}
	alice, err := p.AuthorizationCode(t.Context(), oidctest.Alice, "items:read", "items:write")
	if err != nil {
		t.Fatal(err)
	}
	for prefix := range prefixes {
		s.wants(t, 201, "POST", prefix+"/items", alice, `{"name":"hers"}`)
		s.wants(t, 200, "GET", prefix+"/items", machine, "")
		s.wants(t, 403, "POST", prefix+"/items", machine, `{"name":"not allowed"}`)
		s.wants(t, 401, "GET", prefix+"/items", alice[:len(alice)-8]+"AAAAAAAA", "")
	}
}
