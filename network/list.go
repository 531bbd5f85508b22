package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gaissmai/bart"

	"lambda-authorizer/reason"
)

const (
	// maxStale is how long a list serves, from when it was last read, while it
	// cannot be read anew.
	maxStale = 15 * time.Minute
	// An outage must not cost every request its time-out: after a read that
	// failed, the list is left alone. Where there is nothing to go on with,
	// that is shorter, since it refuses everybody who needs the list.
	restKnown   = 5 * time.Second
	restUnknown = time.Second
)

// list is one list of the table, and what is known of it.
type list struct {
	name  string
	rules *Lists

	mu     sync.Mutex
	latest *contents // nil before the first read
	flight *flight   // the newest read under way, or nil
	failed time.Time // when the last read failed, zero after a success
	why    error     // what failed then, safe to log
}

// contents is what one read told. Immutable.
type contents struct {
	raw      item
	prefixes *bart.Lite
	skipped  []string
	read     time.Time // when the read began
}

// flight is one read under way, which any number of requests wait for.
type flight struct {
	began time.Time
	done  chan struct{}

	// Valid once done is closed.
	got *contents
	err error
}

// fresh tells whether what was read at that time may be believed now. Lambda
// freezes the process between invocations. Go's monotonic clock need not count
// that time (golang/go#24595) and the wall clock may be set back, so the age
// is what the more pessimistic of the two says.
func fresh(bound time.Duration, read, now time.Time) bool {
	age, wall := now.Sub(read), now.Round(0).Sub(read.Round(0))
	return age < bound && wall < bound && wall >= 0
}

// usable tells whether c may serve while there is nothing newer.
func (c *contents) usable(now time.Time) bool { return c != nil && fresh(maxStale, c.read, now) }

// board returns what is known, or else the read to wait for and whether this
// call began it, or else neither: then the list is being left alone.
func (l *list) board(ctx context.Context, now time.Time) (c *contents, f *flight, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.latest != nil && fresh(l.rules.ttl, l.latest.read, now):
		return l.latest, nil, false
	case l.flight != nil && l.joinable(now):
		return nil, l.flight, false
	case l.resting(now):
		return nil, nil, false
	}
	f = &flight{began: now, done: make(chan struct{})}
	l.flight = f
	// A caller who gives up must not fail the others.
	go l.fly(context.WithoutCancel(ctx), f, l.latest)
	return nil, f, true
}

// joinable tells whether the flight's answer may be believed by a request that
// starts now. One that has been frozen past its own deadline is about to fail.
func (l *list) joinable(now time.Time) bool {
	return fresh(min(l.rules.ttl, l.rules.timeout), l.flight.began, now)
}

func (l *list) resting(now time.Time) bool {
	rest := restUnknown
	if l.latest.usable(now) {
		rest = restKnown
	}
	return !l.failed.IsZero() && fresh(rest, l.failed, now)
}

// wait returns what f told.
func (f *flight) wait(ctx context.Context) (*contents, error) {
	select {
	case <-f.done:
		return f.got, f.err
	default:
	}
	select {
	case <-f.done:
		return f.got, f.err
	case <-ctx.Done():
		return nil, errLate
	}
}

var errLate = errors.New("no answer in time")

// lastResort is the list as it was read last, or the fault that there is none
// to go on with. read is what has just failed, nil where nothing was tried.
func (l *list) lastResort(now time.Time, read error) (*contents, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	why := read
	if why == nil {
		why = fmt.Errorf("left alone for a moment after: %w", cmp.Or(l.why, errLate))
	}
	switch {
	case l.latest.usable(now):
		return l.latest, nil
	case l.latest != nil:
		why = fmt.Errorf("last read %v ago, which is too long: %w", now.Sub(l.latest.read).Round(time.Second), why)
	}
	return nil, fmt.Errorf("%w: list %s in table %s: %w", reason.NetworksUnavailable, l.name, l.rules.table, why)
}

// fly makes the read. It ends a little before the callers' time does, so that
// what it finds still reaches them.
func (l *list) fly(ctx context.Context, f *flight, known *contents) {
	timeout := l.rules.timeout
	ctx, cancel := context.WithTimeout(ctx, timeout-timeout/20)
	defer cancel()
	defer l.land(f, known)
	defer func() {
		if p := recover(); p != nil {
			// Nobody above this goroutine could.
			f.got, f.err = nil, fmt.Errorf("panic of type %T", p)
		}
	}()
	f.got, f.err = l.read(ctx, f.began, known)
}

// land hands over what f found.
func (l *list) land(f *flight, known *contents) {
	now := l.rules.now()
	l.mu.Lock()
	// A slow read must not undo what a later one has found.
	overtaken := l.latest != nil && l.latest.read.After(f.began)
	switch {
	case f.err == nil && !overtaken:
		l.latest, l.failed, l.why = f.got, time.Time{}, nil
	case f.err != nil && !overtaken:
		l.failed, l.why = now, f.err
	}
	if l.flight == f {
		l.flight = nil
	}
	l.mu.Unlock()
	l.rules.onRead(l.event(f, known, now))
	close(f.done)
}
