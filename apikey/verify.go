package apikey

import (
	"context"
	"fmt"
	"time"

	"lambda-authorizer/reason"
)

// Records finds records. *secrets.Reader[*Record] is one.
type Records interface {
	// Get returns the record of id as last read. An error is a fault.
	Get(ctx context.Context, id string) (*Record, bool, error)
	// Renew reads the records anew, within bounds. An error says that nothing
	// follows from a record's absence.
	Renew(ctx context.Context) error
}

// Verifier verifies keys. It is safe for concurrent use.
type Verifier struct {
	records Records
	now     func() time.Time
}

// NewVerifier makes a Verifier. A nil now is time.Now.
func NewVerifier(records Records, now func() time.Time) *Verifier {
	if now == nil {
		now = time.Now
	}
	return &Verifier{records, now}
}

// Key is a verified key.
type Key struct {
	// Record is shared: read-only.
	*Record
	// Until is when this credential ends: the record's ExpiresAt, or the end
	// of a replaced secret's grace if that is sooner. Zero is never.
	Until time.Time
}

// Verify returns the key that text is. The error has a reason.Code:
// credential_malformed where it is none by form or check; api_key_unknown for
// an unknown id and a wrong secret alike; and, to who has the right secret
// alone, api_key_disabled, api_key_not_yet_valid and api_key_expired. Faults
// come from Records as they are.
//
// An unknown id takes the same path as a wrong secret: both are compared with
// two hashes, both have the records read anew, within the same bound. So
// neither answer nor time tells whether there is such an id; and a key that
// was rotated a moment ago is found.
func (v *Verifier) Verify(ctx context.Context, text string) (Key, error) {
	p, err := Parse(text)
	if err != nil {
		return Key{}, err
	}
	r, current, previous, err := v.find(ctx, p)
	if err != nil {
		return Key{}, err
	}
	if !current && !previous {
		renewal := v.records.Renew(ctx)
		if r, current, previous, err = v.find(ctx, p); err != nil {
			return Key{}, err
		}
		switch {
		case current || previous:
		case renewal != nil:
			return Key{}, renewal
		default:
			return Key{}, fmt.Errorf("%w: no key %s with this secret", reason.APIKeyUnknown, p.ID)
		}
	}
	k := Key{Record: r, Until: r.ExpiresAt}
	if !current && (k.Until.IsZero() || r.sums.until.Before(k.Until)) {
		k.Until = r.sums.until
	}
	if err := k.check(v.now()); err != nil {
		return Key{}, err
	}
	return k, nil
}

// find looks a key up and compares its secret, or that of nobody.
func (v *Verifier) find(ctx context.Context, p Presented) (r *Record, current, previous bool, err error) {
	r, ok, err := v.records.Get(ctx, p.ID)
	if err != nil {
		return nil, false, false, err
	}
	with := nobody
	if ok {
		with = r.sums
	}
	current, previous = with.match(p.sum)
	return r, current, previous, nil
}

// check is what depends on the record's state and the moment.
func (k Key) check(now time.Time) error {
	switch {
	case k.Disabled:
		return fmt.Errorf("%w: key %s", reason.APIKeyDisabled, k.ID)
	case now.Before(k.NotBefore):
		return fmt.Errorf("%w: key %s, valid from %s", reason.APIKeyNotYetValid, k.ID, k.NotBefore.UTC().Format(time.RFC3339))
	case !k.Until.IsZero() && !now.Before(k.Until):
		return fmt.Errorf("%w: key %s, %s", reason.APIKeyExpired, k.ID, k.ending())
	}
	return nil
}

// ending tells the end of a key from that of a secret it had.
func (k Key) ending() string {
	at := k.Until.UTC().Format(time.RFC3339)
	if k.Until.Equal(k.ExpiresAt) {
		return "expired at " + at
	}
	return "replaced, accepted until " + at
}
