package jwks

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

// benchClaims is of the size that providers issue: about 600 bytes.
func benchClaims() string {
	return with(map[string]any{
		"jti": "3f9a6a5c-8a4f-4f0e-9a1d-1c1f6f9a2b77", "client_id": "6f2b1c0e-web", "scope": "items:read items:write profile",
		"sid": "b8d3f6e1-55a0-4a53-8c83-2c5d0a6a8f10", "auth_time": noon.Unix(), "email": "alice@example.com", "email_verified": true,
		"groups": []string{"ops", "dev", "audit"}, "custom:tenant": "acme", "amr": []string{"pwd", "otp"},
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		s := signerFor(alg, "2026-09-01-a")
		raw := s.sign(s.header(`"typ":"at+jwt"`), benchClaims())
		for name, size := range map[string]int{"cold": -1, "repeated": 0} {
			b.Run(alg+"/"+name, func(b *testing.B) {
				v := staticVerifier(b, new(clock), keySetOf(s.jwk(`"use":"sig"`, `"alg":"`+alg+`"`)))
				if v.verified = nil; size >= 0 {
					if err := v.makeCaches(size); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(b.Context(), raw, ""); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRSAVerifyAlone is what no verifier of RS256 can go below.
func BenchmarkRSAVerifyAlone(b *testing.B) {
	s := signerFor("RS256", "2026-09-01-a")
	raw := s.sign(s.header(`"typ":"at+jwt"`), benchClaims())
	c := must(newCompact(raw))
	if err := c.split(); err != nil {
		b.Fatal(err)
	}
	public := &s.private.(*rsa.PrivateKey).PublicKey
	for b.Loop() {
		sum := sha256.Sum256(c.input)
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], c.signature); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClaims(b *testing.B) {
	data := []byte(benchClaims())
	var d decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.object(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForgedSignature(b *testing.B) {
	s := signerFor("RS256", "k")
	v := staticVerifier(b, new(clock), keySetOf(s.jwk()))
	raw := signer{"RS256", "k", rsaKey2()}.token(benchClaims())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), raw, ""); err == nil {
			b.Fatal("accepted")
		}
	}
}
