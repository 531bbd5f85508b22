package backend

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"

	"github.com/dunglas/httpsfv"
)

var (
	errDigestSyntax   = errors.New("the signed Content-Digest is not a dictionary of byte sequences")
	errDigestUnknown  = errors.New("the signed Content-Digest has neither sha-256 nor sha-512")
	errDigestMismatch = errors.New("the body is not the one whose Content-Digest was signed")
)

// digests are the algorithms of RFC 9530 that are fit against an attacker;
// its section 5 forbids the others for that use.
var digests = map[string]func([]byte) []byte{
	"sha-256": func(b []byte) []byte { d := sha256.Sum256(b); return d[:] },
	"sha-512": func(b []byte) []byte { d := sha512.Sum512(b); return d[:] },
}

// checkDigest compares body with a Content-Digest field value. Every known
// algorithm in it must agree, and there must be one.
func checkDigest(field string, body []byte) error {
	dictionary, err := httpsfv.UnmarshalDictionary([]string{field})
	if err != nil {
		return errDigestSyntax
	}
	known := false
	for _, name := range dictionary.Names() {
		digest, ok := digests[name]
		if !ok {
			continue
		}
		member, _ := dictionary.Get(name)
		item, ok := member.(httpsfv.Item)
		if !ok {
			return errDigestSyntax
		}
		want, ok := item.Value.([]byte)
		if !ok {
			return errDigestSyntax
		}
		if !bytes.Equal(want, digest(body)) {
			return errDigestMismatch
		}
		known = true
	}
	if !known {
		return errDigestUnknown
	}
	return nil
}
