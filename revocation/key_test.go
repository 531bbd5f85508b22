package revocation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

func TestKeysAreWrittenAsTheContractSays(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 513)
	sum := sha256.Sum256([]byte(long))
	hash := "sha256:" + hex.EncodeToString(sum[:])
	for _, c := range []struct {
		key  revocation.Key
		want string
	}{
		{revocation.Key{Kind: revocation.KindToken, Issuer: issuer, Value: "t1"}, "token#https://idp.example.com/#t1"},
		{revocation.Key{Kind: revocation.KindToken, Issuer: issuer, Value: revocation.TokenValue("00ff")}, "token#https://idp.example.com/#sha256:00ff"},
		{revocation.Key{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice#1"}, "subject#https://idp.example.com/#alice#1"},
		{revocation.Key{Kind: revocation.KindSession, Issuer: issuer, Value: "s"}, "session#https://idp.example.com/#s"},
		{revocation.Key{Kind: revocation.KindClient, Issuer: issuer, Value: "web"}, "client#https://idp.example.com/#web"},
		{revocation.Key{Kind: revocation.KindKey, Issuer: issuer, Value: "kid"}, "key#https://idp.example.com/#kid"},
		{revocation.Key{Kind: revocation.KindIssuer, Issuer: issuer}, "issuer#https://idp.example.com/"},
		{revocation.Key{Kind: revocation.KindAPIKey, Value: "7f3a9c"}, "api_key#7f3a9c"},
		{revocation.Key{Kind: revocation.KindSigningKey, Value: "acme.1"}, "signing_key#acme.1"},
		{revocation.Key{Kind: revocation.KindNetwork, Value: "office"}, "network#office"},
		{revocation.Key{Kind: revocation.KindSubject, Issuer: issuer, Value: long[:512]}, "subject#https://idp.example.com/#" + long[:512]},
		{revocation.Key{Kind: revocation.KindSubject, Issuer: issuer, Value: long}, "subject#https://idp.example.com/#" + hash},
		{revocation.Key{Kind: revocation.KindAPIKey, Value: long}, "api_key#" + hash},
		{revocation.Key{Kind: revocation.KindIssuer, Issuer: long}, "issuer#" + hash},
	} {
		got, err := c.key.PK()
		if err != nil || got != c.want {
			t.Errorf("%+v: %q, %v, want %q", c.key, got, err, c.want)
		}
	}
}

func TestKeyThatCannotBeIsRefusedWithoutQuotingIt(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]revocation.Key{
		"unknown kind":                  {Kind: "secret-kind", Value: "secret"},
		"no kind":                       {Value: "secret"},
		"token without issuer":          {Kind: revocation.KindToken, Value: "secret"},
		"subject without value":         {Kind: revocation.KindSubject, Issuer: "secret"},
		"issuer without issuer":         {Kind: revocation.KindIssuer},
		"issuer with value":             {Kind: revocation.KindIssuer, Issuer: "secret", Value: "secret"},
		"api key with issuer":           {Kind: revocation.KindAPIKey, Issuer: "secret", Value: "secret"},
		"network without name":          {Kind: revocation.KindNetwork},
		"issuer with the separator":     {Kind: revocation.KindSubject, Issuer: "secret#a", Value: "b"},
		"value that is not UTF-8":       {Kind: revocation.KindSubject, Issuer: "secret", Value: "secret\xff"},
		"issuer that is not UTF-8":      {Kind: revocation.KindIssuer, Issuer: "secret\xff"},
		"key beyond the table's limits": {Kind: revocation.KindSubject, Issuer: strings.Repeat("secret", 400), Value: "a"},
	} {
		pk, err := k.PK()
		if err == nil {
			t.Errorf("%s: %q, want an error", name, pk)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}

func TestTokenIsLookedUpUnderAllThatCanRevokeIt(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0f", 32)
	for name, c := range map[string]struct {
		cred revocation.Credential
		want []string
	}{
		"everything": {token("t1"), []string{
			"token#" + issuer + "#t1", "session#" + issuer + "#session-1", "subject#" + issuer + "#alice",
			"client#" + issuer + "#web", "key#" + issuer + "#key-1", "issuer#" + issuer,
		}},
		"nothing but a signing input": {
			revocation.Credential{Kind: revocation.KindToken, Issuer: issuer, SigningInputSHA256: hash},
			[]string{"token#" + issuer + "#sha256:" + hash, "issuer#" + issuer},
		},
		"jti before signing input": {
			revocation.Credential{Kind: revocation.KindToken, Issuer: issuer, ID: "t1", SigningInputSHA256: hash},
			[]string{"token#" + issuer + "#t1", "issuer#" + issuer},
		},
		"API key":     {revocation.Credential{Kind: revocation.KindAPIKey, ID: "7f3a9c"}, []string{"api_key#7f3a9c"}},
		"signing key": {revocation.Credential{Kind: revocation.KindSigningKey, ID: "acme"}, []string{"signing_key#acme"}},
	} {
		keys, err := c.cred.Keys()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, k := range keys {
			pk, err := k.PK()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, pk)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCredentialThatCannotBeLookedUpIsAFault(t *testing.T) {
	t.Parallel()
	checker := checkerOf(t, nobody{t}, "t", config(), at(today))
	for name, creds := range map[string][]revocation.Credential{
		"no credential":               {},
		"the zero credential":         {{}},
		"a subject is no credential":  {{Kind: revocation.KindSubject, Issuer: issuer, ID: "alice"}},
		"token without any name":      {{Kind: revocation.KindToken, Issuer: issuer, Subject: "alice"}},
		"token with a broken hash":    {{Kind: revocation.KindToken, Issuer: issuer, SigningInputSHA256: strings.Repeat("0F", 32)}},
		"token without issuer":        {{Kind: revocation.KindToken, ID: "t1"}},
		"issuer with #":               {{Kind: revocation.KindToken, ID: "t1", Issuer: "a#b"}},
		"id that is not UTF-8":        {{Kind: revocation.KindToken, ID: "t1\xff", Issuer: issuer}},
		"API key without id":          {{Kind: revocation.KindAPIKey}},
		"one good and one bad":        {token("t1"), {Kind: revocation.KindAPIKey}},
		"more than one read can hold": manyTokens(17),
		"issuer too long for a key":   {{Kind: revocation.KindToken, ID: "t1", Issuer: strings.Repeat("i", 2048)}},
	} {
		_, err := checker.Check(t.Context(), creds...)
		if got := reason.Of(err); err == nil || got.Status() != 500 {
			t.Errorf("%s: %v, want a fault", name, err)
		}
	}
}

func manyTokens(n int) []revocation.Credential {
	var out []revocation.Credential
	for range n {
		out = append(out, token("t"))
	}
	return out
}

func FuzzEntriesOfDifferentCredentialsNeverMeet(f *testing.F) {
	f.Add("token", issuer, "t1", "subject", issuer, "t1")
	f.Add("subject", "https://a", "b#c", "subject", "https://a#b", "c")
	f.Add("issuer", "https://a#b", "", "token", "https://a", "b")
	f.Add("api_key", "", strings.Repeat("x", 513), "api_key", "", "sha256:"+strings.Repeat("0", 64))
	f.Add("token", issuer, "\xff", "token", issuer, "\xfe")
	f.Fuzz(func(t *testing.T, kindA, issuerA, valueA, kindB, issuerB, valueB string) {
		a := revocation.Key{Kind: revocation.Kind(kindA), Issuer: issuerA, Value: valueA}
		b := revocation.Key{Kind: revocation.Kind(kindB), Issuer: issuerB, Value: valueB}
		pkA, errA := a.PK()
		pkB, errB := b.PK()
		if errA != nil || errB != nil {
			return
		}
		if len(pkA) > 2048 {
			t.Errorf("%d bytes are more than DynamoDB takes", len(pkA))
		}
		if pkA == pkB && a != b && !strings.Contains(pkA, "#sha256:") {
			t.Errorf("%+v and %+v are both %q", a, b, pkA)
		}
		back, ok := revocation.ParsePK(pkA)
		if !ok {
			t.Fatalf("ParsePK(%q) failed", pkA)
		}
		if again, err := back.PK(); err != nil || again != pkA {
			t.Errorf("%q became %q, %v", pkA, again, err)
		}
		if len(valueA) <= 512 && len(issuerA) <= 512 && back != a {
			t.Errorf("ParsePK(%q) = %+v, want %+v", pkA, back, a)
		}
	})
}

func FuzzParsePKTakesOnlyWhatPKWrites(f *testing.F) {
	for _, s := range []string{"", "#", "token#", "token##", "token#i#", "issuer#i", "api_key#a#b", "network#n", "bogus#x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pk string) {
		k, ok := revocation.ParsePK(pk)
		if !ok {
			return
		}
		if again, err := k.PK(); err != nil || again != pk {
			t.Errorf("%q became %+v and then %q, %v", pk, k, again, err)
		}
	})
}

func FuzzLookupFindsEveryEntryWrittenForACredential(f *testing.F) {
	f.Add(issuer, "t1", "alice", "s", "web", "k")
	f.Add(issuer, strings.Repeat("j", 600), strings.Repeat("s", 600), "", "", "")
	f.Fuzz(func(t *testing.T, iss, id, sub, sid, client, kid string) {
		cred := revocation.Credential{
			Kind: revocation.KindToken, Issuer: iss, ID: id, Subject: sub, Session: sid, Client: client, KeyID: kid,
			IssuedAt: time.Unix(1, 0),
		}
		keys, err := cred.Keys()
		if err != nil {
			return
		}
		looked := make(map[string]bool)
		for _, k := range keys {
			if pk, err := k.PK(); err == nil {
				looked[pk] = true
			}
		}
		for _, k := range []revocation.Key{
			{Kind: revocation.KindToken, Issuer: iss, Value: id},
			{Kind: revocation.KindSubject, Issuer: iss, Value: sub},
			{Kind: revocation.KindSession, Issuer: iss, Value: sid},
			{Kind: revocation.KindClient, Issuer: iss, Value: client},
			{Kind: revocation.KindKey, Issuer: iss, Value: kid},
			{Kind: revocation.KindIssuer, Issuer: iss},
		} {
			if k.Value == "" && k.Kind != revocation.KindIssuer {
				continue
			}
			if pk, err := k.PK(); err == nil && !looked[pk] {
				t.Errorf("an entry for the %s would not be found", k.Kind)
			}
		}
	})
}
