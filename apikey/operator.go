package apikey

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

// Operator creates and changes keys. Two operators at once never undo each
// other's work. It is safe for concurrent use.
type Operator struct {
	// Documents is required.
	Documents keydoc.Documents
	// Rules hold for new keys. The zero value asks nothing.
	Rules Rules
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o *Operator) keys() *keydoc.Operator[*Record] {
	return &keydoc.Operator[*Record]{
		Kind: o.Rules.kind(), Blank: func() keydoc.Keeper { return new(record) }, Documents: o.Documents, Now: o.Now,
	}
}

// Grant is what a new key is given.
type Grant struct {
	// ID is 1 to 32 of a-z and 0-9. Default: a random one.
	ID string
	// Principal is required.
	Principal          string
	Scopes, Networks   []string
	UsageIdentifierKey string
	// NotBefore and ExpiresAt are kept to the second; zero is no bound.
	NotBefore, ExpiresAt time.Time
	Context              map[string]any
}

// Created is a new key. Text is what the client gets; nobody else keeps it.
type Created struct {
	ID   string
	Text string
}

// Create adds a key to a secret. Others are the other secrets of the same
// configuration, where the id must not be in use either. Its errors are those
// of keydoc.Operator.
func (o *Operator) Create(ctx context.Context, secret string, g Grant, others ...string) (Created, error) {
	if g.ID == "" {
		g.ID = NewID()
	}
	key, err := Generate(g.ID)
	if err != nil {
		return Created{}, &keydoc.InvalidError{Err: err}
	}
	r, err := g.record(key)
	if err != nil {
		return Created{}, &keydoc.InvalidError{Err: err}
	}
	if err := o.keys().Create(ctx, secret, g.ID, r, others...); err != nil {
		return Created{}, err
	}
	return Created{ID: g.ID, Text: key.Text}, nil
}

func (g Grant) record(key Generated) (*record, error) {
	if !g.ExpiresAt.IsZero() && !g.ExpiresAt.After(g.NotBefore) {
		return nil, errors.New("expires_at is not after not_before")
	}
	r := &record{
		SHA256:             hex.EncodeToString(key.sum[:]),
		Terms:              keydoc.Terms{Principal: g.Principal, Scopes: g.Scopes, Networks: g.Networks, ExpiresAt: keydoc.TimeText(g.ExpiresAt)},
		UsageIdentifierKey: g.UsageIdentifierKey, NotBefore: keydoc.TimeText(g.NotBefore),
	}
	var err error
	r.Context, err = keydoc.ContextText(g.Context)
	return r, err
}

// Rotate gives a key a new secret and accepts the old one for grace.
func (o *Operator) Rotate(ctx context.Context, secret, id string, grace time.Duration) (keydoc.Rotated, error) {
	key, err := Generate(id)
	if err != nil {
		return keydoc.Rotated{}, &keydoc.InvalidError{Err: err} // id may be a whole key
	}
	out, err := o.keys().Rotate(ctx, secret, id, hex.EncodeToString(key.sum[:]), grace)
	if err != nil {
		return keydoc.Rotated{}, err
	}
	out.Text = key.Text
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
type Listed struct{ keydoc.Listed[*Record] }

// State is why the key is refused at a time, and empty where it is not.
func (l Listed) State(now time.Time) reason.Code {
	if l.Problem != nil {
		return reason.APIKeyUnknown
	}
	if err := (Key{Record: l.Record, Until: l.Record.ExpiresAt}).check(now); err != nil {
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

// Kept makes a record a keydoc.Keeper, as do the next two methods and those of
// keydoc.Terms.
func (in *record) Kept() string { return in.SHA256 }

// Until is when the replaced secret ends.
func (in *record) Until() *string {
	if in.Previous == nil {
		return nil
	}
	return &in.Previous.Until
}

// Replace keeps the hash of another secret.
func (in *record) Replace(kept string, until *string) {
	old := in.SHA256
	in.SHA256, in.Previous = kept, nil
	if until != nil {
		in.Previous = &replaced{SHA256: old, Until: *until}
	}
}
