package jwks

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"

	"lambda-authorizer/reason"
)

// secret is a secret with versions, the newest first. It stands in for
// Secrets Manager: what reads that is package secrets, and tested there.
type secret struct {
	versions []map[string][]byte
	renewals int
	renew    func() error
	down     error
}

func (s *secret) Keys(_ context.Context, kid string) ([]SharedKey, error) {
	var out []SharedKey
	for _, v := range s.versions {
		if k, ok := v[cmp.Or(kid, "default")]; ok {
			out = append(out, SharedKey{ID: cmp.Or(kid, "default"), Secret: k})
		}
	}
	return out, s.down
}

func (s *secret) Renew(context.Context) error {
	s.renewals++
	if s.renew != nil {
		return s.renew()
	}
	return nil
}

func bytes32(b byte) []byte {
	out := make([]byte, 32)
	for n := range out {
		out[n] = b
	}
	return out
}

func hs256(kid string, key []byte) signer { return signer{"HS256", kid, key} }

// legacy is an issuer that shares its key.
func legacy(i *Issuer) { i.JWKSURI, i.HMACSecret = "", "prod/legacy-jwt" }

func sharedVerifier(t *testing.T, s *secret) *Verifier {
	t.Helper()
	v, err := New([]Issuer{mainIssuer(legacy)}, Options{Now: new(clock).now, Shared: func(name string) SharedKeys {
		if name != "prod/legacy-jwt" {
			t.Errorf("the secret asked for is %q", name)
		}
		return s
	}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSharedKeysOfBothVersionsCountWhileBothAreThere(t *testing.T) {
	t.Parallel()
	older, newer := hs256("k", bytes32(1)), hs256("k", bytes32(2))
	s := &secret{versions: []map[string][]byte{{"k": bytes32(1)}}}
	v := sharedVerifier(t, s)
	old := older.token(with(nil))
	for range 2 { // the second is remembered
		if _, err := v.Verify(t.Context(), old, ""); err != nil {
			t.Fatal(err)
		}
	}
	// A rotation: the new key is found by reading the secret anew.
	s.renew = func() error {
		s.versions = []map[string][]byte{{"k": bytes32(2)}, {"k": bytes32(1)}}
		return nil
	}
	if _, err := v.Verify(t.Context(), newer.token(with(nil)), ""); err != nil || s.renewals != 1 {
		t.Errorf("the new key: %v after %d renewals", err, s.renewals)
	}
	if _, err := v.Verify(t.Context(), old, ""); err != nil {
		t.Errorf("the old key within its grace: %v", err)
	}
	s.renew = nil
	s.versions = s.versions[:1]
	if _, err := v.Verify(t.Context(), old, ""); !errors.Is(err, reason.SignatureInvalid) {
		t.Errorf("the old key after its grace, remembered or not: %v", err)
	}
}

// Revocation is by the key's name: a token that leaves its kid out has it, too.
func TestTokenWithoutKidHasItsSharedKeysName(t *testing.T) {
	t.Parallel()
	v := sharedVerifier(t, &secret{versions: []map[string][]byte{{"default": bytes32(1)}}})
	for _, kid := range []string{"default", ""} {
		for range 2 { // the second is remembered
			tok, err := v.Verify(t.Context(), hs256(kid, bytes32(1)).token(with(nil)), "")
			if err != nil || tok.KeyID != "default" {
				t.Errorf("kid %q: %+v, %v", kid, tok, err)
			}
		}
	}
}

func TestSharedKeysFailClosed(t *testing.T) {
	t.Parallel()
	good := func() *secret {
		return &secret{versions: []map[string][]byte{{"k": bytes32(1), "default": bytes32(3)}}}
	}
	unavailable := fmt.Errorf("%w: prod/legacy-jwt", reason.SecretsUnavailable)
	for name, tc := range map[string]struct {
		change func(*secret)
		signer signer
		want   error
	}{
		"the right key":              {nil, hs256("k", bytes32(1)), nil},
		"a token without kid":        {nil, hs256("", bytes32(3)), nil},
		"another secret":             {nil, hs256("k", bytes32(2)), reason.SignatureInvalid},
		"another kid":                {nil, hs256("x", bytes32(1)), reason.KeyUnknown},
		"the secret is out of reach": {func(s *secret) { s.down = unavailable }, hs256("k", bytes32(1)), reason.SecretsUnavailable},
		"it cannot be read anew":     {func(s *secret) { s.renew = func() error { return unavailable } }, hs256("x", bytes32(1)), reason.SecretsUnavailable},
		"a public key's signature":   {nil, signerFor("RS256", "k"), reason.AlgorithmForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			if tc.change != nil {
				tc.change(s)
			}
			if _, err := sharedVerifier(t, s).Verify(t.Context(), tc.signer.token(with(nil)), ""); !errors.Is(err, tc.want) {
				t.Errorf("Verify: %v, want %v", err, tc.want)
			}
		})
	}
}

// The classic: the public key, which everybody has, as an HMAC secret.
func TestAPublicKeyIsNeverASharedKey(t *testing.T) {
	t.Parallel()
	public := &rsaKey().(*rsa.PrivateKey).PublicKey
	der := must(x509.MarshalPKIXPublicKey(public))
	v := staticVerifier(t, new(clock), keySetOf(signerFor("RS256", "k").jwk()))
	for _, key := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), public.N.Bytes(), x509.MarshalPKCS1PublicKey(public)} {
		if _, err := v.Verify(t.Context(), hs256("k", key).token(with(nil)), ""); !errors.Is(err, reason.AlgorithmForbidden) {
			t.Errorf("Verify: %v", err)
		}
	}
}

func TestARememberedTokenOfASharedKeyIsAFaultWhenTheSecretIsOutOfReach(t *testing.T) {
	t.Parallel()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	s := &secret{versions: []map[string][]byte{{"k": key}}}
	v, token := sharedVerifier(t, s), hs256("k", key).token(with(nil))
	if _, err := v.Verify(t.Context(), token, ""); err != nil {
		t.Fatal(err)
	}
	s.down = reason.SecretsUnavailable
	if _, err := v.Verify(t.Context(), token, ""); !errors.Is(err, reason.SecretsUnavailable) {
		t.Errorf("Verify: %v", err)
	}
}
