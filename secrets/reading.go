package secrets

import (
	"fmt"
	"time"
)

// maxSkippedTold bounds how many skipped records an event tells of.
const maxSkippedTold = 20

// secret is what is known of one secret. It is immutable.
type secret[R any] struct {
	version string       // of current; "" before the first success
	read    time.Time    // when the last success began
	current map[string]R // nil before the first success
	skipped []error      // what parsing current left out

	previous      map[string]R // nil: none that counts
	previousOf    string       // the version that previous is of
	previousUntil time.Time

	fault error // of the last attempt; nil after success
}

// reading is what is known of all secrets after a read. It is immutable.
type reading[R any] struct {
	started time.Time
	secrets []secret[R]
	merged  map[string]R
	fault   error // why it is not complete; nil where every secret was read
}

// fresh reports whether p is complete and younger than d.
func (p *reading[R]) fresh(d time.Duration, now time.Time) bool {
	return p != nil && p.fault == nil && within(d, p.started, now)
}

// resting reports whether Secrets Manager failed so lately that it is left
// alone.
func (p *reading[R]) resting(now time.Time) bool {
	return p != nil && p.fault != nil && within(coolDown, p.started, now)
}

// usable reports whether p can be gone on with: some secret is there, and none
// that is there is too old.
func (p *reading[R]) usable(refresh time.Duration, now time.Time) bool {
	if p == nil {
		return false
	}
	some := false
	for _, s := range p.secrets {
		if s.current == nil {
			continue
		}
		if !within(refresh+maxStale, s.read, now) {
			return false
		}
		some = true
	}
	return some
}

// serves reports whether p can be gone on with while a read is under way: it
// has just become too old, or Secrets Manager is failing. A process that Lambda
// froze for longer waits for the read.
func (p *reading[R]) serves(refresh time.Duration, now time.Time) bool {
	if !p.usable(refresh, now) {
		return false
	}
	if p.fault != nil {
		return within(coolDown+stuckAfter, p.started, now)
	}
	return within(2*refresh, p.started, now)
}

// merge makes a reading of the secrets. One that has not been read for too
// long is dropped. An id that two secrets have is nobody's: which one counts is
// not for us to guess. The second result says so, by the secret's number.
func (r *Reader[R]) merge(started time.Time, secrets []secret[R]) (*reading[R], map[int][]error) {
	p := &reading[R]{started: started, secrets: secrets, merged: make(map[string]R)}
	twice := make(map[int][]error)
	owner := make(map[string]string)
	for n := range secrets {
		s := &secrets[n]
		if s.fault != nil {
			p.fault = also(p.fault, fmt.Errorf("secret %s: %w", r.names[n], s.fault))
		}
		if s.current != nil && !within(r.o.Refresh+maxStale, s.read, started) {
			*s = secret[R]{fault: s.fault}
		}
		for id, record := range s.current {
			if other, known := owner[id]; known {
				twice[n] = append(twice[n], fmt.Errorf("%s is in secret %s too, neither is used", id, other))
				delete(p.merged, id)
				continue
			}
			owner[id], p.merged[id] = r.names[n], record
		}
	}
	return p, twice
}

// also joins two faults in one line.
func also(first, second error) error {
	if first == nil {
		return second
	}
	return fmt.Errorf("%w; %w", first, second)
}
