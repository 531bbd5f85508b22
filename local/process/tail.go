package process

import (
	"strings"
	"sync"
)

// tailBytes bounds what a Tail keeps.
const tailBytes = 4 << 10

// Tail is a writer that keeps the end of what a child said, for the message
// that explains why it failed. The zero Tail is ready. Safe for concurrent use.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

// String is the last 4 KiB written, without surrounding white space.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
