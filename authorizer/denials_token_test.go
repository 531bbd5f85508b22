package authorizer_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// shared is an HS256 key: 32 times b, in base64 as its secret has it.
func shared(b byte) (key []byte, text string) {
	key = bytes.Repeat([]byte{b}, 32)
	return key, base64.StdEncoding.EncodeToString(key)
}

// mintHS is a token of the issuer legacy. kid may be empty.
func mintHS(t testing.TB, b byte, kid string, special claims) string {
	t.Helper()
	header := `{"alg":"HS256","typ":"JWT"}`
	if kid != "" {
		header = fmt.Sprintf(`{"alg":"HS256","kid":%q}`, kid)
	}
	secret, _ := shared(b)
	all := claims{"iss": "legacy"}
	for name, value := range special {
		all[name] = value
	}
	return mac(header, payload(t, all), secret)
}

func mac(header string, payload, secret []byte) string {
	input := b64([]byte(header)) + "." + b64(payload)
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(input))
	return input + "." + b64(h.Sum(nil))
}

func legacySecret(t testing.TB, p *place) {
	t.Helper()
	_, text := shared('a')
	if err := p.secrets.Create("legacy-jwt", `{"keys":{"default":"`+text+`"}}`); err != nil {
		t.Fatal(err)
	}
}

func TestSharedSecretTokenIsJudgedOverTheWire(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	legacySecret(t, p)
	publicKey := []byte(keySet(t)) // what a confused verifier would take for a secret
	s := p.connect(t, everything)
	s.run(t, map[string]trial{
		"a token of the shared secret":          {get("GET /items", bearer(mintHS(t, 'a', "", nil))), ""},
		"one that names the key":                {get("GET /items", bearer(mintHS(t, 'a', "default", nil))), ""},
		"one of another secret":                 {get("GET /items", bearer(mintHS(t, 'x', "", nil))), reason.SignatureInvalid},
		"one that names an unknown key":         {get("GET /items", bearer(mintHS(t, 'a', "k7", nil))), reason.KeyUnknown},
		"one past its time":                     {get("GET /items", bearer(mintHS(t, 'a', "", claims{"exp": noon.Add(-time.Minute).Unix()}))), reason.TokenExpired},
		"an ES256 token in the issuer's name":   {get("GET /items", bearer(mint(t, claims{"iss": "legacy"}))), reason.AlgorithmForbidden},
		"its token where another issuer is due": {get("GET /main", bearer(mintHS(t, 'a', "", nil))), reason.CredentialKindNotAccepted},
		"an HS256 token in the name of an issuer with public keys": {get("GET /items",
			bearer(mac(`{"alg":"HS256","kid":"k1"}`, payload(t, nil), publicKey))), reason.AlgorithmForbidden},
		"an unsigned token in the issuer's name": {get("GET /items", bearer(b64([]byte(`{"alg":"none"}`))+"."+b64(payload(t, claims{"iss": "legacy"}))+".")), reason.AlgorithmForbidden},
	})
}

// strict is an issuer that asks for everything that one can ask for.
const strict = `
gateway: {cache_ttl: 0s, identity_sources: []}
tables: {revocations: none}
issuers:
  - {name: main, issuer: "https://idp.example.com/", client_ids: [web], audiences: ["https://api.example.com"], jwks_file: jwks.json,
     token_types: [at+jwt], token_use: access, max_token_age: 1h, principal_claim: email}
routes:
  - route: GET /items
    require: [{jwt: {scopes: [items:read]}}]
`

func TestTokenIsHeldToAllThatItsIssuerAsksForOverTheWire(t *testing.T) {
	t.Parallel()
	as := func(special claims) claims {
		all := claims{"client_id": "web", "token_use": "access", "email": "alice@example.com"}
		for name, value := range special {
			all[name] = value
		}
		return all
	}
	plain := func(special claims) func(testing.TB) *http.Request {
		return get("GET /items", bearer(mint(t, as(special))))
	}
	header := func(text string) func(testing.TB) *http.Request {
		return get("GET /items", bearer(mintAs(t, text, as(nil))))
	}
	newPlace(t).connect(t, strict).run(t, map[string]trial{
		"all of it":                {plain(nil), ""},
		"as old as may be":         {plain(claims{"iat": noon.Add(-time.Hour).Unix()}), ""},
		"older":                    {plain(claims{"iat": noon.Add(-time.Hour - time.Second - 30*time.Second).Unix()}), reason.TokenTooOld},
		"of unknown age":           {plain(claims{"iat": nil}), reason.ClaimMissing},
		"another client":           {plain(claims{"client_id": "cli"}), reason.ClientMismatch},
		"clients that disagree":    {plain(claims{"azp": "cli"}), reason.ClientMismatch},
		"another use":              {plain(claims{"token_use": "id"}), reason.TokenUseMismatch},
		"no principal":             {plain(claims{"email": nil}), reason.ClaimMissing},
		"another audience":         {plain(claims{"aud": "https://other.example.com"}), reason.AudienceMismatch},
		"another type":             {header(`{"alg":"ES256","kid":"k1","typ":"JWT"}`), reason.TypeForbidden},
		"an unknown key":           {header(`{"alg":"ES256","kid":"k9","typ":"at+jwt"}`), reason.KeyUnknown},
		"an algorithm not allowed": {header(`{"alg":"ES384","kid":"k1","typ":"at+jwt"}`), reason.AlgorithmForbidden},
		"an unknown extension":     {header(`{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":["x"],"x":1}`), reason.CredentialMalformed},
	})
}

// A principal other than sub is the principal; sub stays the subject.
func TestPrincipalClaimNamesThePrincipal(t *testing.T) {
	t.Parallel()
	s := newPlace(t).connect(t, strict)
	token := mint(t, claims{"client_id": "web", "token_use": "access", "email": "alice@example.com"})
	got := s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", bearer(token)), "")
	if got.context["principal"] != "main|alice@example.com" || got.line["principal"] != "main|alice@example.com" {
		t.Errorf("principal %v", got.context)
	}
}
