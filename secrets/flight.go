package secrets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// start begins a read of all secrets. It is bound to no caller's context: one
// that gives up must not fail the others. r.mu is held.
func (r *Reader[R]) start(cause string, now time.Time) *flight {
	f := &flight{cause: cause, started: now, done: make(chan struct{})}
	r.flight = f
	if cause == causeNotFound {
		r.renewed = now
	}
	go r.run(f)
	return f
}

// giveUpStuck forgets a read that began too long ago. r.mu is held.
func (r *Reader[R]) giveUpStuck(now time.Time) {
	if f := r.flight; f != nil && !within(stuckAfter, f.started, now) {
		r.flight = nil
	}
}

func (r *Reader[R]) run(f *flight) {
	defer close(f.done)
	ctx, cancel := context.WithTimeout(context.Background(), readBound)
	defer cancel()
	known := make([]secret[R], len(r.names))
	if p := r.latest.Load(); p != nil {
		copy(known, p.secrets)
	}
	next := make([]secret[R], len(r.names))
	took := make([]time.Duration, len(r.names))
	var all sync.WaitGroup
	for n, name := range r.names {
		all.Go(func() {
			next[n] = r.readSafely(ctx, name, known[n], f.started)
			took[n] = r.now().Sub(f.started)
		})
	}
	all.Wait()
	twice := r.land(f, next)
	r.report(f, next, took, twice)
}

// land takes the secrets in, unless f was given up meanwhile.
func (r *Reader[R]) land(f *flight, next []secret[R]) map[int][]error {
	p, twice := r.merge(f.started, next)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flight == f {
		r.flight = nil
		r.latest.Store(p)
	}
	return twice
}

func (r *Reader[R]) report(f *flight, next []secret[R], took []time.Duration, twice map[int][]error) {
	if r.o.OnRead == nil {
		return
	}
	for n, s := range next {
		skipped := append(s.skipped[:len(s.skipped):len(s.skipped)], twice[n]...)
		e := ReadEvent{
			Secret: r.names[n], Cause: f.cause, Started: f.started, Took: took[n], Err: s.fault,
			Records: len(s.current), Skipped: skipped, SkippedCount: len(skipped),
		}
		e.Skipped = skipped[:min(len(skipped), maxSkippedTold)]
		r.o.OnRead(e)
	}
}

// readSafely turns a panic into a failed read: in a goroutine of its own it
// would end the process, and a secret that does that would do it again. What
// the panic says may quote the secret.
func (r *Reader[R]) readSafely(ctx context.Context, name string, known secret[R], now time.Time) (next secret[R]) {
	defer func() {
		if p := recover(); p != nil {
			next = known
			next.fault = fmt.Errorf("it could not be processed (panic of type %T)", p)
		}
	}()
	return r.readOne(ctx, name, known, now)
}

// readOne reads a secret. What it cannot read stays as it was known, with a
// fault; what is known to be gone does not stay.
func (r *Reader[R]) readOne(ctx context.Context, name string, known secret[R], now time.Time) secret[R] {
	client, err := r.o.Clients.For(ctx, name)
	if err != nil {
		known.fault = errors.New("the AWS SDK has no configuration to reach it with")
		return known
	}
	got, err := fetch(ctx, client, name, current)
	if gone(err) {
		return secret[R]{fault: Why(err, false)}
	}
	if err != nil {
		known.fault = Why(err, false)
		return known
	}
	next := known
	next.fault, next.read = nil, now
	if got.version != known.version {
		records, skipped := r.parse(got.text)
		if records == nil {
			next.fault = notParsed(skipped)
			return next
		}
		next.version, next.current, next.skipped = got.version, records, skipped
	}
	r.readPrevious(ctx, client, name, got, &next)
	return next
}

// readPrevious reads AWSPREVIOUS as long as it counts. Its failure leaves the
// current version in use, and the previous one if it is known already. The
// current one is read first: a rotation in between then shows the same version
// twice, which is harmless, and never skips one.
func (r *Reader[R]) readPrevious(ctx context.Context, client getter, name string, of value, s *secret[R]) {
	s.previousUntil = of.created.Add(r.o.PreviousGrace)
	if r.o.PreviousGrace <= 0 || !r.now().Before(s.previousUntil) {
		s.previous, s.previousOf = nil, ""
		return
	}
	got, err := fetch(ctx, client, name, previous)
	switch {
	case gone(err):
		s.previous, s.previousOf = nil, ""
		return
	case err == nil && got.version == s.previousOf:
		return
	case err == nil:
		records, skipped := r.parse(got.text)
		if records != nil {
			s.previous, s.previousOf = records, got.version
			return
		}
		err = notParsed(skipped)
	}
	s.fault = fmt.Errorf("its previous version: %w", Why(err, false))
}
