package httpsig

import (
	"net/http"
	"strings"
	"testing"

	"lambda-authorizer/reason"

	"pgregory.net/rapid"
)

// What the signer signs, every kind of API hands on so that it verifies,
// however hostile the path and the query; but for a path that an HTTP API
// cuts, which is refused.
func TestSignedRequestVerifiesInEveryFormOfEvent(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{}, partner(t, ""), testNow)
	s := signer(t)
	rapid.Check(t, func(rt *rapid.T) {
		segments := rapid.SliceOfN(segment(), 0, 4).Draw(rt, "segments")
		spelled := make([]string, len(segments))
		for i, text := range segments {
			spelled[i] = spell(rt, text, false)
		}
		target := "https://API.example.com/" + strings.Join(spelled, "/")
		if raw := spellQuery(rt, queryParams().Draw(rt, "params")); raw != "" {
			target += "?" + raw
		}
		method := rapid.SampledFrom([]string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}).Draw(rt, "method")
		body := rapid.SampledFrom([]string{"", "{}"}).Draw(rt, "body")
		r, err := http.NewRequest(method, target, strings.NewReader(body))
		if err != nil {
			rt.Fatal(err)
		}
		if err := s.Sign(r); err != nil {
			rt.Fatal(err)
		}
		for form, leave := range forms {
			m := leave(t, r)
			cut := m.PathDecoded && strings.Contains(strings.Join(segments, "/"), "?")
			got, err := v.Verify(t.Context(), m)
			if cut {
				if reason.Of(err) != reason.SignatureInvalid {
					rt.Fatalf("%s, path cut: %v", form, err)
				}
				continue
			}
			if err != nil {
				rt.Fatalf("%s: %s: %v", form, target, err)
			}
			if digested := body != "" || needsDigest(method); (got.Digest != "") != digested {
				rt.Fatalf("%s: digest %q", form, got.Digest)
			}
		}
	})
}

// Another query than the one signed is refused, also where the event has lost
// the order.
func TestAnotherQueryIsRefused(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{}, partner(t, ""), testNow)
	for _, sent := range []string{
		"a=2&a=1&b=3", "a=1&a=2", "a=1&a=2&b=3&c=", "a=1&a=2&b=3&a=", "a=1,2&b=3", "a=1&a=2&b=%33%20", "A=1&a=2&b=3", "",
	} {
		for form, leave := range forms {
			r := signedRequest(t, "GET", "https://api.example.com/items?a=1&a=2&b=3", "")
			r.URL.RawQuery = sent
			if _, err := v.Verify(t.Context(), leave(t, r)); reason.Of(err) != reason.SignatureInvalid {
				t.Errorf("%s: %q: %v", form, sent, err)
			}
		}
	}
}
