package jwks

import (
	"strings"
	"testing"

	"lambda-authorizer/reason"
)

func TestTokenOf16KBIsTheLongest(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	// The payload's length in base64 takes two steps of three.
	longest := func(limit int) (raw string) {
		for pad := range 3 {
			filler := s.header(`"x":"` + strings.Repeat("x", pad) + `"`)
			rest := limit - len(s.sign(filler, with(map[string]any{"x": ""})))
			for n := rest*3/4 - 4; n < rest; n++ {
				if raw := s.sign(filler, with(map[string]any{"x": strings.Repeat("x", n)})); len(raw) == limit {
					return raw
				} else if len(raw) > limit {
					break
				}
			}
		}
		t.Fatalf("no token of %d bytes", limit)
		return ""
	}
	verifyOK(t, v, longest(16384))
	_, err := v.Verify(t.Context(), longest(16385), "")
	wantReason(t, err, reason.CredentialMalformed)
	if !strings.Contains(err.Error(), "16385 bytes") {
		t.Errorf("%v", err)
	}
}

func TestPartsAreCounted(t *testing.T) {
	t.Parallel()
	v := staticVerifier(t, new(clock), keySetOf(newEd25519("k").jwk()))
	for raw, want := range map[string]string{
		"": "1 parts", "a": "1 parts", ".": "2 parts", "e30.e30.e30.e30": "4 parts", "e30.e30.e30.e30.e30": "encrypted", "......": "7 parts", "..": "empty header", "e30..": "empty header",
	} {
		if _, err := v.Verify(t.Context(), raw, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", raw, err, want)
		}
	}
}
