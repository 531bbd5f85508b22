package jwks

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
	// coolDown is the least time between two fetches of one issuer that
	// requests can cause, and the time a failed issuer is left alone.
	coolDown = 30 * time.Second
	// maxStale is how long past its age a key set serves while the issuer
	// cannot be reached.
	maxStale = 24 * time.Hour
	// serveWhileFetching is how long past its age a key set serves, at once
	// and without question, while another request fetches a new one. Beyond
	// that it serves only if the fetch fails or takes too long: a key that was
	// withdrawn is gone within its set's age and this.
	serveWhileFetching = time.Minute
	// stuckAfter is when a fetch no longer counts as under way. Every fetch
	// ends within fetchBound, unless Lambda froze the process meanwhile.
	stuckAfter = 3 * fetchBound
)

// Causes of a fetch, as RefreshEvent tells them.
const (
	causePrefetch   = "prefetch"
	causeFirst      = "first"
	causeExpired    = "expired"
	causeUnknownKey = "unknown_key"
	causeFile       = "file"
)

// remote is a key set behind a URL. It is refreshed by the requests that need
// it, since between invocations Lambda lets nothing run: the first request
// that finds the set expired waits for the fetch, those that come meanwhile
// and find their key in the old set use that for a while. After a failure, and
// after a fetch for an unknown kid, the issuer is left alone for coolDown.
type remote struct {
	issuer string // its name
	now    func() time.Time
	fetch  func(ctx context.Context) (fetched, error)
	report func(RefreshEvent) // may be nil

	current atomic.Pointer[published] // nil before the first success

	mu        sync.Mutex
	flight    *flight   // the fetch under way, or nil
	attempted time.Time // when the last fetch that starts the cool-down began
	failure   error     // of the last fetch; nil after success
}

// published is a key set and its age.
type published struct {
	keys    *keySet
	fetched time.Time // when the fetch began
	maxAge  time.Duration
}

// within reports whether the set is past its age by less than d. A clock that
// was set back must not make a set younger: hence Abs.
func (p *published) within(d time.Duration, now time.Time) bool {
	return p != nil && now.Sub(p.fetched).Abs() < p.maxAge+d
}

func (p *published) fresh(now time.Time) bool  { return p.within(0, now) }
func (p *published) usable(now time.Time) bool { return p.within(maxStale, now) }

// flight is one fetch that any number of requests wait for. It is what
// golang.org/x/sync/singleflight does, and two things that it cannot tell:
// that a fetch is under way, so that those who need not wait go on, and since
// when, so that one that was frozen is given up. Both, and the cool-down, must
// be decided under one lock.
type flight struct {
	cause   string
	started time.Time
	done    chan struct{}
	// What it brought, to be read once done is closed: after success the
	// newest set there is.
	keys *keySet
	err  error
}

func (r *remote) keys(ctx context.Context, q query) (*keySet, error) {
	if p := r.current.Load(); p.fresh(r.now()) && p.keys.knows(q) {
		return p.keys, nil
	}
	// A fetch that was under way may have begun before the key was published.
	// One that began after q came tells what there is, whatever the clock did
	// meanwhile: asking it again could go on for ever.
	for latest := false; ; latest = true {
		set, f, own, err := r.decide(q)
		if f == nil {
			return set, err
		}
		if !r.await(ctx, f, set != nil) {
			if set != nil {
				return set, nil
			}
			return nil, fmt.Errorf("%w: waiting for the key set of issuer %s", reason.DeadlineExceeded, r.issuer)
		}
		switch {
		case !own && !latest:
		case f.err == nil:
			return f.keys, nil
		case set != nil:
			return set, nil
		default:
			return nil, r.unavailable(f.err)
		}
	}
}

