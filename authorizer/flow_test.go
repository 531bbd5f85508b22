package authorizer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/jwks"
	"lambda-authorizer/reason"
)

// verifier answers with what a test says: for faults that a real key set
// cannot be made to have on time.
type verifier func(context.Context) (*jwks.Token, error)

func (v verifier) Verify(ctx context.Context, _, _ string) (*jwks.Token, error) { return v(ctx) }

func with(v verifier) func(*authorizer.Options) {
	return func(o *authorizer.Options) { o.Tokens = v }
}

func TestEveryReasonOfTheFlowIsGivenForWhatItSays(t *testing.T) {
	t.Parallel()
	alice := mint(t, nil)
	simpleCached := `gateway: {identity_sources: [$request.header.Authorization, $context.routeKey]}
response: {http_api: simple}` + usual + itemRoutes
	routeKeyed := "gateway: {identity_sources: [$request.header.Authorization, $context.routeKey]}" + usual + itemRoutes
	for name, tc := range map[string]struct {
		function function
		event    string
		reason   reason.Code
	}{
		"allowed":                             {newFunction(t, uncached), tokenEvent(alice, "GET /items"), ""},
		"no credential":                       {newFunction(t, uncached), `{"type":"TOKEN","methodArn":"` + restARN + `GET/items"}`, reason.CredentialMissing},
		"two credentials":                     {newFunction(t, uncached), tokenEvent(alice+", Bearer "+alice, "GET /items"), reason.CredentialAmbiguous},
		"no JWT":                              {newFunction(t, uncached), tokenEvent("abc", "GET /items"), reason.CredentialMalformed},
		"another issuer":                      {newFunction(t, uncached), tokenEvent(mint(t, claims{"iss": "https://other.example.com"}), "GET /items"), reason.IssuerUnknown},
		"expired":                             {newFunction(t, uncached), tokenEvent(mint(t, claims{"exp": noon.Add(-time.Minute).Unix()}), "GET /items"), reason.TokenExpired},
		"not yet valid":                       {newFunction(t, uncached), tokenEvent(mint(t, claims{"nbf": noon.Add(time.Minute).Unix()}), "GET /items"), reason.TokenNotYetValid},
		"another audience":                    {newFunction(t, uncached), tokenEvent(mint(t, claims{"aud": "https://other.example.com"}), "GET /items"), reason.AudienceMismatch},
		"no expiry":                           {newFunction(t, uncached), tokenEvent(mint(t, claims{"exp": nil}), "GET /items"), reason.ClaimMissing},
		"bound to a certificate":              {newFunction(t, uncached), tokenEvent(mint(t, claims{"cnf": map[string]string{"x5t#S256": "x"}}), "GET /items"), reason.SenderConstrained},
		"a principal too long to be told":     {newFunction(t, uncached), tokenEvent(mint(t, claims{"sub": strings.Repeat("a", 1020)}), "GET /items"), reason.CredentialMalformed},
		"a principal of the longest":          {newFunction(t, uncached), tokenEvent(mint(t, claims{"sub": strings.Repeat("a", 1019)}), "GET /items"), ""},
		"a principal on two lines":            {newFunction(t, uncached), tokenEvent(mint(t, claims{"sub": "al\nice"}), "GET /items"), reason.CredentialMalformed},
		"tampered":                            {newFunction(t, uncached), tokenEvent(tamper(alice), "GET /items"), reason.SignatureInvalid},
		"an API not served":                   {newFunction(t, "gateway: {cache_ttl: 0s, apis: [zyxwvu9876/prod]}"+usual+itemRoutes), tokenEvent(alice, "GET /items"), reason.APIUnknown},
		"a stage not served":                  {newFunction(t, "gateway: {cache_ttl: 0s, apis: [abcdef1234/dev]}"+usual+itemRoutes), tokenEvent(alice, "GET /items"), reason.APIUnknown},
		"any stage served":                    {newFunction(t, `gateway: {cache_ttl: 0s, apis: ["abcdef1234/*"]}`+usual+itemRoutes), tokenEvent(alice, "GET /items"), ""},
		"a route not listed":                  {newFunction(t, uncached), tokenEvent(alice, "GET /nowhere"), reason.RouteUnknown},
		"a method not listed":                 {newFunction(t, uncached), tokenEvent(alice, "PUT /items"), reason.RouteUnknown},
		"a route API Gateway chose otherwise": {newFunction(t, uncached), httpEvent(alice, "GET /items/7", "GET /items"), reason.RouteUnknown},
		"too little scope":                    {newFunction(t, uncached), tokenEvent(alice, "DELETE /items/7"), reason.ScopeInsufficient},
		"another claim":                       {newFunction(t, uncached), tokenEvent(mint(t, claims{"department": "sales"}), "GET /reports"), reason.ClaimsInsufficient},
		"the claim":                           {newFunction(t, uncached), tokenEvent(mint(t, claims{"department": []string{"x", "finance"}}), "GET /reports"), ""},
		"key set out of reach": {newFunction(t, uncached, with(func(context.Context) (*jwks.Token, error) {
			return nil, fmt.Errorf("%w: issuer main", reason.JWKSUnavailable)
		})), tokenEvent(alice, "GET /items"), reason.JWKSUnavailable},
		"out of time":                         {newFunction(t, uncached, with(func(context.Context) (*jwks.Token, error) { return nil, context.DeadlineExceeded })), tokenEvent(alice, "GET /items"), reason.DeadlineExceeded},
		"an error of no kind":                 {newFunction(t, uncached, with(func(context.Context) (*jwks.Token, error) { return nil, errors.New("disk on fire") })), tokenEvent(alice, "GET /items"), reason.Internal},
		"a panic":                             {newFunction(t, uncached, with(func(context.Context) (*jwks.Token, error) { panic("secret of " + alice) })), tokenEvent(alice, "GET /items"), reason.Internal},
		"no event of ours":                    {newFunction(t, uncached), `{"Records":[]}`, reason.EventUnsupported},
		"simple, too few sources":             {newFunction(t, simpleCached), httpEvent(alice, "GET /items", "GET /items", "Bearer "+alice), reason.CacheUnsafe},
		"simple, another route key":           {newFunction(t, simpleCached), httpEvent(alice, "GET /items", "GET /items", "Bearer "+alice, "ANY /{proxy+}"), reason.CacheUnsafe},
		"simple, declared sources":            {newFunction(t, simpleCached), httpEvent(alice, "GET /items", "GET /items", "Bearer "+alice, "GET /items"), ""},
		"policy, fewer sources than declared": {newFunction(t, routeKeyed), httpEvent(alice, "GET /items", "GET /items", "Bearer "+alice), reason.CacheUnsafe},
		"policy, as many sources as declared": {newFunction(t, routeKeyed), httpEvent(alice, "GET /items", "GET /items", "Bearer "+alice, "GET /items"), ""},
		"policy, an API without caching":      {newFunction(t, routeKeyed), httpEvent(alice, "GET /items", "GET /items"), ""},
		"a path that a cached wildcard opens": {newFunction(t, cached), tokenEvent(alice, "GET /items/%61"), reason.PolicyInexact},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, line, err := tc.function.line(t, tc.event)
			got, _ := line["reason"].(string)
			if got != string(tc.reason) {
				t.Fatalf("reason is %q, want %q: %v", got, tc.reason, line["detail"])
			}
			wantRow(t, tc.reason, answer, err)
			produce(tc.reason)
			if strings.Contains(fmt.Sprint(err, line), alice[len(alice)-40:]) {
				t.Errorf("a token reached an error or the log: %v %v", err, line)
			}
		})
	}
}

