package revocation_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Not parallel: it weighs the heap.
func TestCacheHoldsOnToNoToken(t *testing.T) {
	cfg := config()
	cfg.CacheSize = 2000
	c := checkerOf(t, empty{}, "t", cfg, at(today))
	before := heap()
	for i := range cfg.CacheSize {
		// A jti is cut from the token's payload and shares its memory.
		payload := strings.Repeat(" ", 16_000) + strconv.Itoa(i)
		if _, err := c.Check(t.Context(), token(payload[16_000:])); err != nil {
			t.Fatal(err)
		}
	}
	grown := int64(heap()) - int64(before)
	if c.CacheLen() != cfg.CacheSize || grown > int64(cfg.CacheSize)*1000 {
		t.Errorf("%d entries take %d bytes, want under 1,000 each: tokens have 16,000", c.CacheLen(), grown)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
