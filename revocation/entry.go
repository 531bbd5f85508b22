package revocation

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Entry is one revocation: what, since when, by whom and why. No part of it is
// ever a token or a key.
type Entry struct {
	Kind   Kind   `json:"kind"`
	Issuer string `json:"issuer,omitempty"`
	// Value is the last component of PK, so the hash of one over 512 bytes.
	// Writing takes either.
	Value string `json:"value,omitempty"`
	// Reason and RevokedBy are free text, up to 1,024 bytes each.
	Reason    string `json:"reason,omitempty"`
	RevokedBy string `json:"revoked_by,omitempty"`
	// RevokedAt is when the entry was written; Store.Put sets it where it is
	// zero.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	// NotBefore limits the entry to tokens issued before it, and those without
	// iat; zero is no limit. Only a Kind that is Dated has it. It is written
	// in whole seconds, rounded up.
	NotBefore time.Time `json:"not_before,omitzero"`
	// ExpiresAt is when the entry ends; zero is never. It is written in whole
	// seconds, rounded up.
	ExpiresAt time.Time `json:"expires_at,omitzero"`

	// PK is the partition key. Unlisted tells that the entry was written by
	// hand without what kind-index needs: it revokes, and List does not show
	// it. Reading sets both, writing ignores them.
	PK       string `json:"pk"`
	Unlisted bool   `json:"unlisted,omitempty"`
}

// Key is the entry's key.
func (e Entry) Key() Key { return Key{Kind: e.Kind, Issuer: e.Issuer, Value: e.Value} }

// InForce is false for an entry that has expired and is still in the table.
func (e Entry) InForce(now time.Time) bool { return (&limits{expires: e.ExpiresAt}).inForce(now) }

// ErrExpired is the error for an entry that would end before it begins: the
// token has expired, and nothing needs to be revoked.
var ErrExpired = errors.New("expired already: there is nothing left to revoke")

// InvalidError tells that an entry cannot be written because of what it says,
// not because of the table. Its text quotes nothing of the entry.
type InvalidError struct{ Err error }

func (e *InvalidError) Error() string { return e.Err.Error() }
func (e *InvalidError) Unwrap() error { return e.Err }

// maxText bounds reason and revoked_by, in bytes.
const maxText = 1024

// Check tells why e cannot be written at that time: ErrExpired, or what is
// wrong with it. Its text quotes nothing of the entry.
func (e Entry) Check(now time.Time) error {
	if e.Kind == KindNetwork {
		return errors.New("a network list is not a revocation")
	}
	if _, err := e.Key().PK(); err != nil {
		return err
	}
	if err := e.checkSecrets(); err != nil {
		return err
	}
	// The ids that exist (package apikey, package httpsig): any other revokes
	// nothing and looks as if it did.
	if e.Kind == KindAPIKey && !apiKeyID.MatchString(e.Value) {
		return errors.New("api_key: the id of an API key is 1 to 32 of a-z and 0-9, what stands between ak_ and the next _")
	}
	if e.Kind == KindSigningKey && !signingKeyID.MatchString(e.Value) {
		return errors.New("signing_key: the id of a signing key is 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen")
	}
	for _, a := range [...]attribute{{"reason", e.Reason}, {"revoked_by", e.RevokedBy}} {
		if len(a.text) > maxText || !utf8.ValidString(a.text) || strings.ContainsFunc(a.text, unicode.IsControl) {
			return fmt.Errorf("%s: at most %d bytes of UTF-8 without control characters", a.name, maxText)
		}
	}
	if !e.NotBefore.IsZero() && !e.Kind.Dated() {
		return fmt.Errorf("%s: not_before does not apply to one credential", e.Kind)
	}
	if !e.InForce(now) {
		return ErrExpired
	}
	return nil
}

var (
	apiKeyID     = regexp.MustCompile(`^[a-z0-9]{1,32}$`)
	signingKeyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

	compactJWS = regexp.MustCompile(`([A-Za-z0-9_-]{10,})\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*`)
	apiKey     = regexp.MustCompile(`ak_[a-z0-9]{1,32}_[0-9A-Za-z]{43}`)
)

// checkSecrets refuses what somebody pasted in the wrong place: the table must
// not hold anything that opens a door.
func (e Entry) checkSecrets() error {
	for _, a := range [...]attribute{
		{"issuer", e.Issuer}, {"value", e.Value}, {"reason", e.Reason}, {"revoked_by", e.RevokedBy},
	} {
		if apiKey.MatchString(a.text) {
			return fmt.Errorf("%s: holds a whole API key; only its id may be written down", a.name)
		}
		for _, m := range compactJWS.FindAllStringSubmatch(a.text, -1) {
			var header map[string]any
			if raw, err := base64.RawURLEncoding.DecodeString(m[1]); err == nil && json.Unmarshal(raw, &header) == nil {
				return fmt.Errorf("%s: holds a whole token; only its issuer and id may be written down", a.name)
			}
		}
	}
	return nil
}

type attribute struct{ name, text string }

// item is e for the table, over what old holds besides.
func (e Entry) item(old map[string]types.AttributeValue) (map[string]types.AttributeValue, error) {
	k := e.Key()
	pk, err := k.PK()
	if err != nil {
		return nil, err
	}
	item := maps.Clone(old)
	if item == nil {
		item = make(map[string]types.AttributeValue)
	}
	for name, value := range map[string]string{
		"pk": pk, "kind": string(e.Kind), "value": k.last(), "issuer": e.Issuer,
		"reason": e.Reason, "revoked_by": e.RevokedBy,
	} {
		if delete(item, name); value != "" {
			item[name] = &types.AttributeValueMemberS{Value: value}
		}
	}
	for name, at := range map[string]time.Time{
		"revoked_at": e.RevokedAt, "not_before": e.NotBefore, "expires_at": e.ExpiresAt,
	} {
		if delete(item, name); !at.IsZero() {
			item[name] = number(ceil(at))
		}
	}
	return item, nil
}

// entryOf reads an item. The partition key says what it revokes, whatever the
// attributes beside it say, because checks look at nothing else.
func entryOf(item map[string]types.AttributeValue) Entry {
	var e Entry
	e.PK, _ = text(item["pk"])
	if k, ok := ParsePK(e.PK); ok {
		e.Kind, e.Issuer, e.Value = k.Kind, k.Issuer, k.Value
	}
	e.Reason, _ = text(item["reason"])
	e.RevokedBy, _ = text(item["revoked_by"])
	l := decode(item)
	e.NotBefore, e.ExpiresAt = l.notBefore, l.expires
	if !e.Kind.Dated() {
		e.NotBefore = time.Time{} // checks ignore it there
	}
	var listed bool
	e.RevokedAt, listed = seconds(item["revoked_at"])
	kind, ok := text(item["kind"])
	e.Unlisted = !listed || !ok || kind != string(e.Kind)
	return e
}
