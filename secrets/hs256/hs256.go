// Package hs256 reads secrets with the keys of HS256 tokens:
//
//	{"keys": {"<kid>": "<base64>", "default": "<base64>"}}
//
// A key has at least 32 bytes. The key of tokens that have no kid is named
// default, or is the only one. During a rotation a secret has two versions
// whose keys count, and a name may stand for another key in each: so a token
// is held against each key that this package finds for it. It verifies nothing
// itself.
package hs256

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/keydoc"
)

// Default names the key of tokens without a kid.
const Default = "default"

var kind = keydoc.Kind[[]byte]{Name: "HS256 key", Showable: showable, Parse: parse}

// Parse reads the text of a secret. A bad key is left out and told of; no key
// at all gives no map, for a secret without keys is a mistake. No error holds
// a piece of a key.
func Parse(text []byte) (map[string][]byte, []error) {
	keys, bad := kind.Read(text)
	switch {
	case len(keys) > 0:
		return keys, bad
	case len(bad) > 0:
		return nil, bad[:1]
	}
	return nil, []error{errors.New("it has no key")}
}

func parse(_ string, value jsontext.Value) ([]byte, error) {
	if value.Kind() != jsontext.KindString {
		return nil, errors.New("it is not a string")
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return nil, errors.New("it is not a string")
	}
	return keydoc.Secret(text)
}

var kid = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,64}$`)

// showable tells a kid from a secret that got into its place: what decodes to
// as many bytes as a key must have is not shown.
func showable(id string) bool {
	if !kid.MatchString(id) {
		return false
	}
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := alphabet.DecodeString(id); err == nil && len(b) >= keydoc.MinSecret {
			return false
		}
	}
	return true
}

// Versions are the versions of a secret that count, the current one first, and
// a way to read them again. *secrets.Reader[[]byte] is one.
type Versions interface {
	Versions(ctx context.Context) ([]map[string][]byte, error)
	Renew(ctx context.Context) error
}

// Key is a key and its name in the secret.
type Key = struct {
	ID     string
	Secret []byte
}

// Keys are the keys of one issuer's tokens.
type Keys struct{ From Versions }

// Keys returns the keys that a token with this kid may have been signed with,
// the current one first; an empty kid is a token's that has none. None is no
// error. An error is a fault.
func (k Keys) Keys(ctx context.Context, kid string) ([]Key, error) {
	versions, err := k.From.Versions(ctx)
	if err != nil {
		return nil, err
	}
	var out []Key
	for _, keys := range versions {
		id := choose(keys, kid)
		key := keys[id]
		if key != nil && !slices.ContainsFunc(out, func(other Key) bool { return other.ID == id && bytes.Equal(key, other.Secret) }) {
			out = append(out, Key{id, key})
		}
	}
	return out, nil
}

// Renew is for a token that no key fits: after nil, Keys knows as much as the
// secret says, within the bounds of the reader.
func (k Keys) Renew(ctx context.Context) error { return k.From.Renew(ctx) }

// choose names the key that a token with this kid means.
func choose(keys map[string][]byte, kid string) string {
	if kid != "" || keys[Default] != nil || len(keys) != 1 {
		return cmp.Or(kid, Default)
	}
	for only := range keys {
		return only
	}
	return Default
}

// Replace makes the text of the next version: a new random key of 32 bytes
// under each name that the current text has, or the first one, Default, where
// there is no text.
func Replace(text []byte) ([]byte, error) {
	keys := map[string][]byte{Default: nil}
	if len(text) > 0 {
		var bad []error
		if keys, bad = Parse(text); len(bad) > 0 {
			return nil, bad[0]
		}
	}
	d, err := keydoc.Open(nil)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		key := make([]byte, keydoc.MinSecret)
		_, _ = rand.Read(key) // never fails
		d.Set(name, jsontext.Value(`"`+base64.StdEncoding.EncodeToString(key)+`"`))
	}
	return d.Text()
}
