package authorizer_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// later is a signer whose clock is that much ahead, or behind.
func later(s *httpsig.Signer, d time.Duration) *httpsig.Signer {
	out := *s
	out.Now = func() time.Time { return s.Now().Add(d) }
	return &out
}

// edit replaces text in a header field, after it was signed.
func edit(field, old, with string) part {
	return func(r *http.Request) error {
		r.Header.Set(field, strings.Replace(r.Header.Get(field), old, with, 1))
		return nil
	}
}

// withoutNonce takes the nonce out of the signature's parameters.
func withoutNonce(r *http.Request) error {
	before, rest, _ := strings.Cut(r.Header.Get("Signature-Input"), `;nonce="`)
	_, after, _ := strings.Cut(rest, `"`)
	r.Header.Set("Signature-Input", before+after)
	return nil
}

// to changes what is asked for, after it was signed.
func to(path, query string) part {
	return func(r *http.Request) error {
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "/prod"+path, "", query
		return nil
	}
}

func TestSignatureIsJudgedByItsRecordAndRequestOverTheWire(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.Add(-madeBefore)
	both := []string{"items:read", "items:write"}
	good := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: both})
	expired := p.signer(t, httpsig.Grant{ID: "expired", Principal: "machine", Scopes: both, ExpiresAt: noon})
	disabled := p.signer(t, httpsig.Grant{ID: "disabled", Principal: "machine", Scopes: both})
	stolen := p.signer(t, httpsig.Grant{ID: "stolen", Principal: "machine", Scopes: both})
	unscoped := p.signer(t, httpsig.Grant{ID: "unscoped", Principal: "machine"})
	office := p.signer(t, httpsig.Grant{ID: "office", Principal: "machine", Scopes: both, Networks: []string{"office"}})
	nowhere := p.signer(t, httpsig.Grant{ID: "nowhere", Principal: "machine", Scopes: both, Networks: []string{"moon"}})
	replaced := p.signer(t, httpsig.Grant{ID: "replaced", Principal: "machine", Scopes: both})
	graced := p.signer(t, httpsig.Grant{ID: "graced", Principal: "machine", Scopes: both})
	if err := p.signingKeys(t).Disable(t.Context(), "signing-keys", "disabled"); err != nil {
		t.Fatal(err)
	}
	for id, grace := range map[string]time.Duration{"replaced": madeBefore, "graced": madeBefore + time.Second} {
		if _, err := p.signingKeys(t).Rotate(t.Context(), "signing-keys", id, grace); err != nil {
			t.Fatal(err)
		}
	}
	p.revoke(t, "signing_key#stolen")
	p.Add(madeBefore)
	const secret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	nobodys, imposter := p.signerOf(t, "nobody", secret), p.signerOf(t, "good", secret)
	limited := *good
	limited.Lifetime = time.Minute

	p.connect(t, everything).run(t, map[string]trial{
		"a signed request":                          {get("GET /items?b=2&a=1", signed(good)), ""},
		"one with a body's digest":                  {get("POST /items", signed(good)), ""},
		"one made max_age ago":                      {get("GET /items", signed(later(good, -5*time.Minute))), ""},
		"one from a clock 30 s ahead":               {get("GET /items", signed(later(good, 30*time.Second))), ""},
		"one within its own lifetime":               {get("GET /items", signed(later(&limited, -59*time.Second))), ""},
		"a replaced secret within its grace":        {get("GET /items", signed(graced)), ""},
		"a key in the place it is bound to":         {get("GET /items", from("203.0.113.9"), signed(office)), ""},
		"one made more than max_age ago":            {get("GET /items", signed(later(good, -5*time.Minute-time.Second))), reason.SignatureExpired},
		"one from a clock more than 30 s ahead":     {get("GET /items", signed(later(good, 31*time.Second))), reason.SignatureExpired},
		"one past its own lifetime":                 {get("GET /items", signed(later(&limited, -time.Minute))), reason.SignatureExpired},
		"nobody's key":                              {get("GET /items", signed(nobodys)), reason.SigningKeyUnknown},
		"a key with another secret":                 {get("GET /items", signed(imposter)), reason.SignatureInvalid},
		"an expired key":                            {get("GET /items", signed(expired)), reason.SigningKeyExpired},
		"a disabled key":                            {get("GET /items", signed(disabled)), reason.SigningKeyDisabled},
		"a disabled key's name, another secret":     {get("GET /items", signed(p.signerOf(t, "disabled", secret))), reason.SignatureInvalid},
		"a replaced secret after its grace":         {get("GET /items", signed(replaced)), reason.SignatureInvalid},
		"a revoked key":                             {get("GET /items", signed(stolen)), reason.Revoked},
		"a key whose record names an unknown place": {get("GET /items", signed(nowhere), from("203.0.113.9")), reason.SigningKeyUnknown},
		"a key away from the place it is bound to":  {get("GET /items", signed(office)), reason.AddressNotAllowed},
		"a key without the scope":                   {get("GET /items", signed(unscoped)), reason.ScopeInsufficient},
		"a signature where only tokens are taken":   {get("GET /reports", signed(good)), reason.CredentialKindNotAccepted},
		"no nonce":                                   {get("GET /items", signed(good), withoutNonce), reason.NonceMissing},
		"no keyid":                                   {get("GET /items", signed(good), edit("Signature-Input", `;keyid="good"`, "")), reason.SignatureIncomplete},
		"the query is not covered":                   {get("GET /items", signed(good), edit("Signature-Input", ` "@query"`, "")), reason.SignatureIncomplete},
		"the method is not covered":                  {get("GET /items", signed(good), edit("Signature-Input", `"@method" `, "")), reason.SignatureIncomplete},
		"the digest is not covered":                  {get("POST /items", signed(good), edit("Signature-Input", ` "content-digest"`, "")), reason.DigestMissing},
		"the digest is not there":                    {get("POST /items", signed(good), edit("Content-Digest", "sha-256", "md5")), reason.DigestMissing},
		"another digest":                             {get("POST /items", signed(good), setHeader("Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")), reason.SignatureInvalid},
		"another algorithm":                          {get("GET /items", signed(good), edit("Signature-Input", "hmac-sha256", "ed25519")), reason.AlgorithmForbidden},
		"no signature under the label":               {get("GET /items", signed(good), edit("Signature", "=", "x=")), reason.CredentialMalformed},
		"two signatures":                             {get("GET /items", signed(good), twice), reason.CredentialAmbiguous},
		"another query":                              {get("GET /items?limit=1", signed(good), to("/items", "limit=1000")), reason.SignatureInvalid},
		"one more parameter":                         {get("GET /items", signed(good), to("/items", "admin=")), reason.SignatureInvalid},
		"another path":                               {get("GET /items", signed(good), to("/signed", "")), reason.SignatureInvalid},
		"another host":                               {get("GET /items", signed(good), func(r *http.Request) error { r.Host = "other.example.com"; return nil }), reason.SignatureInvalid},
		"another method":                             {get("POST /items", signed(good), func(r *http.Request) error { r.Method = "GET"; return nil }), reason.SignatureInvalid},
		"a later date":                               {get("GET /items", signed(later(good, -10*time.Minute)), fresh(p.Now)), reason.SignatureInvalid},
		"a revoked key on a route that takes tokens": {get("GET /reports", signed(stolen), bearer(mint(t, claims{"department": "finance"}))), reason.Revoked},
	})
}

