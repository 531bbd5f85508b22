// Package local runs the whole service on one machine: the real authorizer and
// items functions as Lambda would run them, behind stand-ins for API Gateway
// and Secrets Manager, with a DynamoDB-compatible server and a token issuer.
// It is for development and tests: anybody who reaches it can mint any token.
package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/issuer"
	"lambda-authorizer/local/runtimeapi"
	"lambda-authorizer/local/secretsmanager"
)

// Audience is what the issuer's tokens are for unless asked otherwise.
const Audience = "local-api"

// Options says what to run.
type Options struct {
	// Address to listen on. Port 0 takes a free one.
	Address string
	// Authorizer and Items are the paths of the bootstraps.
	Authorizer, Items string
	// Config is the base configuration of the authorizer; each stage overlays
	// its own gateway section and response.http_api.
	Config string
	// CacheTTL is the lifetime of cached results on the stages that cache. 0
	// is off, at most 1h, whole seconds.
	CacheTTL time.Duration
	// Dir takes local.env and the stages' configurations.
	Dir string
	// DynamoDB says which server to use.
	DynamoDB dynamo.Options
	// Getenv looks up what the configuration refers to as ${NAME} and the
	// stack does not set. os.LookupEnv has its form. Default: nothing.
	Getenv func(string) (string, bool)
	// Watch gets what happens. The zero Watch: nobody.
	Watch Watch
}

// Watch gets what the stack has to say, from several goroutines.
type Watch struct {
	// Decision gets each line that an authorizer writes to standard output.
	Decision func(stage string, line []byte)
	// Access gets a line for each request that a stage answered.
	Access func(gateway.Access)
	// Log gets each line that a function writes to standard error. An
	// authorizer's function is named authorizer-STAGE.
	Log func(function string, line []byte)
}

// Stack is a running stack. Safe for concurrent use.
type Stack struct {
	options  Options
	url      string
	issuer   *issuer.Issuer
	secrets  *secretsmanager.Server
	base     *baseConfig
	keys     Keys
	dynamo   *dynamo.Server
	items    *runtimeapi.Function
	stages   []*Stage
	health   *gateway.Stage
	server   *http.Server
	served   chan struct{}
	closing  sync.Once
	listener net.Listener
	// env is what this stack wrote into its environment file.
	env []byte
}

// Stage is one API of the stack.
type Stage struct {
	// Name is the stage's name and the first segment of its URLs.
	Name string
	Kind gateway.Kind
	// API is the API's id, TTL its authorizer's.
	API string
	TTL time.Duration
	// Closed says why the stage's authorizer does not start. Empty: it does.
	Closed string

	config   staged
	gateway  *gateway.Stage
	function *runtimeapi.Function
}

// Start starts everything and returns when it answers. A stage whose
// configuration is not valid is started too, closed: it answers 500.
func Start(ctx context.Context, o Options) (*Stack, error) {
	o = o.withDefaults()
	s := &Stack{options: o, served: make(chan struct{})}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// start is in order: what comes later needs what came before.
func (s *Stack) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.listen, s.readConfig, s.makeIssuer, s.makeSecrets, s.startDynamo, s.makeFunctions, s.makeStages,
		s.serve, s.makeKeys, s.warm, s.writeEnv,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = func(string) (string, bool) { return "", false }
	}
	w := &o.Watch
	if w.Decision == nil {
		w.Decision = func(string, []byte) {}
	}
	if w.Access == nil {
		w.Access = func(gateway.Access) {}
	}
	if w.Log == nil {
		w.Log = func(string, []byte) {}
	}
	return o
}

// URL is where the stack is reached, without a trailing slash.
func (s *Stack) URL() string { return s.url }

// Issuer is the token issuer.
func (s *Stack) Issuer() *issuer.Issuer { return s.issuer }

// DynamoDB is the endpoint of the tables.
func (s *Stack) DynamoDB() string { return s.dynamo.Endpoint() }

// Stages lists the APIs in the order of the documentation.
func (s *Stack) Stages() []*Stage { return s.stages }

// BusyError means that the address is taken.
type BusyError struct {
	// Address is taken, Instead is one that is likely free.
	Address, Instead string
}

func (e *BusyError) Error() string {
	_, port, _ := net.SplitHostPort(e.Address)
	return fmt.Sprintf("port %s is in use: set LOCAL_ADDR=%s", port, e.Instead)
}

func (s *Stack) listen(context.Context) error {
	listener, err := net.Listen("tcp", s.options.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &BusyError{s.options.Address, nextAddress(s.options.Address)}
	}
	if err != nil {
		return fmt.Errorf("LOCAL_ADDR=%s: %w", s.options.Address, err)
	}
	s.listener = listener
	s.url = "http://" + reachable(listener.Addr().(*net.TCPAddr))
	return nil
}

// reachable is the address as this machine calls it: a listener on all
// addresses is reached on loopback.
func reachable(a *net.TCPAddr) string {
	if a.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", a.Port)
	}
	return a.String()
}

func nextAddress(address string) string {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil || a.Port == 65535 {
		return "127.0.0.1:0"
	}
	a.Port++
	return a.String()
}

func (s *Stack) readConfig(context.Context) (err error) {
	s.base, err = readConfig(s.options.Config)
	return err
}

func (s *Stack) makeIssuer(context.Context) (err error) {
	s.issuer, err = issuer.New(s.url+"/oidc", Audience)
	return err
}

func (s *Stack) serve(context.Context) error {
	s.server = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(s.listener) // ends with Close, and says so
	}()
	return nil
}

// warm starts every process at once. An authorizer that does not start closes
// its stage, items that do not start end it all.
func (s *Stack) warm(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, stage := range s.stages {
		wg.Go(func() {
			if err := stage.function.Warm(ctx); err != nil {
				stage.Closed = s.why(stage, err)
			}
		})
	}
	err := s.items.Warm(ctx)
	wg.Wait()
	return err
}

// Close stops everything and returns when no process is left.
func (s *Stack) Close() {
	s.closing.Do(func() {
		s.removeEnv()
		for _, stage := range s.stages {
			stage.gateway.Close()
		}
		if s.server != nil {
			s.server.Close()
			<-s.served
		} else if s.listener != nil {
			s.listener.Close()
		}
		var wg sync.WaitGroup
		for _, stage := range s.stages {
			wg.Go(stage.function.Close)
		}
		if s.items != nil {
			wg.Go(s.items.Close)
		}
		wg.Wait()
		if s.dynamo != nil {
			s.dynamo.Close()
		}
	})
}

// PIDs are the process ids of what runs.
func (s *Stack) PIDs() []int {
	pids := s.items.PIDs()
	for _, stage := range s.stages {
		pids = append(pids, stage.function.PIDs()...)
	}
	if pid := s.dynamo.PID(); pid != 0 {
		pids = append(pids, pid)
	}
	return pids
}

// Exposed tells whether other machines may reach the stack.
func (s *Stack) Exposed() bool {
	return !s.listener.Addr().(*net.TCPAddr).IP.IsLoopback()
}
