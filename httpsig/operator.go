package httpsig

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

// Operator creates and changes signing keys. Two operators at once never undo
// each other's work. It is safe for concurrent use.
type Operator struct {
	// Documents is required.
	Documents keydoc.Documents
	// Rules hold for new keys. The zero value asks nothing.
	Rules Rules
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o *Operator) keys() *keydoc.Operator[*Key] {
	return &keydoc.Operator[*Key]{
		Kind: o.Rules.kind(), Blank: func() keydoc.Keeper { return new(record) }, Documents: o.Documents, Now: o.Now,
	}
}

// Grant is what a new key is given.
type Grant struct {
	// ID is 1 to 64 of A-Z, a-z, 0-9 and . _ -. Default: a random one.
	ID string
	// Principal is required.
	Principal        string
	Scopes, Networks []string
	// ExpiresAt is kept to the second; zero is no bound.
	ExpiresAt time.Time
	Context   map[string]any
}

// Created is a new key. Text is its secret in base64, for the client.
type Created struct {
	ID   string
	Text string
}

// Create adds a key to a secret. Others are the other secrets of the same
// configuration, where the id must not be in use either. Its errors are those
// of keydoc.Operator.
func (o *Operator) Create(ctx context.Context, secret string, g Grant, others ...string) (Created, error) {
	if g.ID == "" {
		g.ID = strings.ToLower(rand.Text()[:newIDLength])
	}
	r := &record{
		Secret: newSecret(),
		Terms:  keydoc.Terms{Principal: g.Principal, Scopes: g.Scopes, Networks: g.Networks, ExpiresAt: keydoc.TimeText(g.ExpiresAt)},
	}
	var err error
	if r.Context, err = keydoc.ContextText(g.Context); err != nil {
		return Created{}, &keydoc.InvalidError{Err: err}
	}
	if err := o.keys().Create(ctx, secret, g.ID, r, others...); err != nil {
		return Created{}, err
	}
	return Created{ID: g.ID, Text: r.Secret}, nil
}

// newIDLength gives 60 bits in base 32, so that two ids never meet.
const newIDLength = 12

// newSecret makes one as long as the hash, which is all that HMAC gains from
// (RFC 2104 section 3).
func newSecret() string {
	var b [keydoc.MinSecret]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// Rotate gives a key a new secret and accepts the old one for grace.
func (o *Operator) Rotate(ctx context.Context, secret, id string, grace time.Duration) (keydoc.Rotated, error) {
	text := newSecret()
	out, err := o.keys().Rotate(ctx, secret, id, text, grace)
	if err != nil {
		return keydoc.Rotated{}, err
	}
	out.Text = text
	return out, nil
}

// Disable refuses a key from now on: as soon as its secret is read anew. To
// refuse it at once, revoke it.
func (o *Operator) Disable(ctx context.Context, secret, id string) error {
	return o.keys().Disable(ctx, secret, id)
}

// Enable accepts a key that was disabled.
func (o *Operator) Enable(ctx context.Context, secret, id string) error {
	return o.keys().Enable(ctx, secret, id)
}

// Listed is a key as its secret has it.
type Listed struct{ keydoc.Listed[*Key] }

// State is why the key is refused at a time, and empty where it is not.
func (l Listed) State(now time.Time) reason.Code {
	if l.Problem != nil {
		return reason.SigningKeyUnknown
	}
	if err := l.Record.check(now); err != nil {
		return reason.Of(err)
	}
	return ""
}

// List returns the keys of a secret, sorted by id.
func (o *Operator) List(ctx context.Context, secret string) ([]Listed, error) {
	all, err := o.keys().List(ctx, secret)
	if err != nil {
		return nil, err
	}
	out := make([]Listed, len(all))
	for n, l := range all {
		out[n] = Listed{l}
	}
	return out, nil
}

// Signer makes a Signer of the key that a secret holds.
func (o *Operator) Signer(ctx context.Context, secret, id string) (*Signer, error) {
	if !ValidID(id) {
		return nil, &keydoc.InvalidError{Err: errNoID}
	}
	records, err := o.Documents.Records(ctx, secret)
	if err != nil {
		return nil, err
	}
	if records[id] == nil {
		return nil, fmt.Errorf("signing key %s in secret %s: %w", id, secret, keydoc.ErrUnknown)
	}
	key, err := o.Rules.key(id, records[id])
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w: %w", id, keydoc.ErrUnreadable, err)
	}
	return &Signer{id: id, secret: func() []byte { return key.secrets().current }, check: key.check}, nil
}

// State is why the record of the key has it refused at a time, and empty where
// it does not. Only a Signer of [Operator.Signer] has seen a record.
func (s *Signer) State(now time.Time) reason.Code {
	if s.check == nil {
		return ""
	}
	if err := s.check(now); err != nil {
		return reason.Of(err)
	}
	return ""
}

// Kept makes a record a keydoc.Keeper, as do the next two methods and those of
// keydoc.Terms.
func (in *record) Kept() string { return in.Secret }

// Until is when the replaced secret ends.
func (in *record) Until() *string {
	if in.Previous == nil {
		return nil
	}
	return &in.Previous.Until
}

// Replace keeps another secret.
func (in *record) Replace(kept string, until *string) {
	old := in.Secret
	in.Secret, in.Previous = kept, nil
	if until != nil {
		in.Previous = &replaced{Secret: old, Until: *until}
	}
}