// Who makes a key gets an id and a secret, and may swap them. A secret can have
// the form of an id.
func TestSecretThatIsSentAsKeyIDIsNotLogged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine"})
	s := p.connect(t, everything)
	for secret, digest := range map[string]string{
		"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=": "sha256:2cf5e6ec387461b4",
		"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZn": "sha256:8d33347997ab985c",
	} {
		r := request(t, "GET /items", signed(machine), edit("Signature-Input", `;keyid="good"`, `;keyid="`+secret+`"`))
		got := s.wants(t, gateway.HTTP2IAM, r, reason.SigningKeyUnknown)
		if text := fmt.Sprint(got.line) + s.log.String(); strings.Contains(text, secret[:8]) {
			t.Errorf("the log tells the secret: %s", text)
		}
		if detail := fmt.Sprint(got.line["detail"]); !strings.HasSuffix(detail, "keyid "+digest) {
			t.Errorf("detail %q", detail)
		}
	}
}

func setHeader(name, value string) part {
	return func(r *http.Request) error { r.Header.Set(name, value); return nil }
}

// twice adds a second signature with a label of its own.
func twice(r *http.Request) error {
	r.Header.Set("Signature-Input", r.Header.Get("Signature-Input")+", again"+strings.TrimLeft(r.Header.Get("Signature-Input"), "abcdefghijklmnopqrstuvwxyz0123456789-_"))
	return nil
}

// fresh writes another created time into a signature.
func fresh(now func() time.Time) part {
	return func(r *http.Request) error {
		before, rest, _ := strings.Cut(r.Header.Get("Signature-Input"), ";created=")
		_, after, _ := strings.Cut(rest, ";")
		r.Header.Set("Signature-Input", before+";created="+strconv.FormatInt(now().Unix(), 10)+";"+after)
		return nil
	}
}

// A TOKEN event has no room for a signature, an address or a header.
func TestTokenEventIsClosedToSignaturesAndNetworks(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine"})
	s := p.connect(t, strings.Replace(everything, "deny_networks: [198.51.100.7/32]\n", "", 1))
	alice := bearer(mint(t, nil))
	for name, c := range map[string]trial{
		"a token":                           {get("GET /items", alice), ""},
		"a token on a route of places":      {get("GET /office", alice, from("203.0.113.9")), reason.AddressNotAllowed},
		"a token on a route of places kept": {get("GET /partners", alice, from("203.0.113.9")), reason.AddressNotAllowed},
		"a token where a signature must be": {get("GET /signed", alice, signed(machine)), reason.CredentialKindNotAccepted},
		"a token where a key must be, too":  {get("GET /vault", alice), reason.CredentialKindNotAccepted},
	} {
		t.Run(name, func(t *testing.T) { s.wants(t, gateway.RESTToken, c.request(t), c.reason) })
	}
	denying := p.connect(t, everything)
	denying.wants(t, gateway.RESTToken, request(t, "GET /items", alice), reason.AddressNotAllowed)
}
