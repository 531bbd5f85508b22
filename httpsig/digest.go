package httpsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"slices"

	"github.com/dunglas/httpsfv"

	"lambda-authorizer/reason"
)

// safeMethods need no digest: their body means nothing (RFC 9110 section 9.3).
var safeMethods = []string{"GET", "HEAD", "OPTIONS"}

func needsDigest(method string) bool { return !slices.Contains(safeMethods, method) }

// declaredDigest reads a Content-Digest field (RFC 9530) and returns it with
// the algorithms that are fit against an attacker, sha-256 and sha-512, alone.
// It is empty where the field has neither.
func declaredDigest(values []string) (string, error) {
	if len(values) == 0 {
		return "", nil
	}
	declared, err := dictionary("Content-Digest", values)
	if err != nil {
		return "", err
	}
	fit := httpsfv.NewDictionary()
	for _, d := range []struct {
		name string
		size int
	}{{"sha-256", sha256.Size}, {"sha-512", sha512.Size}} {
		member, ok := declared.Get(d.name)
		if !ok {
			continue
		}
		item, _ := member.(httpsfv.Item)
		sum, ok := item.Value.([]byte)
		if !ok || len(sum) != d.size {
			return "", malformed("%s in Content-Digest is not a byte sequence of %d bytes", d.name, d.size)
		}
		fit.Add(d.name, httpsfv.NewItem(sum))
	}
	if len(fit.Names()) == 0 {
		return "", nil
	}
	return httpsfv.Marshal(fit)
}

// signedDigest returns the digest that the signature covers, and insists on
// one where the method wants it.
func (p *presented) signedDigest(m *Message) (string, error) {
	digest := ""
	if p.covers("content-digest") {
		var err error
		if digest, err = declaredDigest(m.Header("content-digest")); err != nil {
			return "", err
		}
	}
	if digest == "" && needsDigest(m.Method) {
		return "", deny(reason.DigestMissing, "%.16q needs a covered content-digest with sha-256 or sha-512", m.Method)
	}
	return digest, nil
}
