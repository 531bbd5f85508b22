package authorizer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// company is a token, a key and a signer that may be presented together.
type company struct {
	token, key, bad string
	signer          *httpsig.Signer
}

func newCompany(t testing.TB, p *place) company {
	t.Helper()
	unknown, err := apikey.Generate("unknown")
	if err != nil {
		t.Fatal(err)
	}
	return company{
		token: mint(t, claims{"client_id": "web"}),
		key: p.apiKey(t, apikey.Grant{
			ID: "k1", Principal: "acme", Scopes: []string{"items:read", "vault"}, UsageIdentifierKey: "plan-7",
			ExpiresAt: noon.Add(30 * time.Minute), Context: map[string]any{"tenant": "acme", "limits": []any{1.0, 2.0}, "tier": 3.0},
		}),
		signer: p.signer(t, httpsig.Grant{
			ID: "s1", Principal: "machine", Scopes: []string{"items:write"}, ExpiresAt: noon.Add(10 * time.Minute),
			Context: map[string]any{"tenant": "other", "site": "north"},
		}),
		bad: unknown.Text,
	}
}

func TestCombinedCredentialsAreAllJudged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := newCompany(t, p)
	s := p.connect(t, everything)
	s.run(t, map[string]trial{
		"a token and a key where both must be":           {get("GET /vault", bearer(c.token), key(c.key)), ""},
		"a token alone where both must be":               {get("GET /vault", bearer(c.token)), reason.CredentialKindNotAccepted},
		"a key alone where both must be":                 {get("GET /vault", key(c.key)), reason.CredentialKindNotAccepted},
		"a token too weak beside the key":                {get("GET /vault", bearer(mint(t, claims{"scope": "none"})), key(c.key)), reason.ScopeInsufficient},
		"three kinds where one would do":                 {get("GET /items", bearer(c.token), key(c.key), signed(c.signer)), ""},
		"a valid token beside an unknown key":            {get("GET /items", bearer(c.token), key(c.bad)), reason.APIKeyUnknown},
		"a valid key beside an expired token":            {get("GET /items", key(c.key), bearer(mint(t, claims{"exp": noon.Add(-time.Hour).Unix()}))), reason.TokenExpired},
		"a valid token beside a broken signature":        {get("GET /items", bearer(c.token), signed(c.signer), edit("Signature", "=:", "=:AAAA")), reason.SignatureInvalid},
		"a valid signature beside junk":                  {get("GET /signed", bearer("junk"), signed(c.signer)), reason.CredentialMalformed},
		"a valid token beside somebody else's key":       {get("GET /items", bearer(c.token), key("0123456789abcdef")), ""},
		"a valid token beside Basic in another header":   {get("GET /items", bearer(c.token), header("Proxy-Authorization", "Basic eA==")), ""},
		"a token and Basic in one header":                {get("GET /items", bearer(c.token), header("Authorization", "Basic eA==")), reason.CredentialAmbiguous},
		"scopes of the one and the kind of the other":    {get("POST /items", bearer(c.token), key(c.key)), reason.ScopeInsufficient},
		"a signature's own route beside a weaker token":  {get("POST /items", bearer(c.token), signed(c.signer)), ""},
		"a signature that does not cover what it must":   {get("GET /signed", bearer(c.token), signed(c.signer), edit("Signature-Input", ` "@path"`, "")), reason.SignatureIncomplete},
		"a token, and a route for signatures alone":      {get("GET /signed", bearer(c.token), key(c.key)), reason.CredentialKindNotAccepted},
		"a token of an unknown issuer beside a good key": {get("GET /items", key(c.key), bearer(mint(t, claims{"iss": "https://evil.example.com"}))), reason.IssuerUnknown},
	})
	p.revoke(t, "api_key#k1")
	p.Add(2 * time.Second)
	s.wants(t, api, request(t, "GET /items", bearer(c.token), key(c.key)), reason.Revoked)
	s.wants(t, api, request(t, "GET /items", bearer(c.token)), "")
}

