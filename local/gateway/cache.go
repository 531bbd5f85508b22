package gateway

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxCached bounds the cache. AWS names no bound; a stand-in needs one.
const maxCached = 10_000

// cache keeps authorizer results under the values of the identity sources, and
// nothing else: neither method nor path is part of the key.
type cache struct {
	ttl time.Duration
	now func() time.Time

	mu      sync.Mutex
	entries map[string]cached
}

type cached struct {
	result  *result
	expires time.Time
}

func newCache(ttl time.Duration, now func() time.Time) *cache {
	return &cache{ttl: ttl, now: now, entries: make(map[string]cached)}
}

// get returns nil where nothing is cached, or no longer.
func (c *cache) get(identity []string) *result {
	if c.ttl == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries[key(identity)]
	if !ok || !c.now().Before(entry.expires) {
		return nil
	}
	return entry.result
}

func (c *cache) put(identity []string, r *result) {
	if c.ttl == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.entries) >= maxCached {
		c.makeRoom(now)
	}
	c.entries[key(identity)] = cached{r, now.Add(c.ttl)}
}

// makeRoom drops what has expired, or anything at all where nothing has.
func (c *cache) makeRoom(now time.Time) {
	for k, entry := range c.entries {
		if !now.Before(entry.expires) {
			delete(c.entries, k)
		}
	}
	for k := range c.entries {
		if len(c.entries) < maxCached {
			return
		}
		delete(c.entries, k)
	}
}

func (c *cache) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

// key joins values so that no two lists of them make the same key.
func key(identity []string) string {
	var b strings.Builder
	for _, value := range identity {
		b.WriteString(strconv.Itoa(len(value)))
		b.WriteByte(':')
		b.WriteString(value)
	}
	return b.String()
}
