package oidctest_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lambda-authorizer/jwks"
	"lambda-authorizer/reason"
)

const testdata = "../testdata"

// expectation is what a verified token must say.
type expectation struct {
	Principal string   `json:"principal"`
	Subject   string   `json:"subject"`
	ClientID  string   `json:"client_id"`
	TokenID   string   `json:"token_id"`
	SessionID string   `json:"session_id"`
	Scopes    []string `json:"scopes"`
}

// recording is testdata/recorded/recorded.json.
type recording struct {
	RecordedAt  time.Time                `json:"recorded_at"`
	Issuer      string                   `json:"issuer"`
	Audience    string                   `json:"audience"`
	Certificate string                   `json:"certificate_thumbprint"`
	Tokens      map[string]recordedToken `json:"tokens"`
}

type recordedToken struct {
	expectation
	Verdict                string                    `json:"verdict"`
	VerdictWithCertificate string                    `json:"verdict_with_certificate"`
	Header                 struct{ Kid, Alg string } `json:"header"`
	IssuedAt               int64                     `json:"issued_at"`
	Expires                int64                     `json:"expires"`
}

func TestRecordedTokensGetTheirVerdict(t *testing.T) {
	t.Parallel()
	r := readRecording(t)
	v := recordedVerifier(t, r)
	for name, want := range r.Tokens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := readToken(t, filepath.Join("tokens", name+".jwt"))
			token, err := v.Verify(t.Context(), raw, "")
			if got := verdict(err); got != want.Verdict {
				t.Fatalf("verdict = %s (%v), want %s", got, err, want.Verdict)
			}
			if err == nil {
				compareRecorded(t, token, r, want)
			}
			if want.VerdictWithCertificate != "" {
				want.Verdict = want.VerdictWithCertificate
			}
			token, err = v.Verify(t.Context(), raw, r.Certificate)
			if got := verdict(err); got != want.Verdict {
				t.Fatalf("verdict with the client certificate = %s (%v), want %s", got, err, want.Verdict)
			}
			if err == nil {
				compareRecorded(t, token, r, want)
			}
		})
	}
}

func TestCertificateBoundTokenIsRefusedWithAnotherCertificate(t *testing.T) {
	t.Parallel()
	r := readRecording(t)
	raw := readToken(t, "tokens/certificate-bound.jwt")
	other := strings.Repeat("A", len(r.Certificate))
	_, err := recordedVerifier(t, r).Verify(t.Context(), raw, other)
	if reason.Of(err) != reason.SenderConstrained {
		t.Errorf("Verify = %v, want %s", err, reason.SenderConstrained)
	}
}

func TestRecordedTokensExpire(t *testing.T) {
	t.Parallel()
	r := readRecording(t)
	expires := time.Unix(r.Tokens["valid"].Expires, 0)
	const leeway = 30 * time.Second
	for at, want := range map[time.Time]string{
		expires.Add(leeway - time.Second): "ok",
		expires.Add(leeway + time.Second): string(reason.TokenExpired),
	} {
		r.RecordedAt = at
		_, err := recordedVerifier(t, r).Verify(t.Context(), readToken(t, "tokens/valid.jwt"), "")
		if got := verdict(err); got != want {
			t.Errorf("verdict %s after exp = %s (%v), want %s", at.Sub(expires), got, err, want)
		}
	}
}

func TestEveryRecordedTokenIsDescribedAndEveryDescriptionHasAToken(t *testing.T) {
	t.Parallel()
	described := slices.Sorted(maps.Keys(readRecording(t).Tokens))
	var present []string
	for _, file := range glob(t, "tokens/*") {
		present = append(present, strings.TrimSuffix(filepath.Base(file), ".jwt"))
	}
	if diff := cmp.Diff(described, present); diff != "" {
		t.Errorf("recorded.json (-) and tokens (+):\n%s", diff)
	}
}

func TestNoPrivateKeyIsKept(t *testing.T) {
	t.Parallel()
	sets := append(glob(t, "recorded/jwks.json"), glob(t, "minted/*/jwks.json")...)
	for _, file := range sets {
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		readJSON(t, file, &set)
		if len(set.Keys) == 0 {
			t.Errorf("%s: no keys", file)
		}
		for _, key := range set.Keys {
			// RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2.
			for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
				if _, ok := key[private]; ok {
					t.Errorf("%s: key %v has the private member %s", file, key["kid"], private)
				}
			}
		}
	}
}

func readRecording(t *testing.T) recording {
	t.Helper()
	var r recording
	readJSON(t, filepath.Join(testdata, "recorded", "recorded.json"), &r)
	if len(r.Tokens) == 0 || r.RecordedAt.IsZero() {
		t.Fatal("recorded.json holds no recording")
	}
	return r
}

func recordedVerifier(t *testing.T, r recording) *jwks.Verifier {
	t.Helper()
	v, err := jwks.New(
		[]jwks.Issuer{{Issuer: r.Issuer, Name: "main", JWKSFile: "jwks.json", Audiences: []string{r.Audience}}},
		jwks.Options{Now: func() time.Time { return r.RecordedAt }, Dir: filepath.Join(testdata, "recorded")},
	)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func compareRecorded(t *testing.T, token *jwks.Token, r recording, want recordedToken) {
	t.Helper()
	want.Subject = want.Principal
	compare(t, token, want.expectation)
	if token.Issuer != "main" || token.IssuerURL != r.Issuer {
		t.Errorf("issuer = %s, %s, want main, %s", token.Issuer, token.IssuerURL, r.Issuer)
	}
	if token.KeyID != want.Header.Kid {
		t.Errorf("key = %s, want %s", token.KeyID, want.Header.Kid)
	}
	if !token.HasIssuedAt || token.IssuedAt.Unix() != want.IssuedAt || token.Expires.Unix() != want.Expires {
		t.Errorf("issued %v, expires %v, want %d, %d", token.IssuedAt, token.Expires, want.IssuedAt, want.Expires)
	}
}

func compare(t *testing.T, token *jwks.Token, want expectation) {
	t.Helper()
	got := expectation{token.Principal, token.Subject, token.ClientID, token.ID, token.SessionID, token.Scopes}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
}

func verdict(err error) string {
	if err == nil {
		return "ok"
	}
	return string(reason.Of(err))
}

func readToken(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	return files
}
