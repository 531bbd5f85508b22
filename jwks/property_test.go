package jwks

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Tokens taken apart and put together in other ways do not pass.
func TestChangedTokensDoNotPass(t *testing.T) {
	t.Parallel()
	m := mint(t)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n"
	rapid.Check(t, func(t *rapid.T) {
		parts := strings.Split(rapid.SampledFrom(m.tokens).Draw(t, "token"), ".")
		other := strings.Split(rapid.SampledFrom(m.tokens).Draw(t, "other"), ".")
		for n := range parts {
			if rapid.IntRange(0, 3).Draw(t, "take from other") == 0 {
				parts[n] = other[rapid.IntRange(0, 2).Draw(t, "which")]
			}
		}
		raw := []byte(strings.Join(parts, "."))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
			switch c := rapid.SampledFrom([]byte(alphabet)).Draw(t, "character"); rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				raw[at] = c
			case 1:
				raw = append(raw[:at], append([]byte{c}, raw[at:]...)...)
			case 2:
				raw = append(raw[:at], raw[at+1:]...)
			}
		}
		m.mustNotPass(t, string(raw))
	})
}