// The check of sizes at start-up has to assume how long a stage's name is.
func TestPolicyThatIsTooLongForItsBoundIsAFault(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "response: {max_policy_bytes: 1200}"+usual+itemRoutes)
	event := tokenEvent(mint(t, claims{"scope": "items:read items:write"}), "GET /items")
	if _, _, err := f.line(t, event); err != nil {
		t.Fatal(err)
	}
	_, line, err := f.line(t, strings.Replace(event, "/prod/", "/"+strings.Repeat("p", 128)+"/", 1))
	if err == nil || line["reason"] != string(reason.PolicyTooLarge) {
		t.Errorf("%v, %v", line, err)
	}
	produce(reason.PolicyTooLarge)
}

// wantRow checks that an answer is of the row that its reason belongs to.
func wantRow(t *testing.T, code reason.Code, answer string, err error) {
	t.Helper()
	status := 200
	if code != "" {
		status = code.Status()
	}
	switch status {
	case 200, 403:
		if err != nil || answer == "" {
			t.Errorf("%q answers %q, %v; want an answer", code, answer, err)
		}
		if allows := strings.Contains(answer, `"Effect":"Allow"`) || strings.Contains(answer, `"isAuthorized":true`); status == 403 && allows && !strings.Contains(answer, `"Deny"`) {
			t.Errorf("%q answers %s", code, answer)
		}
	case 401:
		if answer != "" || err == nil || err.Error() != "Unauthorized" {
			t.Errorf("%q answers %q, %v; want the error Unauthorized", code, answer, err)
		}
	default:
		if answer != "" || err == nil || err.Error() == "Unauthorized" || !strings.HasPrefix(err.Error(), string(code)) {
			t.Errorf("%q answers %q, %v; want an error that begins with the code", code, answer, err)
		}
	}
}

func tamper(token string) string {
	i := strings.LastIndexByte(token, '.') + 1
	c := byte('A')
	if token[i] == c {
		c = 'B'
	}
	return token[:i] + string(c) + token[i+1:]
}

