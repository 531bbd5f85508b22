package httpsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lambda-authorizer/keydoc"
)

func TestParseKeysReadsEveryMember(t *testing.T) {
	t.Parallel()
	keys, errs := ParseKeys([]byte(`{"keys": {
		"partner.1": {"secret": "` + testSecret + `", "principal": "acme", "scopes": ["items:read", "items:write"],
			"networks": ["office"], "expires_at": "2027-01-01T00:00:00+01:00", "disabled": true,
			"context": {"tenant": "acme", "tier": 2}, "previous": {"secret": "` + otherSecret + `", "until": "2026-12-01T00:00:00Z"}},
		"plain": {"secret": "` + otherSecret + `", "principal": "p"}}}`))
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
	short := base64.StdEncoding.EncodeToString(make([]byte, keydoc.MinSecret-1))
	for _, c := range []struct{ name, record, says string }{
		{"no secret", `{"principal": "p"}`, "secret is 0 bytes long"},
		{"short secret", `{"principal": "p", "secret": "` + short + `"}`, "secret is 31 bytes long"},
		{"secret not base64", `{"principal": "p", "secret": "not base64, private"}`, "secret is not standard base64"},
		{"secret in base64url", `{"principal": "p", "secret": "` + strings.Repeat("-_", 22) + `"}`, "secret is not standard base64"},
		{"secret is a number", `{"principal": "p", "secret": 123456789}`, "/secret is of the wrong type"},
		{"no principal", `{"secret": "` + testSecret + `"}`, "principal"},
		{"principal with a line break", `{"secret": "` + testSecret + `", "principal": "a\nb"}`, "principal"},
		{"scope with a blank", `{` + good + `, "scopes": ["items:read items:write"]}`, "scope"},
		{"empty scope", `{` + good + `, "scopes": [""]}`, "scope"},
		{"scopes as a string", `{` + good + `, "scopes": "items:read"}`, "/scopes is of the wrong type"},
		{"empty network", `{` + good + `, "networks": [""]}`, "networks"},
		{"expires_at is a day", `{` + good + `, "expires_at": "2027-01-01"}`, "expires_at is not a time"},
		{"expires_at is empty", `{` + good + `, "expires_at": ""}`, "expires_at is not a time"},
		{"disabled is a string", `{` + good + `, "disabled": "true"}`, "/disabled is of the wrong type"},
		{"disabled in other words", `{` + good + `, "disable": true}`, "/disable is no member"},
		{"disabled in another case", `{` + good + `, "Disabled": true}`, "a member does not belong there"},
		{"a secret as a name", `{` + good + `, "` + otherSecret + `": true}`, "a member does not belong there"},
		{"not_before, which only API keys have", `{` + good + `, "not_before": "2027-01-01T00:00:00Z"}`, "/not_before is no member"},
		{"a member twice", `{` + good + `, "disabled": true, "disabled": false}`, "a member occurs twice"},
		{"a member of context twice", `{` + good + `, "context": {"a": 1, "a": 2}}`, "a member occurs twice"},
		{"previous without until", `{` + good + `, "previous": {"secret": "` + otherSecret + `"}}`, "previous.until is not a time"},
		{"previous without secret", `{` + good + `, "previous": {"until": "2027-01-01T00:00:00Z"}}`, "previous.secret is 0 bytes long"},
		{"no expiry, in so many words", `{` + good + `, "expires_at": null}`, "a member is null"},
		{"no networks, in so many words", `{` + good + `, "networks": null}`, "a member is null"},
		{"no previous, in so many words", `{` + good + `, "previous": null}`, "a member is null"},
		{"expires_at is the zero time", `{` + good + `, "expires_at": "0001-01-01T00:00:00Z"}`, "expires_at is not a time"},
		{"secret with a line break", `{"principal": "p", "secret": "` + testSecret[:20] + `\n` + testSecret[20:] + `"}`, "secret is not base64: it has line breaks"},
		{"two names for one context key", `{` + good + `, "context": {"a": [1], "a_json": 2}}`, "two names that reach the backend as one"},
		{"null", `null`, "it is not a JSON object"},
		{"a string", `"x"`, "it is not a JSON object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			keys, errs := ParseKeys([]byte(`{"keys": {"bad": ` + c.record + `, "good": {` + good + `}}}`))
			if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "signing key bad: ") || !strings.Contains(errs[0].Error(), c.says) {
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
		`{"keys": {"a": ` + record[:40],
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

func TestIDThatOccursTwiceIsNobodys(t *testing.T) {
	t.Parallel()
	record := `{"secret": "` + testSecret + `", "principal": "p"}`
	keys, errs := ParseKeys([]byte(`{"keys": {"a": ` + record + `, "b": ` + record + `, "a": ` + record + `}}`))
	if len(keys) != 1 || keys["b"] == nil || len(errs) != 2 || errs[0].Error() != "signing key a: its id occurs 2 times, none of them is used" {
		t.Errorf("%v, %v", keys, errs)
	}
}

func TestRecordAgainstTheRulesIsRefused(t *testing.T) {
	t.Parallel()
	rules := Rules{
		ContextKey: func(name string) (string, error) {
			if name == "scope" {
				return "", errors.New("a name is reserved")
			}
			return strings.ReplaceAll(name, "-", "_"), nil
		},
		Network: func(name string) error {
			if name != "office" {
				return errors.New("there is no such network")
			}
			return nil
		},
	}
	for members, want := range map[string]string{
		`"networks": ["office"], "context": {"tenant": "acme"}`: "",
		`"networks": ["office", "home"]`:                        "signing key k: networks[1]: there is no such network",
		`"context": {"scope": "admin"}`:                         "signing key k: context: a name is reserved",
		`"context": {"a-b": 1, "a_b": 2}`:                       "signing key k: context has two names that reach the backend as one",
	} {
		keys, errs := rules.Parse([]byte(`{"keys": {"k": {"secret": "` + testSecret + `", "principal": "p", ` + members + `}}}`))
		if fmt.Sprint(errs) != "["+want+"]" || (want == "") != (keys["k"] != nil) {
			t.Errorf("%s: %v, want %q", members, errs, want)
		}
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
