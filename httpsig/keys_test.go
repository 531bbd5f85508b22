package httpsig

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseKeysReadsEveryMember(t *testing.T) {
	t.Parallel()
	keys, errs := ParseKeys([]byte(`{"keys": {
		"partner.1": {"secret": "` + testSecret + `", "principal": "acme", "scopes": ["items:read", "items:write"],
			"networks": ["office"], "expires_at": "2027-01-01T00:00:00+01:00", "disabled": true,
			"context": {"tenant": "acme", "tier": 2}, "previous": {"secret": "` + otherSecret + `", "until": "2026-12-01T00:00:00Z"}},
		"plain": {"secret": "` + otherSecret + `", "principal": "p", "expires_at": null, "previous": null}}}`))
	if errs != nil {
		t.Fatal(errs)
	}
	want := map[string]*Key{
		"partner.1": {ID: "partner.1", Principal: "acme", Scopes: []string{"items:read", "items:write"}, Networks: []string{"office"},
			Expires: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC), Disabled: true,
			Context: map[string]any{"tenant": "acme", "tier": float64(2)}},
		"plain": {ID: "plain", Principal: "p"},
	}
	if diff := cmp.Diff(want, keys, cmpopts.IgnoreUnexported(Key{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	got := keys["partner.1"].secrets()
	if base64.StdEncoding.EncodeToString(got.current) != testSecret || base64.StdEncoding.EncodeToString(got.previous) != otherSecret ||
		!got.until.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("the secrets differ")
	}
}

func TestOneBadRecordIsSkippedAndNamed(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf(`"secret": %q, "principal": "p"`, testSecret)
	short := base64.StdEncoding.EncodeToString(make([]byte, minSecret-1))
	for _, c := range []struct{ name, record, says string }{
		{"no secret", `{"principal": "p"}`, "secret has 0 bytes"},
		{"short secret", `{"principal": "p", "secret": "` + short + `"}`, "secret has 31 bytes"},
		{"secret not base64", `{"principal": "p", "secret": "not base64, private"}`, "secret is not base64"},
		{"secret in base64url", `{"principal": "p", "secret": "` + strings.Repeat("-_", 22) + `"}`, "secret is not base64"},
		{"secret is a number", `{"principal": "p", "secret": 123456789}`, "/secret is a JSON number"},
		{"no principal", `{"secret": "` + testSecret + `"}`, "principal"},
		{"principal with a line break", `{"secret": "` + testSecret + `", "principal": "a\nb"}`, "principal"},
		{"scope with a blank", `{` + good + `, "scopes": ["items:read items:write"]}`, "scope"},
		{"empty scope", `{` + good + `, "scopes": [""]}`, "scope"},
		{"scopes as a string", `{` + good + `, "scopes": "items:read"}`, "/scopes is a JSON string"},
		{"empty network", `{` + good + `, "networks": [""]}`, "networks"},
		{"expires_at is a day", `{` + good + `, "expires_at": "2027-01-01"}`, "expires_at is not a time"},
		{"expires_at is empty", `{` + good + `, "expires_at": ""}`, "expires_at is not a time"},
		{"disabled is a string", `{` + good + `, "disabled": "true"}`, "/disabled is a JSON string"},
		{"disabled in other words", `{` + good + `, "disable": true}`, "/disable is no member"},
		{"disabled in another case", `{` + good + `, "Disabled": true}`, "a member that no record has"},
		{"a secret as a name", `{` + good + `, "` + otherSecret + `": true}`, "a member that no record has"},
		{"not_before, which only API keys have", `{` + good + `, "not_before": "2027-01-01T00:00:00Z"}`, "/not_before is no member"},
		{"a member twice", `{` + good + `, "disabled": true, "disabled": false}`, "a member occurs twice"},
		{"a member of context twice", `{` + good + `, "context": {"a": 1, "a": 2}}`, "a member occurs twice"},
		{"previous without until", `{` + good + `, "previous": {"secret": "` + otherSecret + `"}}`, "previous.until is not a time"},
		{"previous without secret", `{` + good + `, "previous": {"until": "2027-01-01T00:00:00Z"}}`, "previous.secret has 0 bytes"},
		{"null", `null`, "principal"},
		{"a string", `"x"`, "is a JSON string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			keys, errs := ParseKeys([]byte(`{"keys": {"bad": ` + c.record + `, "good": {` + good + `}}}`))
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), `"bad"`) || !strings.Contains(errs[0].Error(), c.says) {
				t.Fatalf("got %v, want one about bad that says %q", errs, c.says)
			}
			if keys["good"] == nil || len(keys) != 1 {
				t.Errorf("got %v", keys)
			}
			for _, private := range []string{testSecret, otherSecret, short, "private", "123456789"} {
				if strings.Contains(errs[0].Error(), private) {
					t.Errorf("%v quotes a secret", errs[0])
				}
			}
		})
	}
}

func TestKeyIDThatCannotBeOneIsSkipped(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a b", "a#b", "é", strings.Repeat("x", 65), "a\\n"} {
		keys, errs := ParseKeys([]byte(`{"keys": {"` + id + `": {"secret": "` + testSecret + `", "principal": "p"}}}`))
		if len(keys) != 0 || len(errs) != 1 {
			t.Errorf("%q: %v, %v", id, keys, errs)
		}
	}
}

func TestDocumentThatIsNoneGivesNoMap(t *testing.T) {
	t.Parallel()
	record := `{"secret": "` + testSecret + `", "principal": "p"}`
	for _, doc := range []string{
		"", "null", "[]", `"x"`, "{}", `{"keys": null}`, `{"keys": []}`, `{"Keys": {}}`, `{"other": 1, "keys": {}}`,
		`{"keys": {}, "other": 1}`, `{"keys": {}, "keys": {}}`, `{"keys": {}} x`, `{"keys": {}`, `{"keys": {"a": }}`,
		`{"keys": {"a": ` + record + `, "a": ` + record + `}}`, `{"keys": {"a": ` + record[:40],
	} {
		keys, errs := ParseKeys([]byte(doc))
		if keys != nil || len(errs) != 1 || strings.Contains(errs[0].Error(), testSecret[:20]) {
			t.Errorf("%s: %v, %v", doc, keys, errs)
		}
	}
	if keys, errs := ParseKeys([]byte(`{"keys": {}}`)); keys == nil || len(errs) != 0 {
		t.Errorf("no key at all is a document: %v, %v", keys, errs)
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	key := partner(t, "")["partner"]
	s := signer(t)
	raw, err := base64.StdEncoding.DecodeString(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	numbers := strings.Trim(fmt.Sprint(raw[:8]), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		for _, value := range []any{key, *key, s, struct{ k *Key }{key}, []any{*key}} {
			text := fmt.Sprintf(verb, value)
			for _, private := range []string{testSecret[:12], string(raw[:8]), numbers, fmt.Sprintf("%x", raw[:8])} {
				if strings.Contains(text, private) {
					t.Errorf("%s of %T prints the secret", verb, value)
				}
			}
		}
	}
}
