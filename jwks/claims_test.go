package jwks

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
)

func TestScopesAreReadFromTheFirstClaimPresent(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	permissions := func(i *Issuer) { i.ScopeClaims = []string{"permissions", "scp"} }
	for name, tt := range map[string]struct {
		claims map[string]any
		change func(*Issuer)
		want   []string
	}{
		"a string of words":           {claims: map[string]any{"scope": "a b:c"}, want: []string{"a", "b:c"}},
		"an array":                    {claims: map[string]any{"scp": []string{"a", "b"}}, want: []string{"a", "b"}},
		"scope before scp":            {claims: map[string]any{"scp": []string{"a"}, "scope": "b"}, want: []string{"b"}},
		"scope empty before scp":      {claims: map[string]any{"scp": []string{"a"}, "scope": ""}, want: nil},
		"scope null before scp":       {claims: map[string]any{"scp": []string{"a"}, "scope": stdRaw("null")}, want: nil},
		"many blanks":                 {claims: map[string]any{"scope": "  a   b "}, want: []string{"a", "b"}},
		"tabs and line ends":          {claims: map[string]any{"scope": "a\tb c\nd e"}, want: []string{"e"}},
		"an element that holds two":   {claims: map[string]any{"scp": []string{"a b", "c"}}, want: []string{"c"}},
		"an element that is empty":    {claims: map[string]any{"scp": []string{"", "c"}}, want: []string{"c"}},
		"blanks of Unicode":           {claims: map[string]any{"scope": "a\u00a0b c\u2028d e\u0085f g"}, want: []string{"g"}},
		"quotes and backslashes":      {claims: map[string]any{"scope": []string{`a"b`, `c\d`, "e"}}, want: []string{"e"}},
		"a number":                    {claims: map[string]any{"scope": 7}, want: nil},
		"an object":                   {claims: map[string]any{"scope": map[string]any{"a": true}}, want: nil},
		"a number among strings":      {claims: map[string]any{"scope": []any{"a", 7}}, want: nil},
		"none":                        {want: nil},
		"roles are not asked for":     {claims: map[string]any{"roles": []string{"a"}, "permissions": []string{"b"}}, want: nil},
		"permissions are":             {claims: map[string]any{"permissions": []string{"b"}, "scope": "a"}, change: permissions, want: []string{"b"}},
		"permissions are not present": {claims: map[string]any{"scp": "c", "scope": "a"}, change: permissions, want: []string{"c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.change == nil {
				tt.change = func(*Issuer) {}
			}
			got := verifyOK(t, staticVerifier(t, new(clock), keySetOf(s.jwk()), tt.change), s.token(with(tt.claims))).Scopes
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCertificateBoundTokenNeedsThatCertificate(t *testing.T) {
	t.Parallel()
	s := signerFor("ES256", "k1")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	bound := s.token(with(map[string]any{"cnf": map[string]any{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}))
	twice := s.token(with(map[string]any{"cnf": map[string]any{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2", "jkt": "x"}}))
	const right, wrong = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2", "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg3"
	for _, tt := range []struct {
		raw, cert string
		want      reason.Code
	}{
		{bound, wrong, reason.SenderConstrained},
		{bound, right, ""},
		{bound, right, ""}, // remembered now
		{bound, wrong, reason.SenderConstrained},
		{bound, "", reason.SenderConstrained},
		{twice, right, reason.SenderConstrained},
	} {
		_, err := v.Verify(context.Background(), tt.raw, tt.cert)
		if tt.want == "" && err != nil {
			t.Errorf("right certificate: %v", err)
		} else if tt.want != "" {
			wantReason(t, err, tt.want)
		}
	}
}

func TestNumbersThatAFloatCannotTellApartStayText(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	for text, want := range map[string]any{
		"7": 7.0, "-7": -7.0, "0.5": 0.5, "1e3": 1000.0, "9007199254740991": 9007199254740991.0, "-9007199254740991": -9007199254740991.0,
		"9007199254740992": json.Number("9007199254740992"), "9007199254740993": json.Number("9007199254740993"),
		"-9007199254740993": json.Number("-9007199254740993"), "123456789012345678901": json.Number("123456789012345678901"), "1e400": json.Number("1e400"),
	} {
		tok := verifyOK(t, v, s.token(with(map[string]any{"n": stdRaw(text), "list": []any{stdRaw(text)}})))
		if diff := cmp.Diff([]any{want, []any{want}}, []any{tok.Claims["n"], tok.Claims["list"]}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestTypeIsComparedWithoutCaseAndPrefixOnBothSides(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()), func(i *Issuer) { i.TokenTypes = []string{"application/AT+jwt"} })
	for _, typ := range []string{"at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"} {
		verifyOK(t, v, s.sign(s.header(`"typ":"`+typ+`"`), with(nil)))
	}
	for _, typ := range []string{"JWT", "at+jwt ", "application/x/at+jwt", "application/application/at+jwt", "x/at+jwt"} {
		_, err := v.Verify(t.Context(), s.sign(s.header(`"typ":"`+typ+`"`), with(nil)), "")
		wantReason(t, err, reason.TypeForbidden)
	}
}

func TestClockIsTheWallClock(t *testing.T) {
	t.Parallel()
	v, err := New(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// With a monotonic reading == tells two spellings of one time apart.
	if now := v.now(); now != now.Round(0) {
		t.Error("the clock stops while Lambda freezes the process")
	}
}