func TestWhoIsNotAuthenticatedIsRefusedWithAnAnswerWhereTheConfigurationSaysDeny(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "gateway: {cache_ttl: 0s}\nresponse: {unauthenticated: deny}"+usual+itemRoutes)
	answer, _, err := f.line(t, tokenEvent("no.such.token", "GET /items"))
	var got struct {
		PrincipalID    string
		PolicyDocument struct {
			Statement []struct {
				Effect   string
				Resource any
			}
		}
		Context map[string]any
	}
	if e := json.Unmarshal([]byte(answer), &got); e != nil || err != nil {
		t.Fatal(answer, e, err)
	}
	s := got.PolicyDocument.Statement
	if len(s) != 1 || s[0].Effect != "Deny" || got.PrincipalID != "anonymous" || got.Context["reason"] != "credential_malformed" {
		t.Errorf("answer is %s", answer)
	}
}

func TestADocumentThatOpensRoutesCarriesNoReason(t *testing.T) {
	t.Parallel()
	f := newFunction(t, cached)
	refused, line, err := f.line(t, tokenEvent(mint(t, nil), "DELETE /items/7"))
	if err != nil || line["outcome"] != "deny" || strings.Contains(refused, `"reason"`) {
		t.Errorf("the answer would tell %v to later requests: %s, %v", line["reason"], refused, err)
	}
	nothing, _, err := f.line(t, tokenEvent(mint(t, claims{"scope": nil}), "DELETE /items/7"))
	if err != nil || !strings.Contains(nothing, `"reason":"scope_insufficient"`) {
		t.Errorf("a document that opens nothing lacks the reason: %s, %v", nothing, err)
	}
}

// With caching the answer is a function of the token alone: API Gateway uses
// it for every route.
func TestACachedAnswerIsTheSameForEveryRoute(t *testing.T) {
	t.Parallel()
	f, alice := newFunction(t, cached), mint(t, nil)
	first, _, err := f.line(t, tokenEvent(alice, "GET /items"))
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range []string{"GET /items/7", "DELETE /items/7", "GET /reports", "PUT /nowhere", "GET /items"} {
		if other, _, err := f.line(t, tokenEvent(alice, route)); err != nil || other != first {
			t.Errorf("%s: %s, %v; first was %s", route, other, err, first)
		}
	}
}

func TestTheLineSaysWhoAskedForWhat(t *testing.T) {
	t.Parallel()
	f := newFunction(t, uncached)
	_, line, _ := f.line(t, httpEvent(mint(t, claims{"client_id": "web"}), "GET /items/7", "GET /items/{id}"))
	for key, want := range map[string]any{
		"outcome": "allow", "decision": "allow", "request_id": "r1", "event": "http_2.0", "api_id": "abcdef1234", "stage": "prod",
		"method": "GET", "route": "GET /items/{id}", "principal": "main|alice", "issuer": "main", "key_id": "k1",
		"source_ip": "192.0.2.44", "cold_start": true, "time": "2026-11-21T12:00:00Z", "Decisions": 1.0,
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	if id, _ := line["token"].(string); !strings.HasPrefix(id, "sha256:") || strings.Contains(fmt.Sprint(line), "id-1") {
		t.Errorf("the token's id is told: %v", line)
	}
	if _, second, _ := f.line(t, tokenEvent("x", "GET /items")); second["cold_start"] != nil {
		t.Error("the second invocation is cold, too")
	}
}

func TestThePrincipalIsHashedWhereTheConfigurationSaysSo(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "gateway: {cache_ttl: 0s}\nlog: {principal: hash}"+usual+itemRoutes)
	_, line, _ := f.line(t, tokenEvent(mint(t, nil), "GET /items"))
	if p, _ := line["principal"].(string); !strings.HasPrefix(p, "sha256:") || strings.Contains(fmt.Sprint(line), "alice") {
		t.Errorf("principal is %q in %v", p, line)
	}
}

func TestContextHoldsOnlyWhatABackendCanBeHanded(t *testing.T) {
	t.Parallel()
	f := newFunction(t, `gateway: {cache_ttl: 0s}
response: {claims: [email, "custom:tenant", groups, level, admin, long, control, huge, nothing]}`+usual+itemRoutes)
	answer, _, err := f.line(t, tokenEvent(mint(t, claims{
		"email": "a@example.com", "custom:tenant": "acme", "groups": []string{"x", "y"}, "level": 7, "admin": true,
		"long": strings.Repeat("x", 1025), "control": "a\nb", "huge": json.Number("9007199254740993"), "nothing": "", "unlisted": "secret",
	}), "GET /items"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Context map[string]any }
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"principal": "main|alice", "subject": "alice", "auth_method": "jwt", "issuer": "main", "token_id": "id-1",
		"scope": "items:read", "expires_at": float64(noon.Add(time.Hour).Unix()), "key_id": "k1",
		"email": "a@example.com", "custom_tenant": "acme", "groups_json": b64([]byte(`["x","y"]`)), "level": 7.0, "admin": true,
	}
	if fmt.Sprint(got.Context) != fmt.Sprint(want) {
		t.Errorf("context is\n%v, want\n%v", got.Context, want)
	}
}
