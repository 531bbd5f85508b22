// Package runtimeapi runs Lambda functions that are built for a custom
// runtime: it serves the Lambda Runtime API (version 2018-06-01) and starts the
// function's bootstrap against it, as the Lambda service does. It knows nothing
// of what the function is for.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Region and Account are those of every function's ARN.
const (
	Region  = "eu-central-1"
	Account = "123456789012"
)

// Options describes a function.
type Options struct {
	// Name is the function's name.
	Name string
	// Bootstrap is the path of its executable.
	Bootstrap string
	// TaskRoot is LAMBDA_TASK_ROOT and the working directory. Default: the
	// directory of Bootstrap.
	TaskRoot string
	// Env is added to Lambda's own environment, as "NAME=value". Nothing of
	// this program's environment reaches the function.
	Env []string
	// MemoryMB is only told to the function. Default 128, as Lambda's.
	MemoryMB int
	// Timeout bounds one invocation. Default 3s, as Lambda's; at most 15m.
	Timeout time.Duration
	// InitTimeout bounds the time from the start of a process to its first
	// poll. Default 10s, as Lambda's.
	InitTimeout time.Duration
	// Environments is how many processes may run. Default 1.
	Environments int
	// Concurrency is how many invocations one process may work on at once
	// (AWS_LAMBDA_MAX_CONCURRENCY of Lambda Managed Instances). Default 1.
	Concurrency int
	// Stdout and Stderr get each line that a process writes, without its end.
	// They are called from several goroutines. Default: dropped.
	Stdout, Stderr func(line []byte)
}

// Function is a function that can be invoked. Safe for concurrent use.
type Function struct {
	options Options
	// slots holds each environment as often as it may be used at once.
	slots        chan *environment
	environments []*environment
	closed       chan struct{}
}

// FunctionError is what a function reported instead of an answer.
type FunctionError struct {
	Type    string
	Message string
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("function error %s: %s", e.Type, e.Message)
}

// ErrorMessage is the text that API Gateway compares with Unauthorized.
func (e *FunctionError) ErrorMessage() string { return e.Message }

// InitError means that a process ended, or stayed silent, before its first
// poll.
type InitError struct {
	Name string
	// Why is the end of what the process wrote to standard error, or what
	// kept it from starting.
	Why string
}

func (e *InitError) Error() string { return fmt.Sprintf("%s did not start: %s", e.Name, e.Why) }

// ErrClosed is returned for invocations of a closed function.
var ErrClosed = errors.New("the function is closed")

// New describes a function without starting it: its first invocation does, as
// in Lambda.
func New(o Options) *Function {
	if o.TaskRoot == "" {
		o.TaskRoot = filepath.Dir(o.Bootstrap)
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 128
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Second
	}
	if o.InitTimeout == 0 {
		o.InitTimeout = 10 * time.Second
	}
	o.Environments = max(o.Environments, 1)
	o.Concurrency = max(o.Concurrency, 1)
	if o.Stdout == nil {
		o.Stdout = func([]byte) {}
	}
	if o.Stderr == nil {
		o.Stderr = func([]byte) {}
	}
	f := &Function{
		options: o,
		slots:   make(chan *environment, o.Environments*o.Concurrency),
		closed:  make(chan struct{}),
	}
	for n := range o.Environments {
		f.environments = append(f.environments, &environment{options: &f.options, number: n + 1, closing: f.closed})
	}
	for range o.Concurrency {
		for _, e := range f.environments {
			f.slots <- e
		}
	}
	return f
}

// Warm starts every environment and returns when each has polled, or the first
// *InitError. It must not run beside invocations that keep environments busy.
func (f *Function) Warm(ctx context.Context) error {
	started := make(chan error, len(f.environments))
	for _, e := range f.environments {
		go func() {
			_, err := e.running()
			started <- err
		}()
	}
	var failed error
	for range f.environments {
		select {
		case err := <-started:
			if failed == nil {
				failed = err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return failed
}

// Invoke runs the function on payload and returns its answer. The error is a
// *FunctionError where the function reported one, crashed or timed out, and an
// *InitError where its process did not come up. ctx bounds the wait for a free
// environment alone: once begun, an invocation goes on to its own deadline
// whether its caller is still there or not, as in Lambda.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	select {
	case <-f.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case e := <-f.slots:
		defer func() { f.slots <- e }()
		return e.invoke(payload)
	case <-f.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: no free environment: %w", f.options.Name, ctx.Err())
	}
}

// PIDs are the process ids of the environments that run.
func (f *Function) PIDs() []int {
	var pids []int
	for _, e := range f.environments {
		if pid := e.pid(); pid != 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Close ends every process and returns when they are gone. Invocations under
// way fail.
func (f *Function) Close() {
	select {
	case <-f.closed:
		return
	default:
		close(f.closed)
	}
	for _, e := range f.environments {
		e.close()
	}
}
