package secrets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"lambda-authorizer/reason"
)

const (
	// coolDown is the least time between two reads that records not found can
	// cause, and the time a service that failed is left alone.
	coolDown = 30 * time.Second
	// maxStale is how long past its age a secret serves while it cannot be
	// read anew.
	maxStale = 24 * time.Hour
	// readBound ends a read, retries included.
	readBound = 5 * time.Second
	// stuckAfter is when a read no longer counts as under way. Every read ends
	// within readBound, unless Lambda froze the process meanwhile.
	stuckAfter = 3 * readBound
)

// Options are what a Reader needs beside the secrets' names.
type Options struct {
	// Clients reach Secrets Manager. Required.
	Clients *Clients
	// Refresh is how old what was read may be before it is read again.
	// Default 5m.
	Refresh time.Duration
	// PreviousGrace is how long AWSPREVIOUS counts, from the current version's
	// CreatedDate on. Zero: it is never read.
	PreviousGrace time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// OnRead is told of every read of a secret before anyone who waits for it
	// goes on. It must be quick, safe for concurrent use, and must not call
	// the Reader.
	OnRead func(ReadEvent)
}

// ReadEvent is one finished attempt to read one secret.
type ReadEvent struct {
	// Secret is the name or ARN as configured.
	Secret string
	// Cause is first, expired or not_found.
	Cause string
	// Started is when the attempt began, Took how long it lasted.
	Started time.Time
	Took    time.Duration
	// Err is nil after success. It holds no piece of the secret. After an
	// error the last good value goes on, as far as there is one.
	Err error
	// Records counts the usable records of the current version.
	Records int
	// Skipped says why a record is not used, at most 20 times; SkippedCount
	// counts them all.
	Skipped      []error
	SkippedCount int
}

// Reader reads one or more secrets that hold records of one kind, and merges
// them. It is refreshed by the requests that need it, since between
// invocations Lambda lets nothing run: the first request that finds it too old
// waits for the read, those that come meanwhile go on with what is there. It is
// safe for concurrent use.
type Reader[R any] struct {
	names  []string
	parse  func([]byte) (map[string]R, []error)
	o      Options
	latest atomic.Pointer[reading[R]] // nil before the end of the first read

	mu      sync.Mutex
	flight  *flight   // the read under way, or nil
	renewed time.Time // when the last read for a record not found began
}

// flight is one read of all secrets, which any number of requests wait for.
type flight struct {
	cause   string
	started time.Time
	done    chan struct{}
}

// Causes of a read, as ReadEvent tells them.
const (
	causeFirst    = "first"
	causeExpired  = "expired"
	causeNotFound = "not_found"
)

// NewReader makes a Reader of the secrets called names, each a name or an ARN,
// and reaches no network. parse makes records by id of a secret's text and says
// why some are left out; no map at all says that the text is no such document.
// Its errors must hold no piece of the text, and records are shared: read-only.
func NewReader[R any](names []string, parse func(text []byte) (map[string]R, []error), o Options) *Reader[R] {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refresh == 0 {
		o.Refresh = defaultRefresh
	}
	return &Reader[R]{names: names, parse: parse, o: o}
}

// now strips the monotonic reading: Lambda freezes the process, and a clock
// that stops meanwhile would make everything younger than it is.
func (r *Reader[R]) now() time.Time { return r.o.Now().Round(0) }

// Get returns the current record of id, from a reading that is at most Refresh
// old unless Secrets Manager fails. That it is not found says nothing before
// Renew. Without any reading to go on with the error is SecretsUnavailable.
func (r *Reader[R]) Get(ctx context.Context, id string) (R, bool, error) {
	p, err := r.read(ctx)
	if err != nil {
		var none R
		return none, false, err
	}
	record, ok := p.merged[id]
	return record, ok, nil
}

// Versions returns the current records and after them, as long as they count,
// those of AWSPREVIOUS. The maps are shared: read-only.
func (r *Reader[R]) Versions(ctx context.Context) ([]map[string]R, error) {
	p, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	out := append(make([]map[string]R, 0, 2), p.merged)
	now := r.now()
	for _, s := range p.secrets {
		if s.previous != nil && now.Before(s.previousUntil) {
			out = append(out, s.previous)
		}
	}
	return out, nil
}

// Renew is for a record that Get did not find, or that turned out to be
// another one than was wanted: after nil, Get knows all there is, but for what
// was written in the last 30 s, since that is how often a missing record can
// cause a read. An error, SecretsUnavailable, says that a secret could not be
// read, so that nothing follows from a record's absence.
func (r *Reader[R]) Renew(ctx context.Context) error {
	// A read that was under way may have begun before the record was written.
	for range 3 {
		f, own := r.renew()
		if f == nil {
			return r.complete()
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return r.late()
		}
		if own {
			return r.complete()
		}
	}
	return r.complete()
}

// renew returns the read to wait for, if any, and whether its end is enough.
func (r *Reader[R]) renew() (f *flight, own bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, p := r.now(), r.latest.Load()
	r.giveUpStuck(now)
	switch {
	case r.flight != nil:
		return r.flight, r.flight.cause == causeNotFound
	case within(coolDown, r.renewed, now), p.resting(now):
		return nil, false
	}
	return r.start(causeNotFound, now), true
}

// complete is nil where the latest reading has every secret.
func (r *Reader[R]) complete() error {
	p := r.latest.Load()
	if p == nil {
		return r.unavailable(errors.New("the read did not end"))
	}
	if p.fault != nil {
		return r.unavailable(p.fault)
	}
	return nil
}

// read returns the reading to go on with.
func (r *Reader[R]) read(ctx context.Context) (*reading[R], error) {
	if p := r.latest.Load(); p.fresh(r.o.Refresh, r.now()) {
		return p, nil
	}
	f, p := r.refresh()
	if f != nil {
		if late := r.await(ctx, f, p); late != nil {
			return nil, late
		}
		p = r.latest.Load()
	}
	if p.usable(r.o.Refresh, r.now()) {
		return p, nil
	}
	if err := r.complete(); err != nil {
		return nil, err
	}
	return nil, r.unavailable(errors.New("what was read is too old"))
}

// refresh returns what there is and, unless that will do, the read to wait
// for.
func (r *Reader[R]) refresh() (*flight, *reading[R]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, p := r.now(), r.latest.Load()
	r.giveUpStuck(now)
	switch {
	case p.fresh(r.o.Refresh, now), p.resting(now):
		return nil, p
	case r.flight != nil && p.serves(r.o.Refresh, now):
		return nil, p
	case r.flight != nil:
		return r.flight, p
	case p == nil:
		return r.start(causeFirst, now), p
	}
	return r.start(causeExpired, now), p
}

// await waits for f; with p to go on with, for half of the time that ctx
// leaves, so that something is left for what comes after.
func (r *Reader[R]) await(ctx context.Context, f *flight, p *reading[R]) error {
	spare := p.usable(r.o.Refresh, r.now())
	if deadline, ok := ctx.Deadline(); ok && spare {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		if spare {
			return nil
		}
		return r.late()
	}
}

func (r *Reader[R]) late() error {
	return fmt.Errorf("%w: waiting for Secrets Manager", reason.DeadlineExceeded)
}

func (r *Reader[R]) unavailable(why error) error {
	return fmt.Errorf("%w: %w", reason.SecretsUnavailable, why)
}

// within reports whether then was less than d ago. A clock that was set back
// must not make it younger: hence Abs.
func within(d time.Duration, then, now time.Time) bool {
	return !then.IsZero() && now.Sub(then).Abs() < d
}
