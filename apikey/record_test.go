package apikey_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lambda-authorizer/apikey"
)

const otherHash = "1111111111111111111111111111111111111111111111111111111111111111"

// rules know the networks office and partners, and the reserved name scope.
var rules = apikey.Rules{
	ContextKey: func(name string) (string, error) {
		if name == "scope" {
			return "", errors.New("a name is reserved")
		}
		return strings.ReplaceAll(name, "-", "_"), nil
	},
	Network: func(name string) error {
		if name != "office" && name != "partners" {
			return errors.New("there is no such network")
		}
		return nil
	},
}

// only reads a document with this one record, of id k.
func only(record string) (*apikey.Record, []error) {
	records, bad := rules.Parse([]byte(`{"keys":{"k":` + record + `}}`))
	return records["k"], bad
}

func TestRecordOfTheDocumentationIsRead(t *testing.T) {
	t.Parallel()
	got, bad := only(`{"sha256": "` + vectorHash + `", "principal": "partner-acme", "scopes": ["items:read"],
		"networks": ["office"], "usage_identifier_key": "plan-key", "not_before": "2026-01-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z",
		"disabled": false, "context": {"tenant": "acme", "tier": 2, "beta": true, "regions": ["eu", "us"]},
		"previous": {"sha256": "` + otherHash + `", "until": "2026-12-01T00:00:00Z"}}`)
	want := &apikey.Record{
		ID: "k", Principal: "partner-acme", Scopes: []string{"items:read"}, Networks: []string{"office"}, UsageIdentifierKey: "plan-key",
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Context: map[string]any{"tenant": "acme", "tier": 2.0, "beta": true, "regions": []any{"eu", "us"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(apikey.Record{})); diff != "" || len(bad) > 0 {
		t.Errorf("%v (-want +got)\n%s", bad, diff)
	}
}

func TestBadRecordIsRefusedAndSaysWhy(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]string{
		`"sha256": "` + vectorHash[1:] + `"`:                      "sha256 is not 64 hexadecimal digits",
		`"sha256": "` + strings.Repeat("x", 64) + `"`:             "sha256 is not 64 hexadecimal digits",
		`"sha256": ["` + vectorHash + `"]`:                        "/sha256 is of the wrong type",
		`"principal": ""`:                                         "principal is missing or empty",
		`"principal": "a\nb"`:                                     "principal has control characters",
		`"principal": "` + strings.Repeat("p", 513) + `"`:         "principal is longer than 512 bytes",
		`"principal": 7`:                                          "/principal is of the wrong type",
		`"scopes": "items:read"`:                                  "/scopes is of the wrong type",
		`"scopes": ["ok", "items:read items:write"]`:              "scopes[1] is no scope: printable ASCII without blanks, quotes and backslashes",
		`"scopes": [""]`:                                          "scopes[0] is no scope: printable ASCII without blanks, quotes and backslashes",
		`"scopes": null`:                                          "a member is null: leave it out instead",
		`"networks": ["home"]`:                                    "networks[0]: there is no such network",
		`"networks": [""]`:                                        "networks[0] is empty",
		`"networks": null`:                                        "a member is null: leave it out instead",
		`"network": ["office"]`:                                   "/network is no member of a record",
		`"disable": true`:                                         "/disable is no member of a record",
		`"disabled": "true"`:                                      "/disabled is of the wrong type",
		`"disabled": false, "disabled": true`:                     "a member occurs twice",
		`"expires_at": "2027-01-01"`:                              "expires_at is not a time as in 2027-01-01T00:00:00Z",
		`"expires_at": ""`:                                        "expires_at is not a time as in 2027-01-01T00:00:00Z",
		`"expires_at": "0001-01-01T00:00:00Z"`:                    "expires_at is not a time as in 2027-01-01T00:00:00Z",
		`"expires_at": 1798761600`:                                "/expires_at is of the wrong type",
		`"not_before": "soon"`:                                    "not_before is not a time as in 2027-01-01T00:00:00Z",
		`"previous": {"sha256": "` + otherHash + `"}`:             "previous.until is not a time as in 2027-01-01T00:00:00Z",
		`"previous": {"until": "2027-01-01T00:00:00Z"}`:           "previous.sha256 is not 64 hexadecimal digits",
		`"previous": {"sha256": "` + otherHash + `", "til": "x"}`: "/previous/til is no member of a record",
		`"previous": null`:                                        "a member is null: leave it out instead",
		`"context": {"scope": "admin"}`:                           "context: a name is reserved",
		`"context": {"a-b": 1, "a_b": 2}`:                         "context has two names that reach the backend as one",
		`"context": {"a": [1], "a_json": "x"}`:                    "context has two names that reach the backend as one",
		`"context": {"": 1}`:                                      "context has a name that is empty",
		`"context": {"a": null}`:                                  "a member is null: leave it out instead",
		`"context": {"a": 1, "a": 2}`:                             "a member occurs twice",
		`"context": {"a": {"b": [9007199254740993]}}`:             "context has a number beyond 2^53: write it as a string",
		`"context": "acme"`:                                       "context is not an object",
	} {
		good := `"sha256": "` + vectorHash + `", "principal": "p"`
		for _, member := range []string{"sha256", "principal"} {
			if strings.HasPrefix(members, `"`+member+`"`) {
				good = regexp.MustCompile(`"`+member+`": "[^"]*"(, )?`).ReplaceAllString(good, "")
			}
		}
		record, bad := only(`{` + strings.TrimSuffix(good, ", ") + `, ` + members + `}`)
		if record != nil || len(bad) != 1 || bad[0].Error() != "API key k: "+want {
			t.Errorf("%s: %v, want %s", members, bad, want)
		}
	}
}

func TestEmptyListsAreNoRules(t *testing.T) {
	t.Parallel()
	got, bad := only(`{"sha256": "` + vectorHash + `", "principal": "p", "scopes": [], "networks": [], "context": {}}`)
	if got == nil || len(bad) > 0 || len(got.Networks) != 0 || len(got.Scopes) != 0 {
		t.Errorf("%+v, %v", got, bad)
	}
}

func TestOneBadRecordSpoilsNoOther(t *testing.T) {
	t.Parallel()
	good := `{"sha256": "` + vectorHash + `", "principal": "p"}`
	records, bad := apikey.Rules{}.Parse([]byte(`{"keys":{"a":` + good + `,"b":{},"c":` + good + `,"Not An Id":` + good + `,"d":` + good + `,"d":` + good + `}}`))
	if len(records) != 2 || records["a"] == nil || records["c"] == nil {
		t.Errorf("records %v", records)
	}
	var told []string
	for _, err := range bad {
		told = append(told, err.Error())
	}
	want := []string{
		"API key b: principal is missing or empty",
		"API key number 4: its id is not 1 to 32 of a-z and 0-9",
		"API key d: its id occurs 2 times, none of them is used",
		"API key d: its id occurs 2 times, none of them is used",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
}

// A whole key, pasted where anything else belongs, shows up in no error.
func TestKeyInTheWrongPlaceIsInNoError(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("AbCdEfGhIj", 5)[:43]
	good := `"sha256":"` + vectorHash + `","principal":"p"`
	for _, place := range []string{
		`{"keys":{"%s":{}}}`, `{"%s":{}}`, `{"keys":{"k":"%s"}}`, `{"keys":{"k":{"%s":1}}}`, `{"keys":{"k":{"sha256":"%s","principal":"p"}}}`,
		`{"keys":{"k":{` + good + `,"%s":1}}}`, `{"keys":{"k":{` + good + `,"previous":{"%s":1}}}}`, `{"keys":{"k":{` + good + `,"expires_at":"%s"}}}`,
		`{"keys":{"k":{` + good + `,"disabled":"%s"}}}`, `{"keys":{"k":{` + good + `,"scopes":["%s é"]}}}`, `{"keys":{"k":{` + good + `,"networks":["%s"]}}}`,
		`{"keys":{"k":{` + good + `,"context":{"%s":1,"%[1]s":2}}}}`, `{"keys":{"k":{` + good + `,"context":"%s"}}}`, `{"keys":{"k":{` + good + `,"context":%s}}}`,
		`%s`, `{"keys":{"k":%s`, `{"keys":{}}%s`,
	} {
		_, bad := rules.Parse(fmt.Appendf(nil, place, secret))
		if len(bad) == 0 {
			t.Errorf("%s is taken", place)
		}
		for _, err := range bad {
			for at := range len(secret) - 4 {
				if strings.Contains(err.Error(), secret[at:at+5]) {
					t.Errorf("%s: the error quotes it: %v", place, err)
					break
				}
			}
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"keys":{"k":{"sha256":"` + vectorHash + `","principal":"p","previous":{"sha256":"` + otherHash + `","until":"2027-01-01T00:00:00Z"}}}}`))
	f.Add([]byte(`{"keys":{"k":{"context":{"a":[{"b":1e400}]}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, bad := rules.Parse(text)
		if records == nil && len(bad) != 1 {
			t.Errorf("no map and %d errors", len(bad))
		}
		for id, r := range records {
			if !apikey.ValidID(id) || r.ID != id || r.Principal == "" {
				t.Errorf("record %q: %+v", id, r)
			}
		}
	})
}
