package gateway

import (
	"strconv"
	"testing"
	"time"
)

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	c := newCache(time.Minute, func() time.Time { return now })
	for n := range maxCached + 50 {
		c.put([]string{strconv.Itoa(n)}, &result{})
	}
	newest := []string{strconv.Itoa(maxCached + 49)}
	if len(c.entries) > maxCached || c.get(newest) == nil {
		t.Errorf("%d entries, newest there: %t", len(c.entries), c.get(newest) != nil)
	}
	now = now.Add(time.Minute)
	c.put([]string{"late"}, &result{})
	if len(c.entries) != 1 {
		t.Errorf("%d entries after all but one expired", len(c.entries))
	}
}
