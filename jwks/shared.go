package jwks

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"lambda-authorizer/reason"
)

// SharedKey is a key and its name in the secret.
type SharedKey = struct {
	ID     string
	Secret []byte
}

// SharedKeys are the HS256 keys that an issuer shares with us.
type SharedKeys interface {
	// Keys returns the keys that a token with this kid may have been signed
	// with; an empty kid is a token's that has none. None is no error. An
	// error is a fault.
	Keys(ctx context.Context, kid string) ([]SharedKey, error)
	// Renew reads the keys anew, within bounds, for a token that none fits.
	// An error, a fault, says that nothing follows from that.
	Renew(ctx context.Context) error
}

// shared makes an issuer's keys of a secret's.
type shared struct {
	issuer string // its name
	keys   SharedKeys
}

func newShared(i Issuer, o Options) (*shared, error) {
	if o.Shared == nil {
		return nil, errors.New("hmac_secret: nothing here reads secrets")
	}
	return &shared{issuer: i.Name, keys: o.Shared(i.HMACSecret)}, nil
}

// candidates are the keys that q may mean: during a rotation, that of each
// version of the secret. A token without kid is known by its key's name, else
// whoever has stolen a key that is revoked would leave the kid out.
func (s *shared) candidates(ctx context.Context, q query) ([]*key, error) {
	shared, err := s.keys.Keys(ctx, q.kid)
	if err != nil {
		return nil, err
	}
	out := make([]*key, len(shared))
	for n, k := range shared {
		out[n] = &key{kid: k.ID, algorithms: []string{"HS256"}, raw: k.Secret, id: sharedID(k.ID, k.Secret)}
	}
	return out, nil
}

// sharedID begins with a word that no public key's does.
func sharedID(kid string, secret []byte) keyID {
	h := sha256.New()
	fmt.Fprintf(h, "shared %q", kid)
	h.Write(secret)
	return keyID(h.Sum(nil))
}

// thatSigned returns the key that made the signature. Where none did, the
// secret is read anew: a key that was rotated in a moment ago is found.
func (s *shared) thatSigned(ctx context.Context, q query, c *compact) (*key, error) {
	k, _, err := s.find(ctx, q, c)
	if k != nil || err != nil {
		return k, err
	}
	if err := s.keys.Renew(ctx); err != nil {
		return nil, err
	}
	k, tried, err := s.find(ctx, q, c)
	switch {
	case k != nil || err != nil:
		return k, err
	case tried == 0:
		return nil, fmt.Errorf("%w: issuer %s has no HS256 key %s", reason.KeyUnknown, s.issuer, clip(q.kid))
	}
	return nil, fmt.Errorf("%w: not made by a key of issuer %s", reason.SignatureInvalid, s.issuer)
}

func (s *shared) find(ctx context.Context, q query, c *compact) (found *key, tried int, err error) {
	all, err := s.candidates(ctx, q)
	for _, k := range all {
		if k.verify(q.alg, c.input, c.signature) {
			return k, len(all), nil
		}
	}
	return nil, len(all), err
}

// holds reports whether a key still counts.
func (s *shared) holds(ctx context.Context, q query, id keyID) (bool, error) {
	all, err := s.candidates(ctx, q)
	for _, k := range all {
		if k.id == id {
			return true, nil
		}
	}
	return false, err
}
