package revocation

import "time"

// OpenFor makes the circuit breaker stay open for d, so that a test over a
// real network need not wait for seconds.
func (c *Checker) OpenFor(d time.Duration) { c.breaker = newBreaker(d) }

// CacheLen is how many entries the cache holds.
func (c *Checker) CacheLen() int { return c.cache.Len() }

// Young is how a Checker judges what it has read.
var Young = young
