package revocation

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind says what an entry of the table revokes.
type Kind string

// The kinds of entries.
const (
	KindToken      Kind = "token"       // one token, by jti or by the hash of its signing input
	KindSession    Kind = "session"     // all tokens of a session (sid)
	KindSubject    Kind = "subject"     // all tokens of a subject (sub)
	KindClient     Kind = "client"      // all tokens of a client
	KindKey        Kind = "key"         // all tokens signed with a key (kid)
	KindIssuer     Kind = "issuer"      // all tokens of an issuer
	KindAPIKey     Kind = "api_key"     // one API key, by id
	KindSigningKey Kind = "signing_key" // one key that signs requests, by keyid
)

// KindNetwork marks a network list. It lives in the same table and revokes
// nothing: checks never read it and Store never writes it.
const KindNetwork Kind = "network"

// Kinds lists the kinds that revoke, the most specific first. It is the order
// in which a check names what it found.
func Kinds() []Kind {
	return []Kind{KindToken, KindSession, KindSubject, KindClient, KindKey, KindIssuer, KindAPIKey, KindSigningKey}
}

// ofIssuer tells the kinds whose entries belong to an issuer.
func (k Kind) ofIssuer() bool {
	switch k {
	case KindToken, KindSession, KindSubject, KindClient, KindKey, KindIssuer:
		return true
	}
	return false
}

// Dated tells the kinds that can be limited to tokens issued before a moment.
// One token or one API key has no other age than its own.
func (k Kind) Dated() bool {
	switch k {
	case KindSession, KindSubject, KindClient, KindKey, KindIssuer:
		return true
	}
	return false
}

// Key names one entry of the table.
type Key struct {
	Kind Kind
	// Issuer is the configured issuer, never an alias. Empty for API keys,
	// signing keys and networks.
	Issuer string
	// Value is what is revoked of the issuer: jti, sub, sid, client id, kid;
	// or the id of an API key or signing key. Empty for a whole issuer. A
	// token without jti is TokenValue of its signing input's hash.
	Value string
}

const (
	// maxComponent is the longest last component that is written as it is.
	maxComponent = 512
	// maxPK is DynamoDB's limit of a partition key:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	maxPK = 2048

	hashed = "sha256:"
)

// TokenValue is the Value of a token without jti, from the lower-case hex
// SHA-256 of its signing input. It is not the hash of the whole token: an
// ECDSA signature can be changed into another valid one.
func TokenValue(signingInputSHA256 string) string { return hashed + signingInputSHA256 }

// last is the last component of the partition key.
func (k Key) last() string {
	value := k.Value
	if k.Kind == KindIssuer {
		value = k.Issuer
	}
	if len(value) <= maxComponent {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return hashed + hex.EncodeToString(sum[:])
}

// PK is the partition key of the entry. Its error says what is wrong with the
// key and quotes none of it.
func (k Key) PK() (string, error) {
	if err := k.check(); err != nil {
		return "", err
	}
	pk := string(k.Kind) + "#" + k.last()
	if k.Kind.ofIssuer() && k.Kind != KindIssuer {
		pk = string(k.Kind) + "#" + k.Issuer + "#" + k.last()
	}
	if len(pk) > maxPK {
		return "", fmt.Errorf("the issuer is too long: the key has %d bytes, a table's key at most %d", len(pk), maxPK)
	}
	return pk, nil
}

func (k Key) check() error {
	switch k.Kind {
	case KindToken, KindSession, KindSubject, KindClient, KindKey, KindIssuer, KindAPIKey, KindSigningKey, KindNetwork:
	default:
		return errors.New("unknown kind of entry")
	}
	switch {
	case k.Kind.ofIssuer() && k.Issuer == "":
		return fmt.Errorf("%s: no issuer", k.Kind)
	case !k.Kind.ofIssuer() && k.Issuer != "":
		return fmt.Errorf("%s: an issuer does not belong here", k.Kind)
	case k.Kind == KindIssuer && k.Value != "":
		return fmt.Errorf("%s: a value does not belong here", k.Kind)
	case k.Kind != KindIssuer && k.Value == "":
		return fmt.Errorf("%s: no value", k.Kind)
	case strings.Contains(k.Issuer, "#"):
		return fmt.Errorf("%s: the issuer holds a #", k.Kind)
	case !utf8.ValidString(k.Issuer) || !utf8.ValidString(k.Value):
		// The SDK would replace the bytes, and two keys become one.
		return fmt.Errorf("%s: not UTF-8", k.Kind)
	}
	return nil
}

// ParsePK is the reverse of PK. A last component that was hashed stays hashed,
// and its PK is the same again. It is not ok for what PK never returns.
func ParsePK(pk string) (Key, bool) {
	kind, rest, _ := strings.Cut(pk, "#")
	k := Key{Kind: Kind(kind), Value: rest}
	switch {
	case k.Kind == KindIssuer:
		k.Issuer, k.Value = rest, ""
	case k.Kind.ofIssuer():
		k.Issuer, k.Value, _ = strings.Cut(rest, "#")
	}
	back, err := k.PK()
	return k, err == nil && back == pk
}

// clone frees k from the memory of the token it was cut from: a cache of short
// strings must not hold on to the tokens.
func (k Key) clone() Key {
	return Key{Kind: k.Kind, Issuer: strings.Clone(k.Issuer), Value: strings.Clone(k.Value)}
}
