package main

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSecretsInATextAreShortened(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl": "Bearer eyJhbGci… (54 characters)",
		"key " + apiKey + " is unknown":                                 "key ak_test_… (57 characters) is unknown",
		`sig1=:MEUCIQDTBHI1lPT8fHvnnV4vKcO3lGkV5lGFm0h3iFh0Xw==:`:       "sig1=:MEUC… (50 characters)",
		"/items/eyJ":           "/items/eyJ",
		"scopes items:read":    "scopes items:read",
		"2026-11-21T10:19:27Z": "2026-11-21T10:19:27Z",
		"dtnsgzR3rQ1ei5gamPrB_U5nNdR75UNUD9IML9hiM7k": "dtnsgzR3rQ1ei5gamPrB_U5nNdR75UNUD9IML9hiM7k", // a key id
	} {
		if got := shortened(text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// Whatever stands around a token, no more than its beginning is shown, and
// nothing that a terminal would act upon.
func TestNothingShownHoldsATokenOrMovesTheCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[A-Za-z0-9_-]{20,60}`)
		token := "eyJ" + part.Draw(t, "header") + "." + part.Draw(t, "claims") + "." + part.Draw(t, "signature")
		text := rapid.String().Draw(t, "before") + token + rapid.String().Draw(t, "after")
		got := shown(text)
		for i := 0; i+16 <= len(token); i++ {
			if strings.Contains(got, token[i:i+16]) {
				t.Fatalf("%q shows %q", got, token[i:i+16])
			}
		}
		if strings.ContainsFunc(strings.ReplaceAll(got, "\n", ""), hidden) {
			t.Fatalf("%q moves the cursor", got)
		}
	})
}

func TestWhatStandsInACredentialsPlaceIsNeverShownWhole(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"Basic dXNlcjpwYXNzd29yZA==":  "Basic dXNlcjpw… (20 characters)",
		"correcthorsebatterystaple":   "correcth… (25 characters)",
		"correct horse battery stapl": "correct horse ba… (19 characters)",
		"Bearer":                      "Bearer",
		"Bearer x":                    "Bearer x",
		"äöüäöüäöüäöü":                "äöüäöüäö… (12 characters)",
	} {
		if got := glimpse(value); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", value, got, want)
		}
	}
}
