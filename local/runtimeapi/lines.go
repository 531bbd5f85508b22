package runtimeapi

import (
	"bytes"
	"io"
	"sync"
)

// maxLine is the largest CloudWatch log event, 256 KB: a longer line is cut
// into several.
const maxLine = 256 << 10

// lines is a writer that hands on whole lines.
type lines struct {
	each func(line []byte)
	also io.Writer // gets everything as it comes; nil for none

	mu  sync.Mutex
	buf []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.also != nil {
		_, _ = l.also.Write(p)
	}
	l.buf = append(l.buf, p...)
	for {
		line, rest, whole := bytes.Cut(l.buf, []byte("\n"))
		if !whole && len(line) < maxLine {
			return len(p), nil
		}
		l.each(bytes.TrimSuffix(line, []byte("\r")))
		l.buf = rest
	}
}

// flush hands on what is left of a line without an end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > 0 {
		l.each(l.buf)
		l.buf = nil
	}
}
