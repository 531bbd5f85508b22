package hs256_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/secrets/hs256"
)

// key is 32 times b, in base64.
func key(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

// document is a secret's text with the pairs of name and key.
func document(pairs ...string) []byte {
	var members []string
	for pair := range slices.Chunk(pairs, 2) {
		members = append(members, fmt.Sprintf("%q:%q", pair[0], pair[1]))
	}
	return []byte(`{"keys":{` + strings.Join(members, ",") + `}}`)
}

func TestKeysAreReadByName(t *testing.T) {
	t.Parallel()
	got, bad := hs256.Parse(document("default", key('a'), "2026-01", key('b')))
	want := map[string][]byte{"default": bytes.Repeat([]byte("a"), 32), "2026-01": bytes.Repeat([]byte("b"), 32)}
	if diff := cmp.Diff(want, got); diff != "" || len(bad) > 0 {
		t.Errorf("%v (-want +got)\n%s", bad, diff)
	}
}

func TestBadKeyIsLeftOutAndNamed(t *testing.T) {
	t.Parallel()
	got, bad := hs256.Parse([]byte(`{"keys":{"default":"` + key('a') + `","short":"c2hvcnQ=","number":7,"object":{"k":"` + key('b') + `"}}}`))
	if len(got) != 1 || len(bad) != 3 {
		t.Fatalf("%d keys, %d errors", len(got), len(bad))
	}
	for n, want := range []string{
		"HS256 key short: 5 bytes long, and must have at least 32",
		"HS256 key number: it is not a string",
		"HS256 key object: it is not a string",
	} {
		if bad[n].Error() != want {
			t.Errorf("error %q, want %q", bad[n], want)
		}
	}
}

func TestSecretWithoutAUsableKeyIsNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"keys":{}}`:                   "it has no key",
		`{"keys":{"default":"short="}}`: "HS256 key default: not standard base64 with padding",
		`legacy-shared-secret-as-text`:  "it is not a JSON object",
	} {
		keys, errs := hs256.Parse([]byte(text))
		if keys != nil || len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("%s: %v, %v", text, keys, errs)
		}
	}
}

func TestKeyInThePlaceOfANameIsNotShown(t *testing.T) {
	t.Parallel()
	secret := key('s')
	for _, name := range []string{secret, strings.TrimRight(secret, "="), strings.ReplaceAll(secret, "/", "_"), "two words"} {
		_, errs := hs256.Parse(document(name, "default"))
		if len(errs) != 1 || strings.Contains(errs[0].Error(), name) || !strings.Contains(errs[0].Error(), "number 1") {
			t.Errorf("errors: %v", errs)
		}
	}
}

// fixed are versions that never change.
type fixed []map[string][]byte

func (f fixed) Versions(context.Context) ([]map[string][]byte, error) { return f, nil }
func (f fixed) Renew(context.Context) error                           { return nil }

func TestTokenIsHeldAgainstTheKeyOfItsKidInEachVersion(t *testing.T) {
	t.Parallel()
	m := func(pairs ...string) map[string][]byte {
		out := map[string][]byte{}
		for pair := range slices.Chunk(pairs, 2) {
			out[pair[0]] = []byte(pair[1])
		}
		return out
	}
	for what, c := range map[string]struct {
		versions fixed
		kid      string
		want     string
	}{
		"kid in one version":              {fixed{m("a", "1", "b", "2")}, "b", "b=2"},
		"kid in both versions":            {fixed{m("a", "2"), m("a", "1")}, "a", "a=2 a=1"},
		"kid in the previous one alone":   {fixed{m("b", "2"), m("a", "1")}, "a", "a=1"},
		"the same key in both":            {fixed{m("a", "1"), m("a", "1")}, "a", "a=1"},
		"unknown kid":                     {fixed{m("a", "1", "default", "2")}, "c", ""},
		"no kid: default":                 {fixed{m("a", "1", "default", "2"), m("default", "3")}, "", "default=2 default=3"},
		"no kid: the only one":            {fixed{m("a", "2"), m("b", "1")}, "", "a=2 b=1"},
		"no kid: two, and no default":     {fixed{m("a", "1", "b", "2")}, "", ""},
		"a kid that is the word default":  {fixed{m("default", "1")}, "default", "default=1"},
		"no kid: default beside one more": {fixed{m("default", "2"), m("a", "1", "b", "0")}, "", "default=2"},
	} {
		keys, err := hs256.Keys{From: c.versions}.Keys(t.Context(), c.kid)
		var got []string
		for _, k := range keys {
			got = append(got, k.ID+"="+string(k.Secret))
		}
		if text := strings.Join(got, " "); err != nil || text != c.want {
			t.Errorf("%s: %q, %v, want %q", what, text, err, c.want)
		}
	}
}

// down is a secret that cannot be read.
type down struct{ error }

func (d down) Versions(context.Context) ([]map[string][]byte, error) { return nil, d.error }
func (d down) Renew(context.Context) error                           { return d.error }

func TestFaultOfTheReaderIsPassedOn(t *testing.T) {
	t.Parallel()
	want := errors.New("down")
	keys := hs256.Keys{From: down{want}}
	if _, err := keys.Keys(t.Context(), ""); !errors.Is(err, want) {
		t.Errorf("Keys: %v", err)
	}
	if err := keys.Renew(t.Context()); !errors.Is(err, want) {
		t.Errorf("Renew: %v", err)
	}
}

func TestReplacementHasNewKeysUnderTheSameNames(t *testing.T) {
	t.Parallel()
	text := document("default", key('a'), "b", key('b'))
	next, err := hs256.Replace(text)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := hs256.Parse(text)
	after, bad := hs256.Parse(next)
	if len(after) != 2 || len(bad) > 0 {
		t.Fatalf("%d keys, %v", len(after), bad)
	}
	for name, old := range before {
		if len(after[name]) != 32 || bytes.Equal(after[name], old) {
			t.Errorf("key %s is not new", name)
		}
	}
	if _, err := hs256.Replace([]byte(`{"keys":{"default":"short="}}`)); err == nil {
		t.Error("a text with a bad key is replaced")
	}
	first, err := hs256.Replace(nil)
	if keys, bad := hs256.Parse(first); err != nil || len(keys) != 1 || len(keys[hs256.Default]) != 32 || len(bad) > 0 {
		t.Errorf("the first version: %v, %v, %v", keys, bad, err)
	}
}

func FuzzParsedKeysHaveEnoughBytes(f *testing.F) {
	f.Add(document("default", key('a')))
	f.Add([]byte(`{"keys":{"a":1,"b":"c"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, errs := hs256.Parse(text)
		if (keys == nil) != (len(keys) == 0) || keys == nil && len(errs) != 1 {
			t.Errorf("%d keys, nil %t, %d errors", len(keys), keys == nil, len(errs))
		}
		for name, key := range keys {
			if len(key) < 32 {
				t.Errorf("key %q has %d bytes", name, len(key))
			}
		}
		if next, err := hs256.Replace(text); err == nil {
			if again, bad := hs256.Parse(next); len(again) != max(len(keys), 1) || len(bad) > 0 {
				t.Errorf("replacement: %d keys of %d, %v", len(again), len(keys), bad)
			}
		}
	})
}
