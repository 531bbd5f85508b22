package keydoc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

var (
	// ErrExists says that there is a key of this id already.
	ErrExists = errors.New("there is one of this id already")
	// ErrUnknown says that a secret has no key of this id.
	ErrUnknown = errors.New("there is none of this id")
	// ErrUnreadable says that a key's record is bad.
	ErrUnreadable = errors.New("its record is bad, so that it is not used as it is")
)

// InvalidError says what is wrong with what was asked for.
type InvalidError struct{ Err error }

func (e *InvalidError) Error() string { return e.Err.Error() }
func (e *InvalidError) Unwrap() error { return e.Err }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Errorf(format, args...)} }

// Documents are the secrets with the records, in JSON. *secrets.Writer is one.
type Documents interface {
	// Edit replaces the record of id by what edit makes of it; nil stands for
	// none. It may call edit more than once, and on its own result.
	Edit(ctx context.Context, secret, id string, edit func(record []byte) ([]byte, error)) error
	Records(ctx context.Context, secret string) (map[string][]byte, error)
}

// Keeper is the JSON of a record that keeps a key's secret, or a hash of it.
type Keeper interface {
	Common() *Terms
	// Kept is what the record keeps of the secret.
	Kept() string
	// Until is when the replaced secret ends; nil where there is none.
	Until() *string
	// Replace keeps another secret. With until the old one becomes the replaced
	// one; otherwise there is none.
	Replace(kept string, until *string)
}

// Operator creates and changes the keys of one kind. Two operators at once
// never undo each other's work. It is safe for concurrent use.
type Operator[R any] struct {
	// Kind checks what is written. Required.
	Kind Kind[R]
	// Blank makes an empty record. Required.
	Blank func() Keeper
	// Documents is required.
	Documents Documents
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Create adds a key to a secret. Others are the other secrets of the same
// configuration, where the id must not be in use either.
func (o *Operator[R]) Create(ctx context.Context, secret, id string, k Keeper, others ...string) error {
	made, err := o.make(id, k)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other == secret {
			continue
		}
		records, err := o.Documents.Records(ctx, other)
		if err != nil {
			return err
		}
		if records[id] != nil {
			return fmt.Errorf("%s %s in secret %s: %w", o.Kind.Name, id, other, ErrExists)
		}
	}
	return o.Documents.Edit(ctx, secret, id, func(old []byte) ([]byte, error) {
		if there := o.Blank(); old == nil || Decode(old, there) == nil && there.Kept() == k.Kept() {
			return made, nil // there may be its own result
		}
		return nil, fmt.Errorf("%s %s in secret %s: %w", o.Kind.Name, id, secret, ErrExists)
	})
}

// make writes the JSON of a new key, and holds it to the rules.
func (o *Operator[R]) make(id string, k Keeper) ([]byte, error) {
	expires, err := Time("expires_at", k.Common().ExpiresAt)
	switch {
	case err != nil:
		return nil, &InvalidError{err}
	case !expires.IsZero() && !expires.After(o.now()):
		return nil, invalid("expires_at is in the past")
	}
	text, err := json.Marshal(k)
	if err != nil {
		return nil, invalid("the key's record is not JSON: its strings must be UTF-8")
	}
	if _, err := o.Kind.Parse(id, text); err != nil {
		return nil, &InvalidError{err}
	}
	return text, nil
}

// Rotated is a key with a new secret.
type Rotated struct {
	// Text is what the client gets.
	Text string
	// Until is how long the old secret is accepted beside it; zero where it
	// ended at once.
	Until time.Time
	// CutShort is when a still older secret would have ended that has ended
	// now, because a record has room for one; zero where there was none.
	CutShort time.Time
}

// Rotate has a key's record keep another secret, and accepts the old one for
// grace. It does not set Text.
func (o *Operator[R]) Rotate(ctx context.Context, secret, id, kept string, grace time.Duration) (Rotated, error) {
	if grace < 0 {
		return Rotated{}, invalid("grace is negative")
	}
	now := o.now()
	var out Rotated
	if grace > 0 {
		out.Until = now.Add(grace + time.Second - 1).Truncate(time.Second)
	}
	err := o.change(ctx, secret, id, func(k Keeper) {
		if k.Kept() == kept {
			return
		}
		out.CutShort = time.Time{}
		if until, err := Time("previous.until", k.Until()); err == nil && until.After(now) {
			out.CutShort = until
		}
		k.Replace(kept, TimeText(out.Until))
	})
	if err != nil {
		return Rotated{}, err
	}
	return out, nil
}

// Disable refuses a key from now on: as soon as its secret is read anew. To
// refuse it at once, revoke it.
func (o *Operator[R]) Disable(ctx context.Context, secret, id string) error {
	return o.change(ctx, secret, id, func(k Keeper) { k.Common().Disabled = true })
}

// Enable accepts a key that was disabled.
func (o *Operator[R]) Enable(ctx context.Context, secret, id string) error {
	return o.change(ctx, secret, id, func(k Keeper) { k.Common().Disabled = false })
}

// change edits the record of a key that is there. One that it leaves as it was
// keeps every byte.
func (o *Operator[R]) change(ctx context.Context, secret, id string, edit func(Keeper)) error {
	if !o.Kind.Showable(id) {
		return invalid("this is no id of a key: it is not shown, since it may be a secret")
	}
	return o.Documents.Edit(ctx, secret, id, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, fmt.Errorf("%s %s in secret %s: %w", o.Kind.Name, id, secret, ErrUnknown)
		}
		now, was := o.Blank(), o.Blank()
		for _, into := range []Keeper{now, was} {
			if err := Decode(old, into); err != nil {
				return nil, fmt.Errorf("%s %s: %w: %w", o.Kind.Name, id, ErrUnreadable, err)
			}
		}
		edit(now)
		before, err := json.Marshal(was)
		if err != nil {
			return nil, err
		}
		after, err := json.Marshal(now)
		if err != nil || string(after) == string(before) {
			return old, err
		}
		return after, nil
	})
}

// Listed is a key as its secret has it.
type Listed[R any] struct {
	// ID is empty where it is none: it may be a secret in the wrong place.
	ID string
	// Record is of use where Problem is nil.
	Record R
	// Problem is why the record is bad.
	Problem error
	// PreviousUntil is how long a replaced secret is accepted; zero where
	// there is none.
	PreviousUntil time.Time
}

// List returns the keys of a secret, sorted by id.
func (o *Operator[R]) List(ctx context.Context, secret string) ([]Listed[R], error) {
	records, err := o.Documents.Records(ctx, secret)
	if err != nil {
		return nil, err
	}
	out := make([]Listed[R], 0, len(records))
	for _, id := range slices.Sorted(maps.Keys(records)) {
		var l Listed[R]
		if o.Kind.Showable(id) {
			l.ID = id
		}
		if l.Record, l.Problem = o.Kind.Parse(id, records[id]); l.Problem == nil {
			l.PreviousUntil, l.Problem = o.previousUntil(records[id])
		}
		out = append(out, l)
	}
	return out, nil
}

func (o *Operator[R]) previousUntil(record []byte) (time.Time, error) {
	k := o.Blank()
	if err := Decode(record, k); err != nil {
		return time.Time{}, err
	}
	return Time("previous.until", k.Until())
}

func (o *Operator[R]) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}
