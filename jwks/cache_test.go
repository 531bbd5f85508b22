package jwks

import (
	"context"
	"crypto/elliptic"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lambda-authorizer/reason"
)

// spoil makes every signature check of set fail: what still passes was not
// checked again.
func spoil(v *Verifier) {
	for _, keys := range v.issuers[testIssuer].source.(static).set.byKid {
		for _, k := range keys {
			k.raw = nil
		}
	}
}

func TestSignatureOfARepeatedTokenIsCheckedOnce(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	raw := s.token(with(nil))
	first := verifyOK(t, v, raw)
	spoil(v)
	again := verifyOK(t, v, raw)
	if first.Cached || !again.Cached {
		t.Errorf("cached: first %v, again %v", first.Cached, again.Cached)
	}
	if again.Subject != first.Subject || again.SigningInputSHA256 != first.SigningInputSHA256 || !again.Expires.Equal(first.Expires) {
		t.Error("the remembered token differs")
	}
	_, err := v.Verify(context.Background(), s.token(with(map[string]any{"jti": "other"})), "")
	wantReason(t, err, reason.SignatureInvalid) // the test would notice
}

func TestOtherSpellingOfARememberedTokenIsNotIt(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	raw := s.token(with(nil))
	verifyOK(t, v, raw)
	for _, other := range []string{raw + "=", raw + ".", raw + "\n", " " + raw, strings.Replace(raw, ".", "..", 1)} {
		_, err := v.Verify(context.Background(), other, "")
		wantReason(t, err, reason.CredentialMalformed)
	}
}

// An ECDSA signature (r, s) has a twin (r, -s) that anyone can compute: the
// reason why revocation names a token without jti by its signing input.
func TestTwinOfAnECDSASignatureIsTheSameToken(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	raw := s.token(with(nil))
	dot := strings.LastIndexByte(raw, '.') + 1
	signature := must(base64url.DecodeString(raw[dot:]))
	half := len(signature) / 2
	minus := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(signature[half:]))
	minus.FillBytes(signature[half:])
	a, b := verifyOK(t, v, raw), verifyOK(t, v, raw[:dot]+b64(string(signature)))
	if a.SigningInputSHA256 != b.SigningInputSHA256 || b.Cached {
		t.Errorf("names %s and %s, cached %v", a.SigningInputSHA256, b.SigningInputSHA256, b.Cached)
	}
}

func TestTimesOfARememberedTokenAreCheckedEachTime(t *testing.T) {
	t.Parallel()
	s, c := signerFor("ES256", "k"), new(clock)
	v := staticVerifier(t, c, keySetOf(s.jwk()), func(i *Issuer) { i.MaxTokenAge = 2 * time.Hour })
	short := s.token(with(map[string]any{"exp": noon.Add(time.Hour).Unix(), "nbf": noon.Unix()}))
	long := s.token(with(map[string]any{"exp": noon.Add(9 * time.Hour).Unix()}))
	for _, tt := range []struct {
		at          time.Duration
		short, long reason.Code
	}{
		{0, "", ""},
		{-time.Minute, reason.TokenNotYetValid, ""},
		{-2 * time.Minute, reason.TokenNotYetValid, reason.TokenNotYetValid},
		{time.Hour, "", ""}, // within the leeway
		{time.Hour + 30*time.Second, reason.TokenExpired, ""},
		{2*time.Hour - 30*time.Second, reason.TokenExpired, ""}, // issued a minute before noon
		{2*time.Hour - 29*time.Second, reason.TokenExpired, reason.TokenTooOld},
		{0, "", ""},
	} {
		c.offset.Store(int64(tt.at))
		if got := check(v, short); got != tt.short {
			t.Errorf("at %s: %q, want %q", tt.at, got, tt.short)
		}
		if got := check(v, long); got != tt.long {
			t.Errorf("at %s, long: %q, want %q", tt.at, got, tt.long)
		}
	}
	c.advance(5 * time.Hour)
	check(v, short)
	if n := v.verified.Len(); n != 1 {
		t.Errorf("%d tokens remembered, one has expired", n)
	}
}

