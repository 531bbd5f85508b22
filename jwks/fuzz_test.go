package jwks

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"lambda-authorizer/reason"
)

// minted is a verifier and the tokens that were signed for it.
type minted struct {
	v      *Verifier
	signer signer
	tokens []string
}

func mint(t testing.TB) minted {
	s := newEd25519("k")
	m := minted{v: staticVerifier(t, new(clock), keySetOf(s.jwk(), signerFor("ES256", "e").jwk())), signer: s}
	m.v.verified = nil // a remembered token would hide how it is read
	for _, claims := range []string{
		with(nil), with(map[string]any{"sub": "bob", "scope": "a b", "aud": []string{testAudience, "x"}}),
		with(map[string]any{"jti": "é\u2028", "x": stdRaw(`{"deep":[[[{}]],1e3,-0.5,"\ud83d\ude00"]}`)}),
	} {
		m.tokens = append(m.tokens, s.token(claims), s.sign(s.header(`"typ":"at+jwt"`), claims))
	}
	return m
}

// mustNotPass fails if raw passes without having been signed, and holds what
// passes against jwx's own verification.
func (m minted) mustNotPass(t interface{ Fatalf(string, ...any) }, raw string) {
	_, err := m.v.Verify(context.Background(), raw, "")
	if err != nil {
		if c := reason.Of(err); c.Status() != 401 {
			t.Fatalf("refused with %q, which is no refusal", err)
		}
		if len(err.Error()) > 400 || !utf8.ValidString(err.Error()) {
			t.Fatalf("detail of %d bytes: %q", len(err.Error()), err)
		}
		return
	}
	input := raw[:strings.LastIndexByte(raw, '.')]
	for _, signed := range m.tokens {
		if strings.HasPrefix(signed, input+".") {
			if _, err := jws.Verify([]byte(raw), jws.WithKey(jwa.EdDSA, m.signer.private)); err != nil {
				t.Fatalf("passed here, and jwx says: %v", err)
			}
			return
		}
	}
	t.Fatalf("passed without having been signed: %q", raw)
}

// FuzzVerify feeds anything to the whole verifier.
func FuzzVerify(f *testing.F) {
	m := mint(f)
	for _, raw := range m.tokens {
		f.Add(raw)
	}
	for _, tt := range vectors {
		f.Add(tt.token)
	}
	f.Add("..")
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, raw string) { m.mustNotPass(t, raw) })
}

// FuzzSignedHeader signs any header: what passes must be one that encoding/json
// and jwx understand in the same way.
func FuzzSignedHeader(f *testing.F) {
	m := mint(f)
	f.Add(m.signer.header())
	f.Add(m.signer.header(`"typ":"JWT"`, `"jwk":{"kty":"oct","k":"AA"}`, `"jku":"https://x"`))
	f.Add(`{"alg":"EdDSA","kid":"k","crit":["exp"]}`)
	f.Add(`{"alg":"EdDSA","kid":"k","b64":false}`)
	f.Add(`{"alg":"EdDSA","alg":"none"}`)
	f.Add(`{"ALG":"none","alg":"EdDSA","Kid":"x"}`)
	f.Fuzz(func(t *testing.T, h string) {
		raw := m.signer.sign(h, with(nil))
		tok, err := m.v.Verify(t.Context(), raw, "")
		if err != nil {
			return
		}
		var got map[string]any
		if err := stdjson.Unmarshal([]byte(h), &got); err != nil {
			t.Fatalf("passed with a header that is no JSON: %v", err)
		}
		if got["alg"] != "EdDSA" || got["kid"] != nil && got["kid"] != "k" || tok.KeyID != "k" {
			t.Fatalf("passed with alg %v and kid %v by key %q", got["alg"], got["kid"], tok.KeyID)
		}
		for _, name := range []string{"crit", "enc"} {
			if _, ok := got[name]; ok {
				t.Fatalf("passed with %s", name)
			}
		}
		if b64, ok := got["b64"]; ok && b64 != true {
			t.Fatalf("passed with b64 %v", b64)
		}
	})
}

// FuzzSignedClaims signs any claims: what passes must satisfy the rules as
// encoding/json reads it.
func FuzzSignedClaims(f *testing.F) {
	m := mint(f)
	f.Add(with(nil))
	f.Add(with(map[string]any{"aud": []string{"x", testAudience}, "cnf": map[string]any{"jkt": "x"}}))
	f.Add(strings.Replace(with(nil), `"exp":`, `"exp":1,"exp":`, 1))
	f.Add(strings.Replace(with(nil), `"exp":`, `"EXP":1,"exp":`, 1))
	f.Add(`{"iss":"` + testIssuer + `","sub":"a","aud":"` + testAudience + `","exp":1e99}`)
	f.Fuzz(func(t *testing.T, claims string) {
		tok, err := m.v.Verify(t.Context(), m.signer.token(claims), "")
		if err != nil {
			return
		}
		var got map[string]any
		if err := stdjson.Unmarshal([]byte(claims), &got); err != nil {
			t.Fatalf("passed with claims that are no JSON: %v", err)
		}
		exp, _ := got["exp"].(float64)
		list, _ := got["aud"].([]any)
		ours := got["aud"] == testAudience
		for _, a := range list {
			ours = ours || a == testAudience
		}
		_, bound := got["cnf"]
		if got["iss"] != testIssuer || exp <= float64(noon.Unix()-30) || !ours || got["sub"] != tok.Principal || tok.Principal == "" || bound {
			t.Fatalf("passed: %s", claims)
		}
		for _, s := range tok.Scopes {
			if s == "" || strings.ContainsAny(s, " \t\n") {
				t.Fatalf("scope %q", s)
			}
		}
	})
}

