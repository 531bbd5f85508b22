// Package issuer is a token issuer for development: it signs any token that it
// is asked for. Never let it be reached from outside.
//
// It serves discovery (OpenID Connect Discovery 1.0), its key set (RFC 7517)
// and tokens (JWT access tokens, RFC 9068) under one prefix.
package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"time"
)

// keptKeys is how many keys the set shows: the one that signs and the one
// before, so that its tokens still verify after a rotation.
const keptKeys = 2

// Issuer signs tokens. Safe for concurrent use.
type Issuer struct {
	// Now is the clock.
	Now func() time.Time

	url      string
	audience string

	mu   sync.Mutex
	keys []signingKey // newest first
}

type signingKey struct {
	id      string
	private *rsa.PrivateKey
}

// Request says what a token shall say. The zero Request is a token of subject
// "alice" for the issuer's own audience, good for an hour, without scopes.
type Request struct {
	Subject  string
	Scope    string // space separated
	Audience string
	// TTL may be negative: such a token has expired already. Zero: an hour.
	TTL time.Duration
	// IssuedAt defaults to now, or to an hour before the expiry of a token
	// that has expired already.
	IssuedAt time.Time
	// Claims are added and may replace any other.
	Claims map[string]any
}

// New makes an issuer whose `iss` is url and whose tokens are for audience
// unless asked otherwise.
func New(url, audience string) (*Issuer, error) {
	i := &Issuer{Now: time.Now, url: url, audience: audience}
	_, err := i.Rotate()
	return i, err
}

// URL is the issuer's identifier.
func (i *Issuer) URL() string { return i.url }

// Rotate makes a new signing key and returns its id. The key before stays in
// the set, older ones leave it.
func (i *Issuer) Rotate() (kid string, err error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", fmt.Errorf("signing key: %w", err)
	}
	key := signingKey{strings.ToLower(rand.Text()[:10]), private}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append([]signingKey{key}, i.keys...)
	i.keys = i.keys[:min(len(i.keys), keptKeys)]
	return key.id, nil
}

// Mint signs an access token.
func (i *Issuer) Mint(r Request) (string, error) {
	now := i.Now()
	if r.TTL == 0 {
		r.TTL = time.Hour
	}
	expires := now.Add(r.TTL)
	if r.IssuedAt.IsZero() {
		r.IssuedAt = now
		if !expires.After(now) {
			r.IssuedAt = expires.Add(-time.Hour)
		}
	}
	claims := map[string]any{
		"iss": i.url, "sub": or(r.Subject, "alice"), "aud": or(r.Audience, i.audience),
		"client_id": "local", "jti": rand.Text(),
		"iat": r.IssuedAt.Unix(), "exp": expires.Unix(),
	}
	if r.Scope != "" {
		claims["scope"] = r.Scope
	}
	maps.Copy(claims, r.Claims)
	return i.sign(claims)
}

func (i *Issuer) sign(claims map[string]any) (string, error) {
	i.mu.Lock()
	key := i.keys[0]
	i.mu.Unlock()
	header, err := json.Marshal(map[string]string{"typ": "at+jwt", "alg": "RS256", "kid": key.id})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	input := encode(header) + "." + encode(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.private, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return input + "." + encode(signature), nil
}

// keySet is the set of public keys.
func (i *Issuer) keySet() map[string]any {
	i.mu.Lock()
	defer i.mu.Unlock()
	var keys []map[string]string
	for _, key := range i.keys {
		public := key.private.PublicKey
		keys = append(keys, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.id,
			"n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	return map[string]any{"keys": keys}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
