package runtimeapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"

	"lambda-authorizer/local/process"
)

// sandbox is one process of the function and the Runtime API that it alone
// talks to.
type sandbox struct {
	options *Options
	process *process.Process
	server  *http.Server
	stderr  process.Tail

	// work hands an invocation to a poll that waits for one.
	work chan *invocation
	// polled is closed at the first poll: the function is initialised.
	polled     chan struct{}
	polledOnce sync.Once
	// serving ends the polls that wait when the sandbox is stopped.
	serving context.Context
	end     context.CancelFunc

	mu      sync.Mutex
	pending map[string]*invocation
	initErr string
}

// startSandbox starts a process and waits for its first poll, or until the
// function is closed.
func startSandbox(o *Options, number int, closed <-chan struct{}) (*sandbox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, &InitError{o.Name, err.Error()}
	}
	s := &sandbox{
		options: o,
		work:    make(chan *invocation),
		polled:  make(chan struct{}),
		pending: make(map[string]*invocation),
	}
	s.serving, s.end = context.WithCancel(context.Background())
	s.server = &http.Server{Handler: s.api(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // ends with Close, and says so
	if err := s.startProcess(listener.Addr().String(), number); err != nil {
		s.end()
		s.server.Close()
		return nil, &InitError{o.Name, err.Error()}
	}
	if err := s.awaitPoll(closed); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *sandbox) startProcess(api string, number int) error {
	cmd := exec.Command(s.options.Bootstrap)
	cmd.Dir = s.options.TaskRoot
	cmd.Env = environ(s.options, api, number)
	stdout := &lines{each: s.options.Stdout}
	stderr := &lines{each: s.options.Stderr, also: &s.stderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	p, err := process.Start(cmd)
	if err != nil {
		return err
	}
	s.process = p
	go func() {
		<-p.Done()
		stdout.flush()
		stderr.flush()
	}()
	return nil
}

// awaitPoll returns when the function is initialised.
func (s *sandbox) awaitPoll(closed <-chan struct{}) error {
	late := time.NewTimer(s.options.InitTimeout)
	defer late.Stop()
	why := ""
	select {
	case <-s.polled:
		return nil
	case <-s.process.Done():
		why = s.lastWords()
	case <-closed:
		why = ErrClosed.Error()
	case <-late.C:
		why = fmt.Sprintf("no poll within %s", s.options.InitTimeout)
		if said := s.stderr.String(); said != "" {
			why += ": " + said
		}
	}
	s.stop(0)
	return &InitError{s.options.Name, why}
}

// lastWords is the best explanation of why the process ended.
func (s *sandbox) lastWords() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, said := range []string{s.initErr, s.stderr.String()} {
		if said != "" {
			return said
		}
	}
	return ended(s.process.Err())
}

func (s *sandbox) gone() bool {
	select {
	case <-s.process.Done():
		return true
	case <-s.serving.Done():
		return true
	default:
		return false
	}
}

// stop ends the process, asking first where grace is more than 0, and then the
// API: the other way round the process would complain of a dead API.
func (s *sandbox) stop(grace time.Duration) {
	if grace > 0 {
		s.process.Stop(grace)
	} else {
		s.process.Kill()
	}
	s.end()
	s.server.Close()
}

// run hands i to the process and waits for its answer.
func (s *sandbox) run(ctx context.Context, i *invocation) ([]byte, error) {
	s.mu.Lock()
	s.pending[i.id] = i
	s.mu.Unlock()
	select {
	case s.work <- i:
	case <-s.process.Done():
		return s.exited(i)
	case <-ctx.Done():
		s.take(i.id)
		return nil, ctx.Err()
	}
	// One that is given up here stays pending: its late answer is accepted
	// and read by nobody.
	select {
	case r := <-i.result:
		return r.payload, r.err
	case <-s.process.Done():
		return s.exited(i)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// exited is what Lambda says of an invocation whose process ended. An answer
// that came first still counts.
func (s *sandbox) exited(i *invocation) ([]byte, error) {
	select {
	case r := <-i.result:
		return r.payload, r.err
	default:
		return nil, &FunctionError{
			Type:    "Runtime.ExitError",
			Message: fmt.Sprintf("RequestId: %s Error: Runtime exited: %s", i.id, ended(s.process.Err())),
		}
	}
}

// take returns the pending invocation of that id, once; nil where there is
// none.
func (s *sandbox) take(id string) *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.pending[id]
	delete(s.pending, id)
	return i
}

func ended(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return strings.TrimSpace(err.Error())
}
