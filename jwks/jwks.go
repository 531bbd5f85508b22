// Package jwks verifies JSON Web Tokens against their issuers' key sets.
// It does not know about revocation or routes.
package jwks

import (
	"context"
	"net/http"
	"time"

	"lambda-authorizer/reason"
)

// Options are what a Verifier needs beside its issuers. The zero value works.
type Options struct {
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Client fetches key sets. Its redirect policy and cookie jar are
	// replaced. Default: a client of the package's own.
	Client *http.Client
	// Dir is where a relative jwks_file is looked up. Default: the working
	// directory.
	Dir string
	// CacheSize bounds the verified tokens that are remembered. Default 4096;
	// negative: none.
	CacheSize int
	// OnRefresh is told of every fetch of a key set before anyone who waits
	// for it goes on. It must be quick, safe for concurrent use, and must not
	// call the Verifier.
	OnRefresh func(RefreshEvent)
}

// RefreshEvent is one finished attempt to fetch an issuer's key set.
type RefreshEvent struct {
	// Issuer is the issuer's name.
	Issuer string
	// Cause is prefetch, first, expired or unknown_key.
	Cause string
	// Started is when the attempt began, Took how long it lasted.
	Started time.Time
	Took    time.Duration
	// Err is nil after success. It holds no secret.
	Err error
	// Keys counts the usable keys. Skipped says, member by member, why one of
	// the set is not used; at most 20 are told, SkippedCount counts them all.
	Keys         int
	Skipped      []string
	SkippedCount int
	// MaxAge is how long the set counts as fresh.
	MaxAge time.Duration
}

// Token is a verified token. It is shared between callers: read-only.
type Token struct {
	// Issuer is the issuer's name, IssuerURL the configured issuer, never an
	// alias.
	Issuer, IssuerURL string
	// Principal is the value of the principal claim.
	Principal string
	// Subject, ClientID, ID, SessionID are sub, the client, jti and sid;
	// empty where the token has none.
	Subject, ClientID, ID, SessionID string
	// KeyID is the kid of the key that verified the token; empty where the
	// key has none.
	KeyID string
	// SigningInputSHA256 is the lower-case hex SHA-256 of header.payload. It
	// names a token that has no jti; the whole token would not do, because an
	// ECDSA signature can be changed into another valid one.
	SigningInputSHA256 string
	// NotBefore is zero where the token has no nbf, IssuedAt where
	// HasIssuedAt is false.
	IssuedAt, NotBefore, Expires time.Time
	HasIssuedAt                  bool
	// Scopes are in the token's order. None is empty or holds a blank.
	Scopes []string
	// Claims are all claims: string, bool, nil, []any, map[string]any, and
	// numbers as float64, or as encoding/json.Number where a float64 cannot
	// tell one whole number from the next (beyond 2^53-1).
	Claims map[string]any
	// Cached says that the signature was not checked anew.
	Cached bool
	// Leeway is the issuer's clock skew.
	Leeway time.Duration
}

// Verifier verifies tokens of its issuers. It is safe for concurrent use.
type Verifier struct{}

// New builds a Verifier. It reads static key sets and reaches no network.
func New(issuers []Issuer, o Options) (*Verifier, error) {
	return &Verifier{}, nil
}

// Prefetch fetches every remote key set, all at once, and returns when the
// last one is there, has failed, or ctx is done.
func (v *Verifier) Prefetch(ctx context.Context) {}

// Verify returns the token that raw, a compact JWS, stands for, or a
// reason.Code error.
func (v *Verifier) Verify(ctx context.Context, raw, certThumbprint string) (*Token, error) {
	return nil, reason.Internal
}
