package apikey

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

var (
	// ErrExists says that a key of this id is there already.
	ErrExists = errors.New("there is an API key of this id already")
	// ErrUnknown says that a secret has no key of this id.
	ErrUnknown = errors.New("no such API key")
)

// Documents are the secrets with the records, in JSON. *secrets.Writer is one.
type Documents interface {
	// Edit replaces the record of id by what edit makes of it; nil stands for
	// none. It may call edit more than once, and on its own result.
	Edit(ctx context.Context, secret, id string, edit func(record []byte) ([]byte, error)) error
	Records(ctx context.Context, secret string) (map[string][]byte, error)
}

// Operator creates and changes keys. Two operators at once never undo each
// other's work. It is safe for concurrent use.
type Operator struct {
	// Documents is required.
	Documents Documents
	// Rules hold for new keys. The zero value asks nothing.
	Rules Rules
	// Now is the clock. Default time.Now.
	Now func() time.Time
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
// configuration, where the id must not be in use either.
func (o *Operator) Create(ctx context.Context, secret string, g Grant, others ...string) (Created, error) {
	if g.ID == "" {
		g.ID = NewID()
	}
	key, err := Generate(g.ID)
	if err != nil {
		return Created{}, err
	}
	made, err := o.record(g, key)
	if err != nil {
		return Created{}, err
	}
	for _, other := range others {
		records, err := o.Documents.Records(ctx, other)
		if err != nil {
			return Created{}, err
		}
		if records[g.ID] != nil && other != secret {
			return Created{}, fmt.Errorf("%w: %s in secret %s", ErrExists, g.ID, other)
		}
	}
	err = o.Documents.Edit(ctx, secret, g.ID, func(old []byte) ([]byte, error) {
		if old == nil || hasSum(old, key) {
			return made, nil
		}
		return nil, fmt.Errorf("%w: %s in secret %s", ErrExists, g.ID, secret)
	})
	if err != nil {
		return Created{}, err
	}
	return Created{ID: g.ID, Text: key.Text}, nil
}

// record makes the JSON of a new key, and holds it to the rules.
func (o *Operator) record(g Grant, key Generated) ([]byte, error) {
	r := record{
		SHA256:             hex.EncodeToString(key.sum[:]),
		Terms:              keydoc.Terms{Principal: g.Principal, Scopes: g.Scopes, Networks: g.Networks, ExpiresAt: keydoc.TimeText(g.ExpiresAt)},
		UsageIdentifierKey: g.UsageIdentifierKey, NotBefore: keydoc.TimeText(g.NotBefore),
	}
	switch {
	case !g.ExpiresAt.IsZero() && !g.ExpiresAt.After(o.now()):
		return nil, errors.New("expires_at is in the past")
	case !g.ExpiresAt.IsZero() && !g.ExpiresAt.After(g.NotBefore):
		return nil, errors.New("expires_at is not after not_before")
	}
	var err error
	if len(g.Context) > 0 {
		if r.Context, err = json.Marshal(g.Context, json.Deterministic(true)); err != nil {
			return nil, errors.New("context is not JSON")
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, errors.New("the key's record is not JSON: its strings must be UTF-8")
	}
	if _, err := o.Rules.record(g.ID, text); err != nil {
		return nil, err
	}
	return text, nil
}

// Rotated is a key with a new secret.
type Rotated struct {
	Text string
	// Until is how long the old secret is accepted beside it; zero where it
	// ended at once.
	Until time.Time
	// CutShort is when a still older secret would have ended that has ended
	// now, because a record has room for one; zero where there was none.
	CutShort time.Time
}

// Rotate gives a key a new secret and accepts the old one for grace.
func (o *Operator) Rotate(ctx context.Context, secret, id string, grace time.Duration) (Rotated, error) {
	if grace < 0 {
		return Rotated{}, errors.New("grace is negative")
	}
	key, err := Generate(id)
	if err != nil {
		return Rotated{}, err
	}
	now := o.now()
	out := Rotated{Text: key.Text}
	if grace > 0 {
		out.Until = now.Add(grace + time.Second - 1).Truncate(time.Second)
	}
	err = o.change(ctx, secret, id, func(r *record) error {
		if r.SHA256 == hex.EncodeToString(key.sum[:]) {
			return nil
		}
		out.CutShort = time.Time{}
		if r.Previous != nil {
			if until, err := keydoc.Time("previous.until", &r.Previous.Until); err == nil && until.After(now) {
				out.CutShort = until
			}
			r.Previous = nil
		}
		if grace > 0 {
			r.Previous = &replaced{SHA256: r.SHA256, Until: *keydoc.TimeText(out.Until)}
		}
		r.SHA256 = hex.EncodeToString(key.sum[:])
		return nil
	})
	if err != nil {
		return Rotated{}, err
	}
	return out, nil
}

// Disable refuses a key from now on: as soon as its secret is read anew. To
// refuse it at once, revoke it.
func (o *Operator) Disable(ctx context.Context, secret, id string) error {
	return o.setDisabled(ctx, secret, id, true)
}

// Enable accepts a key that was disabled.
func (o *Operator) Enable(ctx context.Context, secret, id string) error {
	return o.setDisabled(ctx, secret, id, false)
}

func (o *Operator) setDisabled(ctx context.Context, secret, id string, disabled bool) error {
	return o.change(ctx, secret, id, func(r *record) error {
		r.Disabled = disabled
		return nil
	})
}

// change edits the record of a key that is there. One that it leaves as it was
// keeps every byte.
func (o *Operator) change(ctx context.Context, secret, id string, edit func(*record) error) error {
	if !ValidID(id) {
		return errNoID // it may be a whole key
	}
	return o.Documents.Edit(ctx, secret, id, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, fmt.Errorf("%w: %s in secret %s", ErrUnknown, id, secret)
		}
		var r, was record
		for _, into := range []*record{&r, &was} {
			if err := keydoc.Decode(old, into); err != nil {
				return nil, fmt.Errorf("the record of API key %s is bad, so that it is not used as it is: %w", id, err)
			}
		}
		if err := edit(&r); err != nil {
			return nil, err
		}
		before, err := json.Marshal(was)
		if err != nil {
			return nil, err
		}
		after, err := json.Marshal(r)
		if err != nil || string(after) == string(before) {
			return old, err
		}
		return after, nil
	})
}

