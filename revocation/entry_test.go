package revocation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/revocation"
)

func TestEntryThatMustNotBeWritten(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2VjcmV0"
	apiKey := "ak_test_" + strings.Repeat("A", 43) + "0Zz9Yx"
	for name, e := range map[string]revocation.Entry{
		"a whole token as value":       {Kind: revocation.KindToken, Issuer: issuer, Value: jwt},
		"a whole token as issuer":      {Kind: revocation.KindToken, Issuer: jwt, Value: "t1"},
		"a whole token in the reason":  {Kind: revocation.KindToken, Issuer: issuer, Value: "t1", Reason: "leaked: Bearer " + jwt + "."},
		"a whole token as revoked_by":  {Kind: revocation.KindToken, Issuer: issuer, Value: "t1", RevokedBy: jwt},
		"a token with spaced header":   {Kind: revocation.KindToken, Issuer: issuer, Value: "eyAiYWxnIjogIm5vbmUiIH0.e30."},
		"a whole API key as value":     {Kind: revocation.KindAPIKey, Value: apiKey},
		"a whole API key in the text":  {Kind: revocation.KindAPIKey, Value: "test", Reason: "key " + apiKey + " is on GitHub"},
		"an id no API key has":         {Kind: revocation.KindAPIKey, Value: "Test"},
		"an id no signing key has":     {Kind: revocation.KindSigningKey, Value: "a b"},
		"a network":                    {Kind: revocation.KindNetwork, Value: "office"},
		"no kind":                      {Value: "x"},
		"an issuer with #":             {Kind: revocation.KindIssuer, Issuer: "a#b"},
		"not_before on one token":      {Kind: revocation.KindToken, Issuer: issuer, Value: "t1", NotBefore: today},
		"not_before on an API key":     {Kind: revocation.KindAPIKey, Value: "test", NotBefore: today},
		"a reason with a line feed":    {Kind: revocation.KindAPIKey, Value: "test", Reason: "a\nb"},
		"a reason of 1,025 bytes":      {Kind: revocation.KindAPIKey, Value: "test", Reason: strings.Repeat("a", 1025)},
		"a revoker that is not UTF-8":  {Kind: revocation.KindAPIKey, Value: "test", RevokedBy: "\xff"},
		"an entry that is over before": {Kind: revocation.KindAPIKey, Value: "test", ExpiresAt: today.Add(-time.Second)},
	} {
		_, _, err := b.store.Put(t.Context(), e)
		var invalid *revocation.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v, want an InvalidError", name, err)
			continue
		}
		for _, secret := range []string{jwt[:20], apiKey[8:20], "eyAi"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error quotes it: %v", name, err)
			}
		}
	}
	for e, err := range b.store.List(t.Context(), revocation.Filter{Expired: true}) {
		t.Errorf("in the table: %+v, %v", e, err)
	}
	if _, _, err := b.store.Delete(t.Context(), revocation.Key{Kind: revocation.KindNetwork, Value: "office"}); err == nil {
		t.Error("Delete takes a network list")
	}
	_, _, err := b.store.Put(t.Context(), revocation.Entry{Kind: revocation.KindAPIKey, Value: "test", ExpiresAt: today.Add(-time.Second)})
	want(t, "an entry that is over before", err, revocation.ErrExpired)
}

func TestNamesThatOnlyLookLikeTokensAreWritten(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	for _, e := range []revocation.Entry{
		{Kind: revocation.KindIssuer, Issuer: "https://exampletenant.eu.auth0.com/"},
		{Kind: revocation.KindIssuer, Issuer: "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"},
		{Kind: revocation.KindToken, Issuer: issuer, Value: "01HZX3.9f8e7d6c5b4a.0"},
		{Kind: revocation.KindClient, Issuer: issuer, Value: "1234567890-abcdefghijklmnop.apps.googleusercontent.com"},
		{Kind: revocation.KindSubject, Issuer: issuer, Value: "auth0|507f1f77bcf86cd799439011"},
		{Kind: revocation.KindSigningKey, Value: "ak_partner.prod.1"},
	} {
		if _, _, err := b.store.Put(t.Context(), e); err != nil {
			t.Errorf("%+v: %v", e.Key(), err)
		}
	}
}