func TestContextSpeaksOfThePrincipalAndNamesEveryMethod(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := newCompany(t, p)
	s := p.connect(t, everything)
	at := func(d time.Duration) float64 { return float64(noon.Add(d).Unix()) }
	list := b64([]byte(`[1,2]`))
	token := map[string]any{"principal": "main|alice", "subject": "alice", "issuer": "main", "client_id": "web", "token_id": "id-1", "scope": "items:read", "key_id": "k1"}
	record := map[string]any{"tenant": "acme", "limits_json": list, "tier": 3.0}
	for name, tc := range map[string]struct {
		route string
		parts []part
		want  []map[string]any
		usage string
	}{
		"a token": {"GET /items", []part{bearer(c.token)}, []map[string]any{token,
			{"auth_method": "jwt", "expires_at": at(time.Hour)}}, ""},
		"a key": {"GET /items", []part{key(c.key)}, []map[string]any{record,
			{"principal": "api_key|acme", "subject": "acme", "auth_method": "api_key", "scope": "items:read vault", "key_id": "k1", "expires_at": at(30 * time.Minute)}}, "plan-7"},
		"a signature": {"POST /items", []part{signed(c.signer)}, []map[string]any{
			{"principal": "signing_key|machine", "subject": "machine", "auth_method": "signature", "scope": "items:write", "key_id": "s1", "expires_at": at(10 * time.Minute),
				"tenant": "other", "site": "north", "content_digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}}, ""},
		"a signature of a request without a body": {"GET /signed", []part{signed(c.signer)}, []map[string]any{
			{"principal": "signing_key|machine", "subject": "machine", "auth_method": "signature", "scope": "items:write", "key_id": "s1", "expires_at": at(10 * time.Minute),
				"tenant": "other", "site": "north"}}, ""},
		"a token and a key": {"GET /vault", []part{bearer(c.token), key(c.key)}, []map[string]any{token, record,
			{"auth_method": "jwt+api_key", "expires_at": at(30 * time.Minute)}}, "plan-7"},
		"a key and a signature": {"GET /signed", []part{key(c.key), signed(c.signer)}, []map[string]any{record,
			{"principal": "api_key|acme", "subject": "acme", "auth_method": "api_key+signature", "scope": "items:read vault", "key_id": "k1", "expires_at": at(10 * time.Minute), "site": "north"}}, "plan-7"},
		"all three": {"GET /items", []part{bearer(c.token), key(c.key), signed(c.signer)}, []map[string]any{token, record,
			{"auth_method": "jwt+api_key+signature", "expires_at": at(10 * time.Minute), "site": "north"}}, "plan-7"},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]any{}
			for _, some := range tc.want {
				for k, v := range some {
					want[k] = v
				}
			}
			got := s.wants(t, gateway.HTTP2IAM, request(t, tc.route, tc.parts...), "")
			if diff := cmp.Diff(want, got.context); diff != "" {
				t.Errorf("context (-want +got)\n%s", diff)
			}
			var answer struct {
				PrincipalID, UsageIdentifierKey string
			}
			if err := json.Unmarshal([]byte(got.answer), &answer); err != nil || answer.PrincipalID != want["principal"] || answer.UsageIdentifierKey != tc.usage {
				t.Errorf("the answer says %+v, %v", answer, err)
			}
			ids := map[string]string{"api_key": "api_key_id", "signature": "signing_key_id"}
			for method, id := range ids {
				if named, presented := got.line[id] != nil, strings.Contains(want["auth_method"].(string), method); named != presented {
					t.Errorf("%s is %v on the line of %v", id, got.line[id], want["auth_method"])
				}
			}
			if got.line["principal"] != want["principal"] || got.line["auth_method"] != want["auth_method"] {
				t.Errorf("the line says %v by %v", got.line["principal"], got.line["auth_method"])
			}
			rest := s.wants(t, gateway.RESTRequest, request(t, tc.route, tc.parts...), "")
			for k, v := range want { // a REST API hands strings on
				if text := fmt.Sprint(v); rest.context[k] != text && k != "expires_at" {
					t.Errorf("REST: %s is %v, want %s", k, rest.context[k], text)
				}
			}
		})
	}
}

// The principal depends on what was presented, not on the entry that let the
// caller in: here the key's entry does.
func TestPrincipalIsTheTokensAlthoughTheKeyOpensTheRoute(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := newCompany(t, p)
	s := p.connect(t, everything)
	weak := mint(t, claims{"scope": "none"})
	got := s.wants(t, api, request(t, "GET /items", bearer(weak), key(c.key)), "")
	if got.context["principal"] != "main|alice" || got.context["scope"] != "none" {
		t.Errorf("the backend is told %v", got.context)
	}
}

// Two origins never share a principal, however they name their own.
func TestOriginsDoNotSharePrincipals(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	acme := p.apiKey(t, apikey.Grant{ID: "k1", Principal: "alice", Scopes: reads})
	machine := p.signer(t, httpsig.Grant{ID: "s1", Principal: "alice", Scopes: reads})
	s := p.connect(t, everything)
	legacySecret(t, p)
	seen := map[any]string{}
	for what, put := range map[string]part{
		"a token": bearer(mint(t, nil)), "another issuer's token": bearer(mintHS(t, 'a', "", nil)), "a key": key(acme), "a signature": signed(machine),
	} {
		got := s.wants(t, api, request(t, "GET /items", put), "")
		if other, twice := seen[got.context["principal"]]; twice || got.context["subject"] != "alice" {
			t.Errorf("%s and %s: %v", what, other, got.context)
		}
		seen[got.context["principal"]] = what
	}
}

// What is in a key, a secret or a signature reaches no line, log or error.
func TestNothingOfACredentialIsTold(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := newCompany(t, p)
	s := p.connect(t, everything)
	r := request(t, "GET /items?secret=hunter2", bearer(c.token), key(c.key), signed(c.signer))
	hidden := []string{c.token[len(c.token)-30:], c.key[6:30], "hunter2", "plan-7"}
	_, mac, _ := strings.Cut(r.Header.Get("Signature"), ":")
	hidden = append(hidden, mac[:20])
	outcomes := []outcome{s.send(t, api, r), s.send(t, api, again(r))}
	_ = edit("Signature", "=:", "=:AAAA")(r)
	outcomes = append(outcomes, s.send(t, api, r))
	_ = setHeader("X-Api-Key", c.key[:50]+"x")(r)
	outcomes = append(outcomes, s.send(t, api, r))
	for n, got := range outcomes {
		line := fmt.Sprint(got.line)
		for _, secret := range hidden {
			if strings.Contains(line, secret) || strings.Contains(s.log.String(), secret) {
				t.Errorf("outcome %d tells a credential: %s\n%s", n, line, s.log)
			}
		}
	}
}