// Listed is a key as its secret has it.
type Listed struct {
	// ID is empty where it is none: it may be a secret in the wrong place.
	ID string
	// Record is nil where the record is bad; Problem says why.
	Record  *Record
	Problem error
	// PreviousUntil is how long a replaced secret is accepted; zero where
	// there is none.
	PreviousUntil time.Time
}

// State is why the key is refused at a time, and empty where it is not.
func (l Listed) State(now time.Time) reason.Code {
	if l.Record == nil {
		return reason.APIKeyUnknown
	}
	if err := (Key{Record: l.Record, Until: l.Record.ExpiresAt}).check(now); err != nil {
		return reason.Of(err)
	}
	return ""
}

// List returns the keys of a secret, sorted by id.
func (o *Operator) List(ctx context.Context, secret string) ([]Listed, error) {
	records, err := o.Documents.Records(ctx, secret)
	if err != nil {
		return nil, err
	}
	out := make([]Listed, 0, len(records))
	for _, id := range slices.Sorted(maps.Keys(records)) {
		var l Listed
		if ValidID(id) {
			l.ID = id
		}
		if l.Record, l.Problem = o.Rules.record(id, records[id]); l.Problem == nil {
			l.PreviousUntil = l.Record.sums.until
		}
		out = append(out, l)
	}
	return out, nil
}

// hasSum reports whether a record is that of key already: an edit may meet its
// own result.
func hasSum(text []byte, key Generated) bool {
	var r record
	return keydoc.Decode(text, &r) == nil && r.SHA256 == hex.EncodeToString(key.sum[:])
}

func (o *Operator) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}
