package jwks

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"lambda-authorizer/reason"
)

// noon is when every test begins.
var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests set.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// signer is a private key and the algorithm it signs with.
type signer struct {
	alg, kid string
	private  any
}

// Keys are made once for all tests: an RSA key takes long.
var (
	rsaKey  = sync.OnceValue(func() any { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	rsaKey2 = sync.OnceValue(func() any { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256Key = sync.OnceValue(func() any { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384Key = sync.OnceValue(func() any { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521Key = sync.OnceValue(func() any { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
)

func newEd25519(kid string) signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return signer{"EdDSA", kid, private}
}

func signerFor(alg, kid string) signer {
	switch alg {
	case "ES256":
		return signer{alg, kid, p256Key()}
	case "ES384":
		return signer{alg, kid, p384Key()}
	case "ES512":
		return signer{alg, kid, p521Key()}
	case "EdDSA":
		return newEd25519(kid)
	}
	return signer{alg, kid, rsaKey()}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// jwk is the public key as a member of a key set, with extra members.
func (s signer) jwk(extra ...string) string {
	k := must(jwk.PublicKeyOf(must(jwk.FromRaw(s.private))))
	m := must(k.AsMap(context.Background()))
	out := map[string]any{}
	maps.Copy(out, m)
	if s.kid != "" {
		out["kid"] = s.kid
	}
	data := must(stdjson.Marshal(out))
	for _, e := range extra {
		data = append(data[:len(data)-1], ("," + e + "}")...)
	}
	return string(data)
}

// header is the usual header; extra members are JSON text.
func (s signer) header(extra ...string) string {
	members := []string{fmt.Sprintf(`"alg":%q`, s.alg)}
	if s.kid != "" {
		members = append(members, fmt.Sprintf(`"kid":%q`, s.kid))
	}
	return "{" + strings.Join(append(members, extra...), ",") + "}"
}

// sign makes a compact token of any header and payload, valid or not.
func (s signer) sign(header, payload string) string {
	return s.signText(b64(header) + "." + b64(payload))
}

// signText signs an input as it stands.
func (s signer) signText(input string) string {
	primitive := must(jws.NewSigner(jwa.SignatureAlgorithm(s.alg)))
	return input + "." + b64(string(must(primitive.Sign([]byte(input), s.private))))
}

// token is a token with the usual header.
func (s signer) token(payload string) string { return s.sign(s.header(), payload) }

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func keySetOf(members ...string) string { return `{"keys":[` + strings.Join(members, ",") + `]}` }

const (
	testIssuer   = "https://idp.example.com/"
	testAudience = "https://api.example.com"
)

// with is claims that pass, changed: a nil value removes a claim.
func with(changes map[string]any) string {
	c := map[string]any{
		"iss": testIssuer, "aud": testAudience, "sub": "alice",
		"iat": noon.Unix() - 60, "exp": noon.Unix() + 3600,
	}
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return string(must(stdjson.Marshal(c)))
}

// mainIssuer is an issuer as configured, changed.
func mainIssuer(changes ...func(*Issuer)) Issuer {
	i := Issuer{
		Issuer: testIssuer, Name: "main", JWKSURI: "https://idp.example.com/jwks",
		Audiences: []string{testAudience},
	}
	for _, change := range changes {
		change(&i)
	}
	return i
}

// staticVerifier verifies with the keys of set and no network.
func staticVerifier(t testing.TB, c *clock, set string, changes ...func(*Issuer)) *Verifier {
	t.Helper()
	v, err := New([]Issuer{mainIssuer(changes...)}, Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseKeySet([]byte(set))
	if err != nil {
		t.Fatal(err)
	}
	v.issuers[testIssuer].source = static{parsed}
	v.remotes = nil
	return v
}

func wantReason(t testing.TB, err error, want reason.Code) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want %s", want)
	}
	var got reason.Code
	if !errors.As(err, &got) || got != want {
		t.Fatalf("got %q, want %s", err, want)
	}
}

func verifyOK(t testing.TB, v *Verifier, raw string) *Token {
	t.Helper()
	tok, err := v.Verify(context.Background(), raw, "")
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return tok
}

// stdRaw is JSON text as it stands.
func stdRaw(s string) stdjson.RawMessage { return stdjson.RawMessage(s) }

func newP256() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
