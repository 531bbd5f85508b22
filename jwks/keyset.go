package jwks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/reason"
)

// maxSkippedTold bounds how many skipped members a refresh tells by name.
const maxSkippedTold = 20

// keySet is an issuer's usable keys. It is immutable.
type keySet struct {
	byKid        map[string][]*key
	byAlg        map[string][]*key
	size         int
	skipped      []string
	skippedCount int
}

// query is what a token says about its key.
type query struct {
	alg string
	kid string // empty: the token names no key
	// tried is a key that this token without kid was not signed with.
	tried keyID
}

func newKeySet() *keySet {
	return &keySet{byKid: map[string][]*key{}, byAlg: map[string][]*key{}}
}

// add takes k in, unless the very same key is there already.
func (s *keySet) add(k *key) {
	if slices.ContainsFunc(s.byKid[k.kid], func(other *key) bool { return other.id == k.id }) {
		return
	}
	s.size++
	s.byKid[k.kid] = append(s.byKid[k.kid], k)
	for _, alg := range k.algorithms {
		s.byAlg[alg] = append(s.byAlg[alg], k)
	}
}

func (s *keySet) skip(n int, why error) {
	s.skippedCount++
	if len(s.skipped) < maxSkippedTold {
		s.skipped = append(s.skipped, fmt.Sprintf("keys[%d]: %v", n, why))
	}
}

// knows reports whether the set has something to say about q: if not, a
// newer set might.
func (s *keySet) knows(q query) bool {
	if q.kid != "" {
		return len(s.byKid[q.kid]) > 0
	}
	keys := s.byAlg[q.alg]
	return len(keys) > 1 || len(keys) == 1 && keys[0].id != q.tried
}

// choose returns the one key that q can mean. Two keys that both fit are a
// mistake of the issuer or worse; guessing would let either stand in for the
// other, so neither is used (RFC 7517 section 4.5 wants distinct kids for
// keys of one kind).
func (s *keySet) choose(q query) (*key, error) {
	if q.kid == "" {
		switch keys := s.byAlg[q.alg]; len(keys) {
		case 0:
			return nil, fmt.Errorf("%w: token without kid, and no key for %s", reason.KeyUnknown, q.alg)
		case 1:
			return keys[0], nil
		default:
			return nil, fmt.Errorf("%w: token without kid, and %d keys for %s", reason.KeyUnknown, len(keys), q.alg)
		}
	}
	named := s.byKid[q.kid]
	if len(named) == 0 {
		return nil, fmt.Errorf("%w: kid %s", reason.KeyUnknown, clip(q.kid))
	}
	var found *key
	for _, k := range named {
		switch {
		case !slices.Contains(k.algorithms, q.alg):
		case found != nil:
			return nil, fmt.Errorf("%w: the key set has two keys of kid %s for %s", reason.KeyUnknown, clip(q.kid), q.alg)
		default:
			found = k
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: the key of kid %s is not for %s", reason.AlgorithmForbidden, clip(q.kid), q.alg)
	}
	return found, nil
}

// parseKeySet reads a JWK set (RFC 7517 section 5). A member that is not
// usable is skipped and counted; a set without a usable key is an error.
func parseKeySet(data []byte) (*keySet, error) {
	members, err := splitMembers(data)
	if err != nil {
		return nil, err
	}
	set := newKeySet()
	for n, m := range members {
		k, err := parseKey(m)
		if err != nil {
			set.skip(n, err)
			continue
		}
		set.add(k)
	}
	switch {
	case set.size > 0:
		return set, nil
	case len(members) == 0:
		return nil, errors.New("the key set is empty")
	default:
		return nil, fmt.Errorf("none of the %d keys is usable: %s", len(members), set.skipped[0])
	}
}

var errNotASet = errors.New("not a JWK set: no JSON object with an array keys")

// splitMembers returns the members of the array keys, each as it stands. A
// member may itself be broken; it is judged alone, which is why duplicate
// names are looked for here only at the top. jwk.Parse would fail the whole
// set for one kty that it does not know.
func splitMembers(data []byte) ([]jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != jsontext.KindBeginObject {
		return nil, errNotASet
	}
	var members []jsontext.Value
	found := false
	if _, err := d.ReadToken(); err != nil {
		return nil, errNotASet
	}
	for d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil {
			return nil, errNotASet
		}
		if name.String() != "keys" {
			if err := d.SkipValue(); err != nil {
				return nil, errNotASet
			}
			continue
		}
		if found {
			return nil, errors.New("not a JWK set: keys occurs twice")
		}
		found = true
		if members, err = elements(d); err != nil {
			return nil, err
		}
	}
	if _, err := d.ReadToken(); err != nil || !found {
		return nil, errNotASet
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errors.New("not a JWK set: something follows the JSON object")
	}
	return members, nil
}

func elements(d *jsontext.Decoder) ([]jsontext.Value, error) {
	if d.PeekKind() != jsontext.KindBeginArray {
		return nil, errNotASet
	}
	var out []jsontext.Value
	if _, err := d.ReadToken(); err != nil {
		return nil, errNotASet
	}
	for {
		switch d.PeekKind() {
		case jsontext.KindInvalid:
			return nil, errNotASet
		case jsontext.KindEndArray:
			_, err := d.ReadToken()
			return out, err
		}
		v, err := d.ReadValue()
		if err != nil {
			return nil, errNotASet
		}
		out = append(out, v.Clone())
	}
}