// FuzzStrictJSON holds the strict decoder against encoding/json: it accepts
// nothing that the other refuses or reads differently, and refuses nothing
// that is free of what it exists to refuse.
func FuzzStrictJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, with(nil), `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"a":"\ud800"}`, `{"a":"\u0000"}`, `{"\u0000":1}`, `[]`, `{"a":1} x`,
		`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
		`{"n":9007199254740993,"m":1e400,"o":-0,"p":0.1}`, "\xef\xbb\xbf{}", `{"a":"` + "\xff" + `"}`, `{"a":"A\u0041"}`, `{"A":1,"a":2}`, " {} ", `{"a":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d decoder
		got, err := d.object(bytes.Clone(data))
		want, stdErr := readLoosely(data)
		if err == nil && stdErr != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", stdErr)
		}
		if err == nil && !reflect.DeepEqual(widen(got), widen(want)) {
			t.Fatalf("read %v, encoding/json reads %v", got, want)
		}
		if err != nil && stdErr == nil && utf8.Valid(data) && harmless(data, "\x00\ufffd") {
			t.Fatalf("refused: %v", err)
		}
		if err == nil && !harmless(data, "\x00") {
			t.Fatal("accepted what it exists to refuse")
		}
	})
}

// readLoosely is encoding/json with numbers as they stand.
func readLoosely(data []byte) (v any, err error) {
	d := stdjson.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows")
	}
	return v, nil
}

// widen makes every number a float64.
func widen(v any) any {
	switch v := v.(type) {
	case stdjson.Number:
		f, _ := v.Float64()
		return f
	case map[string]any:
		for name := range v {
			v[name] = widen(v[name])
		}
	case []any:
		for n := range v {
			v[n] = widen(v[n])
		}
	}
	return v
}

// harmless looks, with encoding/json's tokens alone, for duplicate names,
// nesting, and characters of bad in a string: NUL, and the mark that a lone
// surrogate leaves.
func harmless(data []byte, bad string) bool {
	d := stdjson.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var names []map[string]bool
	var isName []bool // of the next token, per level; arrays never
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return true
		} else if err != nil {
			return false
		}
		level := len(names) - 1
		switch tok := tok.(type) {
		case stdjson.Delim:
			if tok == '{' || tok == '[' {
				if level < 0 && tok == '[' || level+1 == maxNesting {
					return false
				}
				if level >= 0 && names[level] != nil {
					isName[level] = true
				}
				var m map[string]bool
				if tok == '{' {
					m = map[string]bool{}
				}
				names, isName = append(names, m), append(isName, tok == '{')
			} else {
				names, isName = names[:level], isName[:level]
			}
			continue
		case string:
			if strings.ContainsAny(tok, bad) {
				return false
			}
			if level >= 0 && isName[level] {
				if names[level][tok] {
					return false
				}
				names[level][tok], isName[level] = true, false
				continue
			}
		}
		if level < 0 {
			return false
		}
		isName[level] = names[level] != nil
	}
}

// FuzzKeySet feeds anything to the key set parser. What it accepts must be
// safe to use.
func FuzzKeySet(f *testing.F) {
	f.Add([]byte(keySetOf(signerFor("RS256", "a").jwk(`"use":"sig"`), signerFor("ES256", "b").jwk(), newEd25519("c").jwk(), `{"kty":"oct","k":"AA"}`)))
	for _, tt := range vectors {
		f.Add([]byte(keySetOf(tt.jwk)))
	}
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQ"}],"keys":[]}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseKeySet(data)
		if err != nil {
			return
		}
		if set.size == 0 || len(set.skipped) > maxSkippedTold {
			t.Fatalf("%d keys, %d told", set.size, len(set.skipped))
		}
		for alg := range algorithms {
			for _, k := range set.byAlg[alg] {
				for _, n := range []int{0, 64, 96, 132, 256} {
					if k.verify(alg, []byte("input"), make([]byte, n)) {
						t.Fatalf("%s key accepts zeros", alg)
					}
				}
			}
		}
		if len(set.byAlg["HS256"]) > 0 {
			t.Fatal("a shared secret in a public key set")
		}
	})
}

// FuzzMaxAge: no header gets a set out of the bounds.
func FuzzMaxAge(f *testing.F) {
	f.Add("max-age=3600")
	f.Add(`max-age="99999999999999999999", no-store`)
	f.Fuzz(func(t *testing.T, value string) {
		if got := maxAge(http.Header{"Cache-Control": {value}}); got < minMaxAge || got > maxMaxAge {
			t.Fatalf("%s", got)
		}
	})
}
