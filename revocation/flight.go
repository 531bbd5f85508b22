package revocation

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// state is what is known of one entry.
type state struct {
	entry *limits   // nil: there is none
	read  time.Time // when the read began that told
}

// flight is one read under way. Checks that need an entry which somebody is
// reading already wait for that read.
type flight struct {
	began time.Time
	keys  []Key
	reads atomic.Int64
	done  chan struct{}

	// Valid once done is closed. After a failure found holds what was read
	// before it.
	found map[Key]state
	err   error
}

// cached is what the cache holds of k, unless it is too old to be believed.
func (c *Checker) cached(k Key, now time.Time) (state, bool) {
	s, ok := c.cache.Get(k)
	return s, ok && c.fresh(s.read, now)
}

// fresh tells whether something read at that time may be believed now.
func (c *Checker) fresh(read, now time.Time) bool {
	return young(now.Sub(read), now.Round(0).Sub(read.Round(0)), c.ttl)
}

// young judges an age by the monotonic clock and by the wall clock. Lambda
// freezes the process between invocations. Go's monotonic clock need not count
// that time (golang/go#24595) and the wall clock may be set back, so the more
// pessimistic of the two counts.
func young(monotonic, wall, ttl time.Duration) bool {
	return monotonic < ttl && wall < ttl && wall >= 0
}

// fetch finds out what is not known: it waits for reads under way and makes
// one read for the rest.
func (c *Checker) fetch(ctx context.Context, asked []question, now time.Time, res *Result) error {
	own := c.board(asked, now, res)
	if own != nil {
		go c.fly(context.WithoutCancel(ctx), own)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var failure error
	for i := range asked {
		q := &asked[i]
		if q.known {
			continue
		}
		err := q.flight.wait(ctx)
		if err == nil {
			if q.state, q.known = q.flight.found[q.key]; q.known {
				continue
			}
			err = q.flight.err
		}
		// One that on_error does not cover counts for more.
		if failure == nil || covered(failure) && !covered(err) {
			failure = err
		}
	}
	if own != nil {
		res.Reads = int(own.reads.Load())
	}
	return failure
}

// board gives every unknown question a flight: one under way, or the one new
// flight that it returns, nil where none is needed.
func (c *Checker) board(asked []question, now time.Time, res *Result) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	var own *flight
	for i := range asked {
		q := &asked[i]
		if q.known {
			continue
		}
		// A flight may have landed since the cache was asked.
		if q.state, q.known = c.cached(q.key, now); q.known {
			res.Cached++
			continue
		}
		if f := c.flying[q.key]; f != nil && c.joinable(f, now) {
			q.flight = f
			if f != own {
				res.Joined++
			}
			continue
		}
		if own == nil {
			own = &flight{began: now, done: make(chan struct{}), found: make(map[Key]state)}
		}
		k := q.key.clone()
		own.keys = append(own.keys, k)
		c.flying[k], q.flight = own, own
	}
	return own
}

// joinable tells whether f's answer may be believed by a check that starts
// now. One that has been frozen past its own deadline is about to fail.
func (c *Checker) joinable(f *flight, now time.Time) bool {
	return c.fresh(f.began, now) && now.Round(0).Sub(f.began.Round(0)) < c.timeout
}

// wait returns nil when f is done, even if ctx is done as well.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	default:
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fly makes the read. It is bound to no caller: one who gives up must not fail
// the others. It ends a little before the callers' time does, so that what it
// has learnt by then still reaches them.
func (c *Checker) fly(ctx context.Context, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout-c.timeout/20)
	defer cancel()
	defer c.land(f)
	defer func() {
		if p := recover(); p != nil {
			// Nobody above this goroutine could.
			f.err = fmt.Errorf("panic of type %T", p)
		}
	}()
	_, f.err = c.breaker.Execute(func() (struct{}, error) { return struct{}{}, c.read(ctx, f) })
}

// land hands over what f found.
func (c *Checker) land(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.err != nil && covered(f.err) && !isOpen(f.err) {
		c.last = f.err
	}
	for k, s := range f.found {
		// A slow read must not undo what a later one has found.
		if known, ok := c.cache.Peek(k); !ok || !known.read.After(s.read) {
			c.cache.Add(k, s)
		}
	}
	for _, k := range f.keys {
		if c.flying[k] == f {
			delete(c.flying, k)
		}
	}
	close(f.done)
}
