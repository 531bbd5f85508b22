package httpsig

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"

	"lambda-authorizer/keydoc"
)

// Whoever has not the secret is refused whatever they send.
func FuzzVerifyRefusesWhoHasNotTheSecret(f *testing.F) {
	other := defaults()
	other.secret = otherSecret
	m := other.sign(f)
	f.Add(m.Header("signature-input")[0], m.Header("signature")[0], m.Path, m.RawQuery, "sha-256=:AAAA:", false)
	f.Add(`sig=("@path";req "@query-param";name="%61");created=1;expires=-1;alg="";tag=%"x"`, "sig=::", "/%2F", "a;b", "", true)
	f.Add("a=(),a=?1", "a=:AA=:, ", "", "=&%", ",", true)
	v := verifier(f, Config{Replay: "allow"}, partner(f, ""), testNow)
	f.Fuzz(func(t *testing.T, input, signature, path, query, digest string, decoded bool) {
		h := http.Header{"Signature-Input": {input}, "Signature": {signature}, "Content-Digest": {digest}}
		m := &Message{Method: "POST", Authority: "api.example.com", Path: path, PathDecoded: decoded, RawQuery: query, Header: h.Values}
		if _, err := v.Verify(t.Context(), m); err == nil {
			t.Fatalf("accepted %q %q", input, signature)
		}
		m.Params = map[string][]string{query: {path}, path: nil}
		if _, err := v.Verify(t.Context(), m); err == nil {
			t.Fatalf("accepted %q %q", input, signature)
		}
	})
}

// A path and a query have one canonical form, and it says what they say.
func FuzzCanonicalForms(f *testing.F) {
	f.Add("/items/caf%c3%A9/a:b", "a=1+2&b&c=%2B")
	f.Add("/%252F", "%26=%3D&&a==")
	f.Fuzz(func(t *testing.T, path, query string) {
		if canonical, err := canonicalPath(path, false); err == nil {
			again, err := canonicalPath(canonical, false)
			if err != nil || again != canonical || !printable(canonical) {
				t.Fatalf("%q: %q, then %q, %v", path, canonical, again, err)
			}
			text, err := url.PathUnescape(path)
			if err != nil {
				t.Fatal(err)
			}
			if decoded, err := canonicalPath(text, true); err != nil || decoded != canonical {
				t.Fatalf("%q: %q, decoded %q, %v", path, canonical, decoded, err)
			}
		}
		params, err := parseParameters(query)
		if err != nil {
			return
		}
		canonical := canonicalQuery(params)
		again, err := parseParameters(canonical[1:])
		if err != nil || canonicalQuery(again) != canonical || !printable(canonical) {
			t.Fatalf("%q: %q, then %q, %v", query, canonical, again, err)
		}
	})
}

// A field has one reading: it reads the same when it is written back, and a
// label that occurs once more is refused wherever it stands.
func FuzzDictionaryHasOneReading(f *testing.F) {
	f.Add(`sig=("@path" "@query-param";name="x");created=1;keyid="k", b=:AAAA:`)
	f.Add(`a=1, a=2`)
	f.Add("a=\"x \\\" , a=\", b;c=?1")
	f.Add(`a=%"x%22 ", b=@1, c=1.5`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dictionary("Signature-Input", []string{text})
		if err != nil {
			return
		}
		written, err := httpsfv.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := dictionary("Signature-Input", []string{written})
		if err != nil || !slices.Equal(again.Names(), d.Names()) {
			t.Fatalf("%q is written back as %q: %v", text, written, err)
		}
		for _, name := range d.Names() {
			for _, twice := range [][]string{{text, name}, {name, text}, {text, name + "=:AAAA:"}} {
				if _, err := dictionary("Signature-Input", twice); err == nil {
					t.Fatalf("%q is accepted", twice)
				}
			}
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys": {"a": {"secret": "` + testSecret + `", "principal": "p", "context": {"x": [1]}}}}`))
	f.Add([]byte(`{"keys": {"a": {"secret": "` + otherSecret + `", "principal": "p", "previous": {"secret": "` + testSecret + `", "until": "2026-01-01T00:00:00Z"}}}}`))
	f.Add([]byte(`{"keys": {"a": null, "a": 1}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		keys, errs := ParseKeys(doc)
		if keys == nil && len(errs) != 1 {
			t.Fatalf("no keys and %d errors", len(errs))
		}
		for id, key := range keys {
			if !keyID.MatchString(id) || key.ID != id || key.Principal == "" || len(key.secrets().current) < keydoc.MinSecret {
				t.Fatalf("%q is a key: %+v", id, key)
			}
		}
		for _, err := range errs {
			if text := err.Error(); strings.Contains(text, testSecret[:20]) || strings.Contains(text, otherSecret[:20]) {
				t.Fatalf("%v quotes a secret", err)
			}
		}
	})
}

func FuzzDeclaredDigest(f *testing.F) {
	f.Add("sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:")
	f.Add("sha-256=:AAAA:, sha-512=1")
	f.Fuzz(func(t *testing.T, text string) {
		digest, err := declaredDigest([]string{text})
		if err != nil || digest == "" {
			return
		}
		again, err := declaredDigest([]string{digest})
		if err != nil || again != digest {
			t.Fatalf("%q: %q, then %q, %v", text, digest, again, err)
		}
		_, sum, _ := strings.Cut(digest, "=:")
		sum, _, _ = strings.Cut(sum, ":")
		if raw, err := base64.StdEncoding.DecodeString(sum); err != nil || len(raw) != 32 && len(raw) != 64 {
			t.Fatalf("%q: %d bytes, %v", digest, len(raw), err)
		}
	})
}
