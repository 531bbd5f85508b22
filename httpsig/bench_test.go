package httpsig

import (
	"testing"

	"lambda-authorizer/reason"
)

// A caller must not be able to tell an unknown key from a wrong secret, nor
// whether a key has a previous one: the four cost the same.
func BenchmarkVerify(b *testing.B) {
	previous := `, "previous": {"secret": "` + otherSecret + `", "until": "2027-01-01T00:00:00Z"}`
	unknown := defaults()
	unknown.params = `;created=1794573296;keyid="nobody1";nonce="n1"`
	wrong := defaults()
	wrong.secret = otherSecret
	for _, c := range []struct {
		name string
		plan crafted
		more string
		want reason.Code
	}{
		{"good", defaults(), "", ""},
		{"good, with a previous secret", defaults(), previous, ""},
		{"wrong secret", wrong, "", reason.SignatureInvalid},
		{"unknown key", unknown, "", reason.SigningKeyUnknown},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := c.plan.sign(b)
			v := verifier(b, Config{}, partner(b, c.more), testNow)
			b.ReportAllocs()
			for b.Loop() {
				_, err := v.Verify(b.Context(), m)
				if (err == nil) != (c.want == "") || err != nil && reason.Of(err) != c.want {
					b.Fatal(err)
				}
			}
		})
	}
}
