// Package jwks verifies JSON Web Tokens against their issuers' key sets.
//
// A token is a compact JWS (RFC 7515) whose claims name one configured
// issuer; it is checked against that issuer's keys and rules alone (RFC 7519,
// RFC 8725, RFC 9068). Key sets come over HTTPS or from a file and are
// refreshed by the requests that need them. Parsing and checks are this
// package's own and strict; of lestrrat-go/jwx it uses the parser of a single
// JWK and the signature primitives. Nothing else may import jwx.
//
// The package knows nothing of revocation, routes or where in a request a
// token stands. Errors carry a reason.Code and never any part of a signature;
// what they quote of an unverified token is bounded.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"lambda-authorizer/problem"
)

const (
	defaultCacheSize = 4096
	// headerCacheSize is plenty: an issuer has a header per key.
	headerCacheSize = 128
)

// Options are what a Verifier needs beside its issuers. The zero value works.
type Options struct {
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Client fetches key sets with its Transport and Timeout; redirects are
	// the package's own business, cookies are not kept, and idle connections
	// are closed after each fetch. Default: a client of the package's own.
	Client *http.Client
	// Dir is where a relative jwks_file is looked up. Default: the working
	// directory.
	Dir string
	// Shared gives the keys in an hmac_secret. Required where an issuer has one.
	Shared func(secret string) SharedKeys
	// CacheSize bounds the verified tokens that are remembered. Default 4096;
	// negative: none.
	CacheSize int
	// OnRefresh is told of every fetch of a key set before anyone who waits
	// for it goes on, and by New of every jwks_file. It must be quick, safe
	// for concurrent use, and must not call the Verifier.
	OnRefresh func(RefreshEvent)
}

// RefreshEvent is one finished attempt to read an issuer's key set.
type RefreshEvent struct {
	// Issuer is the issuer's name.
	Issuer string
	// Cause is prefetch, first, expired, unknown_key, or file.
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
	// MaxAge is how long the set counts as fresh. Zero: for ever.
	MaxAge time.Duration
}

// tell takes in what set holds.
func (e *RefreshEvent) tell(set *keySet) {
	e.Keys, e.Skipped, e.SkippedCount = set.size, set.skipped, set.skippedCount
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
type Verifier struct {
	now      func() time.Time
	issuers  map[string]*issuer // by iss, aliases included
	remotes  []*remote
	verified *lru.Cache[tokenID, *verified] // nil: none are remembered
	headers  *lru.Cache[string, header]     // of verified tokens alone
}

// issuer is one configured issuer, ready for use.
type issuer struct {
	name, url      string
	source         source
	shared         *shared // instead of source
	algorithms     []string
	types          []string // normalised; "" stands for no typ
	audiences      []string
	clientIDs      []string
	tokenUse       string
	leeway, maxAge time.Duration
	principalClaim string
	scopeClaims    []string
}

// New builds a Verifier. It fills in defaults, refuses what ValidateIssuers
// reports, reads static key sets and reaches no network.
func New(issuers []Issuer, o Options) (*Verifier, error) {
	list := make([]Issuer, len(issuers))
	for n, i := range issuers {
		i.SetDefaults()
		list[n] = i
	}
	if err := refuse(ValidateIssuers(list)); err != nil {
		return nil, err
	}
	v := &Verifier{now: wallClock(o.Now), issuers: map[string]*issuer{}}
	for n, i := range list {
		built, err := v.build(i, o)
		if err != nil {
			return nil, fmt.Errorf("issuers[%d].%w", n, err)
		}
		for _, iss := range append([]string{i.Issuer}, i.Aliases...) {
			v.issuers[iss] = built
		}
	}
	if err := v.makeCaches(o.CacheSize); err != nil {
		return nil, err
	}
	return v, nil
}

// wallClock strips the monotonic reading: Lambda freezes the process, and a
// clock that stops meanwhile would make everything younger than it is.
func wallClock(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().Round(0) }
}

func refuse(problems []problem.Problem) error {
	var errs []error
	for _, p := range problem.Under("issuers", problems) {
		errs = append(errs, fmt.Errorf("%s: %s", p.Path, p.Text))
	}
	return errors.Join(errs...)
}

func (v *Verifier) build(i Issuer, o Options) (*issuer, error) {
	built := &issuer{
		name: i.Name, url: i.Issuer, algorithms: i.Algorithms,
		audiences: i.Audiences, clientIDs: i.ClientIDs, tokenUse: i.TokenUse,
		leeway: *i.Leeway, maxAge: i.MaxTokenAge,
		principalClaim: i.PrincipalClaim, scopeClaims: i.ScopeClaims,
	}
	for _, t := range i.TokenTypes {
		built.types = append(built.types, mediaType(t))
	}
	switch {
	case i.HMACSecret != "":
		keys, err := newShared(i, o)
		if err != nil {
			return nil, err
		}
		built.shared = keys
	case i.JWKSFile != "":
		file, err := readStatic(o.Dir, i.JWKSFile)
		if err != nil {
			return nil, fmt.Errorf("jwks_file: %w", err)
		}
		built.source = file
		if o.OnRefresh != nil {
			e := RefreshEvent{Issuer: i.Name, Cause: causeFile, Started: v.now()}
			e.tell(file.set)
			o.OnRefresh(e)
		}
	default:
		r := &remote{issuer: i.Name, now: v.now, fetch: newFetcher(o.Client, i, v.now).fetch, report: o.OnRefresh}
		built.source = r
		v.remotes = append(v.remotes, r)
	}
	return built, nil
}

func (v *Verifier) makeCaches(size int) (err error) {
	if size == 0 {
		size = defaultCacheSize
	}
	if size > 0 {
		if v.verified, err = lru.New[tokenID, *verified](size); err != nil {
			return err
		}
	}
	v.headers, err = lru.New[string, header](headerCacheSize)
	return err
}

// Prefetch fetches every remote key set, all at once, and returns when the
// last one is there, has failed, or ctx is done. It is for init: what failed
// is told through OnRefresh, and the requests that need it will see to it.
func (v *Verifier) Prefetch(ctx context.Context) {
	var all sync.WaitGroup
	for _, r := range v.remotes {
		all.Go(func() { r.prefetch(ctx) })
	}
	all.Wait()
}
