package jwks

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
)

// names is what of a verified token Unverified must have told.
func names(t *Token) Claimed {
	return Claimed{
		Subject: t.Subject, ClientID: t.ClientID, ID: t.ID, SessionID: t.SessionID,
		KeyID: t.KeyID, SigningInputSHA256: t.SigningInputSHA256,
		IssuedAt: t.IssuedAt, Expires: t.Expires,
	}
}

func TestUnverifiedTellsTheNamesThatVerifyTells(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	for name, claims := range map[string]map[string]any{
		"a plain token":       {"jti": "t1"},
		"no jti":              {},
		"a session, a client": {"jti": "t1", "sid": "s1", "azp": "web"},
		"a client said twice": {"client_id": "web", "cid": "web"},
		"another cid":         {"cid": 17, "azp": "web"},
		"fractions":           {"iat": float64(noon.Unix()) - 0.5, "exp": float64(noon.Unix()) + 10.25},
		"no iat":              {"iat": nil},
		"escapes":             {"sub": stdRaw(`"\u00e9\ud83d\ude00\/"`)},
		"an unusual jti":      {"jti": "a#b\u2028\x1b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := s.token(with(claims))
			token, err := v.Verify(t.Context(), raw, "")
			if err != nil {
				t.Fatal(err)
			}
			want := names(token)
			want.Issuer = testIssuer
			for what, spelled := range map[string]string{
				"whole":             raw,
				"empty signature":   raw[:strings.LastIndexByte(raw, '.')+1],
				"without signature": raw[:strings.LastIndexByte(raw, '.')],
				"another signature": raw[:strings.LastIndexByte(raw, '.')+1] + "AAAA",
			} {
				got, err := Unverified(spelled)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if diff := cmp.Diff(want, *got); diff != "" {
					t.Errorf("%s (-Verify +Unverified):\n%s", what, diff)
				}
			}
		})
	}
}

func TestUnverifiedReadsTokensThatNobodyWouldAccept(t *testing.T) {
	t.Parallel()
	s := newEd25519("")
	for name, raw := range map[string]string{
		"expired":          s.token(with(map[string]any{"exp": 1})),
		"unknown issuer":   s.token(with(map[string]any{"iss": "https://elsewhere.example/"})),
		"another audience": s.token(with(map[string]any{"aud": "x"})),
		"alg none":         b64(`{"alg":"none"}`) + "." + b64(with(nil)) + ".",
	} {
		if _, err := Unverified(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnverifiedRefusesWhatCannotBeReadInOneWay(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	for name, tt := range map[string]struct {
		raw  string
		want reason.Code
	}{
		"nothing":               {"", reason.CredentialMalformed},
		"one part":              {"e30", reason.CredentialMalformed},
		"a duplicate jti":       {s.token(strings.Replace(with(map[string]any{"jti": "a"}), `"jti"`, `"jti":"b","jti"`, 1)), reason.CredentialMalformed},
		"a number as jti":       {s.token(with(map[string]any{"jti": 17})), reason.CredentialMalformed},
		"a number as iss":       {s.token(with(map[string]any{"iss": 17})), reason.CredentialMalformed},
		"no iss":                {s.token(with(map[string]any{"iss": nil})), reason.IssuerUnknown},
		"no exp":                {s.token(with(map[string]any{"exp": nil})), reason.ClaimMissing},
		"clients that disagree": {s.token(with(map[string]any{"azp": "a", "client_id": "b"})), reason.ClientMismatch},
		"padding":               {s.token(with(nil)) + "=", reason.CredentialMalformed},
		"an encrypted token":    {"e30.e30.e30.e30.e30", reason.CredentialMalformed},
		"a critical extension":  {s.sign(s.header(`"crit":["x"]`), with(nil)), reason.CredentialMalformed},
		"too long":              {s.token(with(map[string]any{"x": strings.Repeat("x", maxTokenBytes)})), reason.CredentialMalformed},
	} {
		if _, err := Unverified(tt.raw); reason.Of(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// FuzzUnverified holds what it tells against what Verify tells of the same
// text: a token that passes must be found under the same names.
func FuzzUnverified(f *testing.F) {
	m := mint(f)
	for _, raw := range m.tokens {
		f.Add(raw)
	}
	f.Add("e30.e30")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := Unverified(raw)
		token, passed := m.v.Verify(context.Background(), raw, "")
		switch {
		case err != nil && passed == nil:
			t.Fatalf("Verify accepts it, Unverified says %v", err)
		case err != nil && reason.Of(err).Status() != 401:
			t.Fatalf("refused with %q, which is no refusal", err)
		case passed == nil:
			want := names(token)
			want.Issuer = token.IssuerURL
			if diff := cmp.Diff(want, *got); diff != "" {
				t.Fatalf("(-Verify +Unverified):\n%s", diff)
			}
		}
	})
}

func TestOnlyTheOperatorsCommandReadsUnverifiedTokens(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if d.IsDir() || !strings.HasSuffix(path, ".go") || dir == "../jwks" || dir == "../cmd/authctl" {
			return nil
		}
		seen++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "jwks.Unverified(") {
			t.Errorf("%s calls jwks.Unverified: a token decides something only after Verify", path)
		}
		return err
	})
	if err != nil || seen == 0 {
		t.Fatalf("%d files looked at, %v", seen, err)
	}
}
