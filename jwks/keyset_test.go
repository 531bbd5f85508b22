package jwks

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
)

func TestKeySetSkipsMembersThatAreNotUsable(t *testing.T) {
	t.Parallel()
	good := signerFor("ES256", "good").jwk()
	small := signer{"RS256", "small", must(rsa.GenerateKey(rand.Reader, 1024))}
	ec, rs, ed := signerFor("ES256", "k"), signerFor("RS256", "k"), newEd25519("k")
	n := b64(string(rsaKey().(*rsa.PrivateKey).N.Bytes()))
	even := b64(string(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes()))
	for name, tt := range map[string]struct{ member, why string }{
		"unknown kty":            {`{"kty":"LMS","pub":"AA"}`, "not supported"},
		"kty missing":            {`{"kid":"k"}`, "not supported"},
		"kty a number":           {`{"kty":1}`, "right types"},
		"shared secret":          {`{"kty":"oct","k":"c2VjcmV0"}`, "shared secret"},
		"1024 bits":              {small.jwk(), "1024 bits"},
		"20000 bits":             {`{"kty":"RSA","e":"AQAB","n":"` + b64("\x80"+strings.Repeat("\x01", 2499)) + `"}`, "20000 bits"},
		"exponent 1":             {`{"kty":"RSA","e":"AQ","n":"` + n + `"}`, "not acceptable"},
		"exponent even":          {`{"kty":"RSA","e":"AQAA","n":"` + n + `"}`, "not acceptable"},
		"exponent cut to 64 bit": {`{"kty":"RSA","e":"AQAAAAAAAQAB","n":"` + n + `"}`, "not acceptable"},
		"modulus even":           {`{"kty":"RSA","e":"AQAB","n":"` + even + `"}`, "not acceptable"},
		"modulus missing":        {`{"kty":"RSA","e":"AQAB"}`, "cannot be read"},
		"modulus no base64url":   {`{"kty":"RSA","e":"AQAB","n":"?"}`, "cannot be read"},
		"point off the curve":    {`{"kty":"EC","crv":"P-256","x":"` + b64(strings.Repeat("\x01", 32)) + `","y":"` + b64(strings.Repeat("\x01", 32)) + `"}`, "not a point"},
		"point at zero":          {`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, "not a point"},
		"point too long":         {`{"kty":"EC","crv":"P-256","x":"` + b64(strings.Repeat("\xff", 66)) + `","y":"AQ"}`, "not a point"},
		"unknown curve":          {`{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}`, "not supported"},
		"curve of another kty":   {`{"kty":"EC","crv":"Ed25519","x":"AQ"}`, "not supported"},
		"Ed448":                  {`{"kty":"OKP","crv":"Ed448","x":"AQ"}`, "not supported"},
		"X25519":                 {`{"kty":"OKP","crv":"X25519","x":"` + b64(strings.Repeat("\x01", 32)) + `"}`, "not supported"},
		"Ed25519 too short":      {`{"kty":"OKP","crv":"Ed25519","x":"AQ"}`, "1 bytes instead of 32"},
		"for encryption":         {ec.jwk(`"use":"enc"`), "use is"},
		"use in other case":      {ec.jwk(`"use":"SIG"`), "use is"},
		"key_ops without verify": {rs.jwk(`"key_ops":["sign","encrypt"]`), "key_ops"},
		"key_ops empty":          {rs.jwk(`"key_ops":[]`), "key_ops"},
		"key_ops a string":       {rs.jwk(`"key_ops":"verify"`), "right types"},
		"alg of encryption":      {rs.jwk(`"alg":"RSA-OAEP"`), "does not fit"},
		"alg of another kty":     {rs.jwk(`"alg":"ES256"`), "does not fit"},
		"alg of another curve":   {ec.jwk(`"alg":"ES384"`), "does not fit"},
		"alg of a shared secret": {rs.jwk(`"alg":"HS256"`), "does not fit"},
		"private key":            {ed.jwk(`"d":"AA"`), "private key"},
		"private key, odd":       {ed.jwk(`"d":null`), "private key"},
		"private key, p alone":   {ed.jwk(`"p":"AA"`), "private key"},
		"private key, q alone":   {ed.jwk(`"q":"AA"`), "private key"},
		"private key, k alone":   {ed.jwk(`"k":"AA"`), "private key"},
		"member twice":           {strings.Replace(ec.jwk(), "{", `{"kty":"EC",`, 1), "strict"},
		"invalid UTF-8":          {ec.jwk(`"x-note":"` + "\xff" + `"`), "strict"},
		"kid a number":           {`{"kty":"EC","kid":7}`, "right types"},
		"null":                   {`null`, "not supported"},
		"a list":                 {`[1]`, "strict"},
		"a string":               {`"key"`, "strict"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parseKeySet([]byte(keySetOf(tt.member))); err == nil || !strings.Contains(err.Error(), tt.why) {
				t.Fatalf("alone: %v, want %q", err, tt.why)
			}
			set, err := parseKeySet([]byte(keySetOf(tt.member, good)))
			if err != nil {
				t.Fatal(err)
			}
			if set.size != 1 || set.skippedCount != 1 || !strings.HasPrefix(set.skipped[0], "keys[0]: ") || !strings.Contains(set.skipped[0], tt.why) {
				t.Errorf("%d keys, %d skipped: %q", set.size, set.skippedCount, set.skipped)
			}
			if _, err := set.choose(query{alg: "ES256", kid: "good"}); err != nil {
				t.Errorf("the good key: %v", err)
			}
		})
	}
}

func TestKeySetReadsWhatIssuersPublish(t *testing.T) {
	t.Parallel()
	for name, member := range map[string]string{
		"use and alg":             signerFor("RS256", "k").jwk(`"use":"sig"`, `"alg":"RS256"`),
		"key_ops":                 signerFor("RS256", "k").jwk(`"key_ops":["verify"]`),
		"key_ops with unknown":    signerFor("RS256", "k").jwk(`"key_ops":["notarize","verify"]`),
		"broken certificates":     signerFor("RS256", "k").jwk(`"x5c":["AA"]`, `"x5t":7`),
		"members of their own":    signerFor("RS256", "k").jwk(`"issuer":"https://x"`, `"status":"ACTIVE"`),
		"empty alg null use null": signerFor("RS256", "k").jwk(`"use":null`, `"alg":null`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := parseKeySet([]byte(keySetOf(member)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := set.choose(query{alg: "RS256", kid: "k"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatIsNoKeySetIsAnError(t *testing.T) {
	t.Parallel()
	good := signerFor("ES256", "k").jwk()
	for name, tt := range map[string]struct{ body, why string }{
		"nothing":           {"", "not a JWK set"},
		"HTML":              {"<!doctype html><title>Sign in</title>", "not a JWK set"},
		"a list":            {"[" + good + "]", "not a JWK set"},
		"one key":           {good, "not a JWK set"},
		"keys null":         {`{"keys":null}`, "not a JWK set"},
		"keys an object":    {`{"keys":{}}`, "not a JWK set"},
		"keys in upper":     {`{"KEYS":[` + good + `]}`, "not a JWK set"},
		"keys twice":        {`{"keys":[` + good + `],"keys":[` + good + `]}`, "twice"},
		"cut off":           {`{"keys":[` + good, "not a JWK set"},
		"cut off in a key":  {`{"keys":[` + good[:20], "not a JWK set"},
		"then more":         {keySetOf(good) + "x", "follows"},
		"then another":      {keySetOf(good) + keySetOf(good), "follows"},
		"empty":             {`{"keys":[]}`, "empty"},
		"PEM":               {"-----BEGIN PUBLIC KEY-----", "not a JWK set"},
		"certificates":      {`{"k1":"-----BEGIN CERTIFICATE-----"}`, "not a JWK set"},
		"deeper than deep":  {`{"a":` + strings.Repeat("[", 20000), "not a JWK set"},
		"keys not the last": {`{"keys":[` + good + `],"x":}`, "not a JWK set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseKeySet([]byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v, want %q", err, tt.why)
			}
		})
	}
}

func TestKeyIsChosenByKidAndFitsTheAlgorithm(t *testing.T) {
	t.Parallel()
	rs, ec := signerFor("RS256", "a"), signerFor("ES256", "b")
	two := signer{"RS256", "a", rsaKey2()}
	nameless := signerFor("ES256", "")
	for name, tt := range map[string]struct {
		members []string
		q       query
		want    reason.Code // empty: a key of this query's kid
	}{
		"by kid":                          {[]string{rs.jwk(), ec.jwk()}, query{alg: "RS256", kid: "a"}, ""},
		"any RSA algorithm":               {[]string{rs.jwk(), ec.jwk()}, query{alg: "PS512", kid: "a"}, ""},
		"kid unknown":                     {[]string{rs.jwk(), ec.jwk()}, query{alg: "RS256", kid: "c"}, reason.KeyUnknown},
		"kid of a nameless key":           {[]string{nameless.jwk()}, query{alg: "ES256", kid: "b"}, reason.KeyUnknown},
		"kid of another kty":              {[]string{rs.jwk(), ec.jwk()}, query{alg: "RS256", kid: "b"}, reason.AlgorithmForbidden},
		"kid of another curve":            {[]string{ec.jwk()}, query{alg: "ES384", kid: "b"}, reason.AlgorithmForbidden},
		"kid of a key with another alg":   {[]string{rs.jwk(`"alg":"RS256"`)}, query{alg: "PS256", kid: "a"}, reason.AlgorithmForbidden},
		"no kid, one fits":                {[]string{rs.jwk(), ec.jwk()}, query{alg: "ES256"}, ""},
		"no kid, none fits":               {[]string{rs.jwk()}, query{alg: "ES256"}, reason.KeyUnknown},
		"no kid, two fit":                 {[]string{ec.jwk(), nameless.jwk()}, query{alg: "ES256"}, reason.KeyUnknown},
		"no kid, alg tells them apart":    {[]string{rs.jwk(`"alg":"RS256"`), two.jwk(`"alg":"PS256"`)}, query{alg: "PS256"}, ""},
		"the same key twice":              {[]string{rs.jwk(), rs.jwk()}, query{alg: "RS256", kid: "a"}, ""},
		"two keys of one kid":             {[]string{rs.jwk(), two.jwk()}, query{alg: "RS256", kid: "a"}, reason.KeyUnknown},
		"two keys of one kid, other alg":  {[]string{rs.jwk(`"alg":"RS256"`), two.jwk(`"alg":"PS256"`)}, query{alg: "RS256", kid: "a"}, ""},
		"two kinds of one kid":            {[]string{rs.jwk(), signerFor("ES256", "a").jwk()}, query{alg: "ES256", kid: "a"}, ""},
		"two kinds of one kid, none fits": {[]string{rs.jwk(), signerFor("ES256", "a").jwk()}, query{alg: "EdDSA", kid: "a"}, reason.AlgorithmForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := parseKeySet([]byte(keySetOf(tt.members...)))
			if err != nil {
				t.Fatal(err)
			}
			k, err := set.choose(tt.q)
			if tt.want != "" {
				wantReason(t, err, tt.want)
				return
			}
			if err != nil || !slices.Contains(k.algorithms, tt.q.alg) || tt.q.kid != "" && k.kid != tt.q.kid {
				t.Errorf("got %+v, %v", k, err)
			}
		})
	}
}

func TestKeyIsTheSameOnlyIfAllThatCountsIs(t *testing.T) {
	t.Parallel()
	id := func(s signer, extra ...string) keyID {
		return must(parseKey([]byte(s.jwk(extra...)))).id
	}
	s := signerFor("RS256", "a")
	if id(s) != id(s, `"use":"sig"`, `"x5c":["AA"]`) {
		t.Error("what does not count changed the key")
	}
	all := []keyID{id(s), id(s, `"alg":"RS256"`), id(signer{"RS256", "b", s.private}), id(signer{"RS256", "a", rsaKey2()}), {}}
	for i, a := range all {
		if slices.Index(all, a) != i {
			t.Errorf("keys %d and %d pass for the same", slices.Index(all, a), i)
		}
	}
}

func TestOnlyTwentySkippedMembersAreToldByName(t *testing.T) {
	t.Parallel()
	members := slices.Repeat([]string{`{"kty":"` + strings.Repeat("x", 500) + `"}`}, 100)
	set, err := parseKeySet([]byte(keySetOf(append(members, signerFor("ES256", "k").jwk())...)))
	if err != nil {
		t.Fatal(err)
	}
	if set.skippedCount != 100 || len(set.skipped) != 20 || len(set.skipped[0]) > 200 {
		t.Errorf("counted %d, told %d, the first in %d bytes", set.skippedCount, len(set.skipped), len(set.skipped[0]))
	}
}

func TestEveryAlgorithmFitsKeysOfOneKindAlone(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	for _, kind := range []struct{ kty, crv string }{{"RSA", ""}, {"EC", "P-256"}, {"EC", "P-384"}, {"EC", "P-521"}, {"OKP", "Ed25519"}, {"oct", ""}, {"RSA", "P-256"}, {"", ""}} {
		algs := fitting(kind.kty, kind.crv)
		slices.Sort(algs)
		got[fmt.Sprint(kind.kty, kind.crv)] = algs
	}
	want := map[string][]string{
		"RSA": {"PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}, "ECP-256": {"ES256"}, "ECP-384": {"ES384"},
		"ECP-521": {"ES512"}, "OKPEd25519": {"EdDSA"}, "oct": {"HS256"}, "RSAP-256": nil, "": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// jwx's own ES256 verifier takes a P-384 key.
func TestKeyVerifiesItsOwnAlgorithmsAlone(t *testing.T) {
	t.Parallel()
	s := signer{"ES256", "k", p384Key()} // signs with SHA-256 and the wrong curve
	raw := s.token(with(nil))
	dot := strings.LastIndexByte(raw, '.')
	input, signature := []byte(raw[:dot]), must(base64url.DecodeString(raw[dot+1:]))
	k := must(parseKey([]byte(s.jwk())))
	if algorithms["ES256"].verifier.Verify(input, signature, k.raw) != nil {
		t.Fatal("jwx refuses it by now: this test proves nothing")
	}
	if k.verify("ES256", input, signature) {
		t.Error("a P-384 key verified ES256")
	}
}
