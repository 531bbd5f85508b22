package httpsig

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

// maxAhead is how far a client's clock may be ahead of ours.
const maxAhead = 30 * time.Second

// Keys finds a signing key. An id that nobody has is (nil, nil); an error is a
// fault and carries its reason.Code.
type Keys interface {
	Key(ctx context.Context, id string) (*Key, error)
}

// ErrMAC is the SignatureInvalid of a request that is in order, made with
// another secret than the key has: it may have been rotated since it was read.
var ErrMAC = fmt.Errorf("%w: the MAC differs", reason.SignatureInvalid)

// Options are what a Verifier needs besides its configuration.
type Options struct {
	// Keys finds signing keys. Required.
	Keys Keys
	// Nonces remembers nonces. Required unless replay is allow.
	Nonces Nonces
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Verifier verifies signatures. It is immutable and safe for concurrent use.
type Verifier struct {
	keys        Keys
	nonces      Nonces
	now         func() time.Time
	required    []string
	authorities []string
	maxAge      time.Duration
	replay      bool
	// nobody stands in for the key of an unknown id and for a previous secret
	// that is not there, so that neither can be told by the time it takes.
	nobody []byte
}

// Signature is a verified signature.
type Signature struct {
	// Key is the record it was made with. It is shared: read-only.
	Key *Key
	// Until is when this credential ends: the record's Expires, or the end of
	// a replaced secret's grace if that is sooner. Zero is never.
	Until time.Time
	// Label and Tag are the client's own words.
	Label, Tag string
	Created    time.Time
	// Expires is the signer's own limit; zero where it set none.
	Expires time.Time
	// Digest is the declared Content-Digest that the signature covers, with
	// sha-256 and sha-512 alone; empty where it covers none. Nobody has
	// compared it with a body yet.
	Digest string

	nonce string
}

// New makes a Verifier. A configuration that was not validated is held to the
// least all the same.
func New(c Config, o Options) (*Verifier, error) {
	c.SetDefaults()
	v := &Verifier{
		keys: o.Keys, nonces: o.Nonces, now: o.Now,
		required:    slices.Compact(slices.Sorted(slices.Values(slices.Concat(leastComponents, c.Components)))),
		authorities: slices.Clone(c.Authorities),
		maxAge:      c.MaxAge,
		replay:      c.Replay == "allow",
		nobody:      make([]byte, keydoc.MinSecret),
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.keys == nil {
		return nil, errors.New("httpsig: no keys to verify with")
	}
	if v.nonces == nil && !v.replay {
		return nil, errors.New("httpsig: replay is denied, and there is no table of nonces")
	}
	if _, err := rand.Read(v.nobody); err != nil {
		return nil, err
	}
	return v, nil
}

// Verify checks the signature of m: its form, what it covers, its time, its
// key, the MAC. Its error carries a reason.Code. [Verifier.Spend] must follow,
// as the last check of the request.
func (v *Verifier) Verify(ctx context.Context, m *Message) (*Signature, error) {
	p, err := parse(m.Header)
	if err != nil {
		return nil, err
	}
	view, err := newView(m)
	if err != nil {
		return nil, deny(reason.SignatureInvalid, "%v", err)
	}
	if err := v.complete(p, view); err != nil {
		return nil, err
	}
	digest, err := p.signedDigest(m)
	if err != nil {
		return nil, err
	}
	now := v.now()
	if err := v.timely(p, now); err != nil {
		return nil, err
	}
	bases, err := v.bases(p, view, m.Authority)
	if err != nil {
		return nil, err
	}
	key, until, err := v.key(ctx, p, bases, now)
	if err != nil {
		return nil, err
	}
	return &Signature{
		Key: key, Until: until, Label: p.label, Tag: p.tag, Created: p.created, Expires: p.expires,
		Digest: digest, nonce: p.nonce,
	}, nil
}

// complete checks that the signature says and covers what it must.
func (v *Verifier) complete(p *presented, view *view) error {
	switch {
	case p.keyID == "":
		return deny(reason.SignatureIncomplete, "keyid is missing")
	case !p.hasCreated:
		return deny(reason.SignatureIncomplete, "created is missing")
	case p.nonce == "" && !v.replay:
		return reason.NonceMissing
	}
	for _, name := range v.required {
		if p.covers(name) || name == "@query" && p.coversEveryParameter(view) {
			continue
		}
		return deny(reason.SignatureIncomplete, "%s is not covered", name)
	}
	return nil
}

// coversEveryParameter tells whether @query-param components replace @query.
// They cannot say that there is no parameter, nor cover one that occurs twice.
func (p *presented) coversEveryParameter(view *view) bool {
	covered := map[string]bool{}
	for _, c := range p.components {
		if c.name == "@query-param" {
			covered[c.param] = true
		}
	}
	for _, q := range view.query {
		if !covered[q.name] {
			return false
		}
		delete(covered, q.name)
	}
	return len(view.query) > 0
}

// timely checks created and expires. Both are whole seconds.
func (v *Verifier) timely(p *presented, now time.Time) error {
	switch {
	case now.Sub(p.created) > v.maxAge:
		return deny(reason.SignatureExpired, "created is more than %v ago", v.maxAge)
	case p.created.Sub(now) > maxAhead:
		return deny(reason.SignatureExpired, "created is more than %v ahead: compare the clocks", maxAhead)
	case p.hasExp && !now.Before(p.expires):
		return deny(reason.SignatureExpired, "expires has passed")
	}
	return nil
}

// bases are the signature bases to try, one for each authority that the
// client may have meant. That is the request's own where it is accepted. It is
// not behind a CDN that sends another Host: then it is any of those that the
// configuration accepts.
func (v *Verifier) bases(p *presented, view *view, host string) ([]string, error) {
	own := canonicalAuthority(host)
	authorities := []string{own}
	if len(v.authorities) > 0 && !slices.Contains(v.authorities, own) {
		authorities = v.authorities
	}
	bases := make([]string, len(authorities))
	for i, authority := range authorities {
		var err error
		if bases[i], err = signatureBase(view, p.components, p.input, authority); err != nil {
			return nil, deny(reason.SignatureInvalid, "%v", err)
		}
	}
	return bases, nil
}

// key finds the key, checks the MAC with it, and tells until when the secret
// that fits counts. Only who has the secret learns that a key is disabled or
// has expired.
func (v *Verifier) key(ctx context.Context, p *presented, bases []string, now time.Time) (*Key, time.Time, error) {
	var key *Key
	if ValidID(p.keyID) {
		var err error
		if key, err = v.keys.Key(ctx, p.keyID); err != nil {
			return nil, time.Time{}, err
		}
	}
	current, previous := v.authentic(key, p.mac, bases, now)
	switch {
	case key == nil:
		return nil, time.Time{}, deny(reason.SigningKeyUnknown, "no key has the keyid %s", unquoted(p.keyID))
	case !current && !previous:
		return nil, time.Time{}, fmt.Errorf("%w, key %s", ErrMAC, key.ID)
	}
	if err := key.check(now); err != nil {
		return nil, time.Time{}, err
	}
	until := key.Expires
	if grace := key.secrets().until; !current && (until.IsZero() || grace.Before(until)) {
		until = grace
	}
	return key, until, nil
}

// unquoted stands for a keyid that is no key's. A client may have taken its
// secret for its id, in the form of an id too, and the log must not tell it. A
// prefix of its SHA-256 still tells one client from another.
func unquoted(keyID string) string {
	sum := sha256.Sum256([]byte(keyID))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// authentic tells which secret the MAC was made with: the current one, or the
// previous one while it counts. Every secret and base is tried, with or without
// a key; without one it answers nothing.
func (v *Verifier) authentic(key *Key, sent []byte, bases []string, now time.Time) (current, previous bool) {
	with := [2][]byte{v.nobody, v.nobody}
	if key != nil {
		s := key.secrets()
		with[0] = s.current
		if now.Before(s.until) {
			with[1] = s.previous
		}
	}
	var found [2]bool
	for n, secret := range with {
		for _, base := range bases {
			found[n] = hmac.Equal(mac(secret, base), sent) || found[n]
		}
	}
	return found[0], found[1]
}

// deny makes a refusal. Its text reaches the log: it must hold nothing of a
// query, a header value or a signature.
func deny(code reason.Code, format string, args ...any) error {
	return fmt.Errorf("%w: %s", code, fmt.Sprintf(format, args...))
}