func TestRememberedTokenFallsWithItsKey(t *testing.T) {
	t.Parallel()
	kid, nameless := signerFor("RS256", "k"), signerFor("RS256", "")
	for name, tt := range map[string]struct {
		signer signer
		set    string
		want   reason.Code
	}{
		"withdrawn":                 {kid, keySetOf(signerFor("ES256", "other").jwk()), reason.KeyUnknown},
		"replaced under its kid":    {kid, keySetOf(signer{"RS256", "k", rsaKey2()}.jwk()), reason.SignatureInvalid},
		"now for another algorithm": {kid, keySetOf(kid.jwk(`"alg":"PS256"`)), reason.AlgorithmForbidden},
		"one of two of its kid":     {kid, keySetOf(kid.jwk(), signer{"RS256", "k", rsaKey2()}.jwk()), reason.KeyUnknown},
		"no longer the only one":    {nameless, keySetOf(nameless.jwk(), signer{"RS256", "", rsaKey2()}.jwk()), reason.KeyUnknown},
		"replaced, no kid":          {nameless, keySetOf(signer{"RS256", "", rsaKey2()}.jwk()), reason.SignatureInvalid},
		"still there":               {kid, keySetOf(signerFor("ES256", "other").jwk(), kid.jwk()), ""},
		"still there, alg told now": {kid, keySetOf(kid.jwk(`"alg":"RS256"`)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := staticVerifier(t, new(clock), keySetOf(tt.signer.jwk()))
			raw := tt.signer.token(with(nil))
			verifyOK(t, v, raw)
			v.issuers[testIssuer].source = static{must(parseKeySet([]byte(tt.set)))}
			for range 2 {
				if got := check(v, raw); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

func TestRememberedTokenOfAWithdrawnKeyStopsWithTheSetsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		old := newEd25519("old")
		p["idp"].change(publish(old))
		raw := tokenOf("idp", old)
		wantCheck(t, v, raw, "")
		p["idp"].change(publish(newEd25519("next")))
		time.Sleep(minMaxAge - time.Second)
		wantCheck(t, v, raw, "")
		time.Sleep(time.Second)
		wantCheck(t, v, raw, reason.KeyUnknown)
	})
}

func TestRefusedTokensAreNotRemembered(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	for n := range 20 {
		check(v, s.token(with(map[string]any{"aud": fmt.Sprint(n)})))
		check(v, s.token(with(map[string]any{"exp": n})))
		check(v, s.sign(fmt.Sprintf(`{"alg":"ES256","kid":"k","x":%d}`, n), with(map[string]any{"iss": "x"})))
		check(v, signer{"ES256", "k", must(newP256())}.sign(fmt.Sprintf(`{"alg":"ES256","kid":"k","y":%d}`, n), with(nil)))
	}
	if v.verified.Len() != 0 || v.headers.Len() != 1 {
		t.Errorf("%d tokens and %d headers remembered", v.verified.Len(), v.headers.Len())
	}
}

func TestCacheIsBoundedAndCanBeLeftOut(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	for size, want := range map[int]int{0: 200, 7: 7, -1: 0} {
		v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
		v.verified = nil
		if err := v.makeCaches(size); err != nil {
			t.Fatal(err)
		}
		for n := range 200 {
			raw := s.sign(s.header(fmt.Sprintf(`"x":%d`, n)), with(map[string]any{"jti": fmt.Sprint(n)}))
			verifyOK(t, v, raw)
			if again := verifyOK(t, v, raw); again.Cached != (size >= 0) {
				t.Fatalf("size %d: cached %v", size, again.Cached)
			}
		}
		got := 0
		if v.verified != nil {
			got = v.verified.Len()
		}
		if got != want || v.headers.Len() != headerCacheSize {
			t.Errorf("size %d: %d tokens and %d headers remembered", size, got, v.headers.Len())
		}
	}
}

func TestRememberedHeaderIsAsStrictAsANewOne(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k")
	a := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	verifyOK(t, a, s.sign(s.header(`"typ":"at+jwt"`), with(nil)))
	// Same header; its signature, claims and issuer's lists still decide.
	_, err := a.Verify(context.Background(), signer{"ES256", "k", must(newP256())}.sign(s.header(`"typ":"at+jwt"`), with(nil)), "")
	wantReason(t, err, reason.SignatureInvalid)
	a.issuers[testIssuer].types = []string{"jwt"}
	_, err = a.Verify(context.Background(), s.sign(s.header(`"typ":"at+jwt"`), with(nil)), "")
	wantReason(t, err, reason.TypeForbidden)
}
