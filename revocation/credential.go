package revocation

import (
	"errors"
	"time"
)

// Credential is what a caller presented and somebody else has verified.
type Credential struct {
	// Kind is KindToken, KindAPIKey or KindSigningKey.
	Kind Kind
	// ID is the token's jti, empty where it has none, or the key's id.
	ID string

	// The rest is for tokens alone.

	// SigningInputSHA256 is the lower-case hex SHA-256 of the token's signing
	// input. It names a token that has no jti, and must be there for one.
	SigningInputSHA256 string
	// Issuer is the configured issuer, never an alias.
	Issuer string
	// Subject, Session, Client and KeyID are sub, sid, the client id and the
	// kid; empty where the token has none.
	Subject, Session, Client, KeyID string
	// IssuedAt is iat; zero where the token has none.
	IssuedAt time.Time
}

// Keys are the entries that would revoke c, the most specific first. Its error
// quotes nothing of c.
func (c Credential) Keys() ([]Key, error) { return c.appendKeys(nil) }

func (c *Credential) appendKeys(keys []Key) ([]Key, error) {
	switch c.Kind {
	case KindAPIKey, KindSigningKey:
		keys = append(keys, Key{Kind: c.Kind, Value: c.ID})
	case KindToken:
		id, err := c.tokenValue()
		if err != nil {
			return nil, err
		}
		keys = append(keys, Key{KindToken, c.Issuer, id})
		for _, k := range [...]Key{
			{KindSession, c.Issuer, c.Session},
			{KindSubject, c.Issuer, c.Subject},
			{KindClient, c.Issuer, c.Client},
			{KindKey, c.Issuer, c.KeyID},
		} {
			if k.Value != "" {
				keys = append(keys, k)
			}
		}
		keys = append(keys, Key{Kind: KindIssuer, Issuer: c.Issuer})
	default:
		return nil, errors.New("not a kind of credential")
	}
	for i, k := range keys {
		if err := k.check(); err != nil {
			return nil, err
		}
		// Equal entries have equal keys, and no key is longer than its entry's.
		if len(k.Value) > maxComponent {
			keys[i].Value = k.last()
		}
	}
	return keys, nil
}

func (c *Credential) tokenValue() (string, error) {
	if c.ID != "" {
		return c.ID, nil
	}
	if len(c.SigningInputSHA256) != 64 {
		return "", errors.New("token: neither an id nor the hash of its signing input")
	}
	for _, r := range c.SigningInputSHA256 {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return "", errors.New("token: the hash of its signing input is not lower-case hex")
		}
	}
	return TokenValue(c.SigningInputSHA256), nil
}
