package runtimeapi

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// environment is Lambda's execution environment: it runs one process at a time
// and starts the next when that one is gone.
type environment struct {
	options *Options
	number  int
	closing <-chan struct{}

	mu      sync.Mutex
	current *sandbox
	closed  bool
}

// running returns the sandbox that works, starting one where none does. A
// crashed process is replaced by the next invocation, not at once: a function
// that cannot start must not become a loop.
func (e *environment) running() (*sandbox, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if e.current != nil && !e.current.gone() {
		return e.current, nil
	}
	s, err := startSandbox(e.options, e.number, e.closing)
	if err != nil {
		return nil, err
	}
	e.current = s
	return s, nil
}

func (e *environment) invoke(payload []byte) ([]byte, error) {
	s, err := e.running()
	if err != nil {
		return nil, err
	}
	timeout := e.options.Timeout
	i := &invocation{
		id:       newRequestID(),
		trace:    newTraceID(),
		payload:  payload,
		deadline: time.Now().Add(timeout),
		result:   make(chan result, 1),
	}
	ctx, cancel := context.WithDeadline(context.Background(), i.deadline)
	defer cancel()
	answer, err := s.run(ctx, i)
	if err == nil || ctx.Err() == nil {
		return answer, err
	}
	// Lambda ends a process that is late, unless it has other work.
	if e.options.Concurrency == 1 {
		s.stop(0)
	}
	return nil, &FunctionError{
		Type:    "Sandbox.Timedout",
		Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, timeout.Seconds()),
	}
}

// pid is 0 where no process runs.
func (e *environment) pid() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.gone() {
		return 0
	}
	return e.current.process.PID()
}

func (e *environment) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.current != nil {
		e.current.stop(stopGrace)
	}
}

// stopGrace is how long a process may take to end after SIGTERM.
const stopGrace = 2 * time.Second