// decide says what to do for q, which the current set is too old for or does
// not know: use set, wait for f (with set to fall back on, if not nil), which
// is its own if it began it, or fail.
func (r *remote) decide(q query) (set *keySet, f *flight, own bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, p := r.now(), r.current.Load()
	r.giveUpStuck(now)
	known := p.usable(now) && p.keys.knows(q)
	if known {
		set = p.keys
	}
	switch cooling := !r.attempted.IsZero() && now.Sub(r.attempted).Abs() < coolDown; {
	case known && p.fresh(now):
		return set, nil, false, nil
	case r.flight != nil && known && p.within(serveWhileFetching, now):
		return set, nil, false, nil
	case r.flight != nil:
		return set, r.flight, false, nil
	case known && cooling:
		return set, nil, false, nil
	case cooling && r.failure == nil && p.usable(now):
		return p.keys, nil, false, nil // this is what the issuer has: the key is unknown
	case cooling:
		return nil, nil, false, r.unavailable(r.failure)
	case p == nil:
		return nil, r.start(causeFirst, now), true, nil
	case p.fresh(now):
		return nil, r.start(causeUnknownKey, now), true, nil
	}
	return set, r.start(causeExpired, now), true, nil
}

// await waits for f; briefly, which keeps half of the time that ctx leaves for
// what comes after, where the caller has a key set to go on with.
func (r *remote) await(ctx context.Context, f *flight, briefly bool) bool {
	if deadline, ok := ctx.Deadline(); ok && briefly {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	select {
	case <-f.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// prefetch fetches the set if there is none yet. It does not start the
// cool-down, so that a key rotated just then is not unknown for 30 s.
func (r *remote) prefetch(ctx context.Context) {
	r.mu.Lock()
	f := r.flight
	if f == nil && r.current.Load() == nil && r.attempted.IsZero() {
		f = r.start(causePrefetch, r.now())
	}
	r.mu.Unlock()
	if f == nil {
		return
	}
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// start begins a fetch. It is bound to no caller's context: one that gives up
// must not fail the others. r.mu is held.
func (r *remote) start(cause string, now time.Time) *flight {
	f := &flight{cause: cause, started: now, done: make(chan struct{})}
	r.flight = f
	if cause != causePrefetch {
		r.attempted = now
	}
	go r.run(f)
	return f
}

func (r *remote) run(f *flight) {
	defer close(f.done)
	ctx, cancel := context.WithTimeout(context.Background(), fetchBound)
	defer cancel()
	got, err := r.fetchSafely(ctx)
	r.land(f, got, err)
	if r.report == nil {
		return
	}
	e := RefreshEvent{Issuer: r.issuer, Cause: f.cause, Started: f.started, Took: r.now().Sub(f.started), Err: err}
	if err == nil {
		e.tell(got.keys)
		e.MaxAge = got.maxAge
	}
	r.report(e)
}

// fetchSafely turns a panic into a failed fetch: in a goroutine of its own it
// would end the process, and a key set that does that would do it again.
func (r *remote) fetchSafely(ctx context.Context) (got fetched, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the key set could not be processed")
		}
	}()
	return r.fetch(ctx)
}

// land takes the result of f in. A fetch that was given up may still bring a
// newer set than the one there is, but its failure says nothing any more.
func (r *remote) land(f *flight, got fetched, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := r.flight == f
	if mine {
		r.flight = nil
	}
	if f.err = err; err != nil {
		if mine {
			r.failure, r.attempted = err, f.started
		}
		return
	}
	if p := r.current.Load(); mine || p == nil || !p.fetched.After(f.started) {
		r.current.Store(&published{keys: got.keys, fetched: f.started, maxAge: got.maxAge})
		r.failure = nil
	}
	f.keys = r.current.Load().keys
}

// giveUpStuck forgets a fetch that began too long ago. It starts the cool-down,
// unless Lambda froze it after init: no request has asked the issuer yet. r.mu
// is held.
func (r *remote) giveUpStuck(now time.Time) {
	f := r.flight
	if f == nil || now.Sub(f.started).Abs() <= stuckAfter {
		return
	}
	r.flight = nil
	if f.cause != causePrefetch {
		r.failure, r.attempted = errors.New("the last fetch did not end"), f.started
	}
}

func (r *remote) unavailable(why error) error {
	return fmt.Errorf("%w: issuer %s: %v", reason.JWKSUnavailable, r.issuer, why)
}
