// Package gateway stands in for API Gateway in front of Lambda functions: one
// Stage is one deployed stage of a REST, HTTP or WebSocket API with a Lambda
// authorizer and a Lambda proxy integration behind it.
//
// It does what AWS documents of authorizers: identity sources, the result
// cache, policy evaluation, the answers to 401, 403 and 500, the context that
// reaches the backend, the limits. It has none of the rest of API Gateway: no
// usage plans, throttling, resource policies, mapping templates or custom
// domains, and it checks no AWS signature.
//
// It shares no code with the authorizer, so that one does not repeat the
// other's mistakes.
package gateway

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// Kind is a kind of API together with the shape of its authorizer's events.
type Kind string

// The kinds of API that a Lambda authorizer can be attached to.
const (
	RESTToken   Kind = "REST TOKEN"
	RESTRequest Kind = "REST REQUEST"
	HTTP1       Kind = "HTTP 1.0"
	HTTP2Simple Kind = "HTTP 2.0 simple"
	HTTP2IAM    Kind = "HTTP 2.0 IAM"
	WebSocket   Kind = "WebSocket"
)

// Function invokes a Lambda function. An error that has a method
// ErrorMessage() string is one that the function reported.
type Function func(ctx context.Context, event []byte) ([]byte, error)

// Options describes a stage.
type Options struct {
	Kind Kind
	// API and Stage are as in an ARN. Requests come under /Stage/, or under /
	// where Stage is $default.
	API, Stage string
	// Account and Region default to 123456789012 and eu-central-1.
	Account, Region string
	// Routes are the routes of the API, as "GET /items/{id}", "ANY /{proxy+}",
	// and $default for HTTP APIs. A WebSocket API has $connect alone.
	Routes []string
	// Open are routes, as "OPTIONS /items", that have no authorizer.
	Open []string
	// Authorizer is asked about every route of Routes. Nil: the API is open.
	Authorizer *Authorizer
	// Backend answers what is let in. A WebSocket API echoes messages instead.
	Backend Function
	// StageVariables are handed to functions and may be identity sources.
	StageVariables map[string]string
	// Access gets a line for every request answered. Default: none.
	Access func(Access)
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Authorizer is how a Lambda authorizer is set up.
type Authorizer struct {
	Function Function
	// TTL is how long results are cached: 0 is off, at most 1h. A WebSocket
	// API has no cache.
	TTL time.Duration
	// IdentitySources are written as in API Gateway: method.request.header.X
	// for REST, $request.header.X for HTTP and route.request.header.X for
	// WebSocket APIs. A TOKEN authorizer has exactly one, a header.
	IdentitySources []string
	// Validation is a TOKEN authorizer's validation expression: a token that
	// it does not match is refused without asking. Nil: none.
	Validation *regexp.Regexp
}

// Access is what the stage's access log says of a request.
type Access struct {
	Time           time.Time
	RequestID      string
	API, Stage     string
	Method, Route  string
	Status         int
	Authorizer     Consulted
	SourceIP       string
	ErrorMessage   string // why an authorizer's answer was not usable
	ResponseLength int
}

// Consulted tells what became of the authorizer in a request.
type Consulted string

// The values of Consulted.
const (
	NotConsulted   Consulted = ""        // an open route, or none
	SourceMissing  Consulted = "missing" // an identity source was not there
	Invoked        Consulted = "invoked"
	AnsweredCached Consulted = "cached"
)

// Stage is a running stage, an http.Handler. Safe for concurrent use.
type Stage struct {
	Options
	front   front
	adapter adapter
	routes  *routes
	sources []source
	cache   *cache

	closing context.Context
	close   context.CancelFunc
	sockets sockets
}

// adapter is what differs between the shapes of authorizer events.
type adapter interface {
	// event is the authorizer's event for a request, to be rendered as JSON.
	event(s *Stage, c *call) any
	// result reads the authorizer's answer.
	result(answer []byte) (*result, error)
}

// front is what differs between REST, HTTP and WebSocket APIs on the client's
// side.
type front interface {
	// path takes a path as sent, without the stage, to the path in ARNs.
	path(sent string) string
	// pick chooses among the routes that fit method and path.
	pick(r *routes, method, path string) (*route, params)
	// prefixes are the forms of expression an identity source may begin with.
	prefixes() sourcePrefixes
	failures() failures
	// serve answers an admitted request.
	serve(s *Stage, w http.ResponseWriter, c *call)
}

// kinds says how each kind of API is served.
var kinds = map[Kind]struct {
	front   front
	adapter adapter
}{
	RESTToken:   {rest{}, restToken{}},
	RESTRequest: {rest{}, restRequest{}},
	HTTP1:       {httpAPI{payload: "1.0"}, http1{}},
	HTTP2Simple: {httpAPI{payload: "2.0"}, http2{simple: true}},
	HTTP2IAM:    {httpAPI{payload: "2.0"}, http2{}},
	WebSocket:   {webSocket{}, webSocketRequest{}},
}

// New checks o as API Gateway would when the stage is deployed.
func New(o Options) (*Stage, error) {
	kind, ok := kinds[o.Kind]
	if !ok {
		return nil, fmt.Errorf("stage %s: %q is no kind of API", o.Stage, o.Kind)
	}
	if o.Account == "" {
		o.Account = "123456789012"
	}
	if o.Region == "" {
		o.Region = "eu-central-1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Stage{Options: o, front: kind.front, adapter: kind.adapter}
	s.closing, s.close = context.WithCancel(context.Background())
	var err error
	if s.routes, err = newRoutes(slices.Concat(o.Routes, o.Open)); err != nil {
		return nil, fmt.Errorf("stage %s: %w", o.Stage, err)
	}
	if o.Authorizer == nil {
		return s, nil
	}
	if s.sources, err = o.Authorizer.check(o.Kind, s.front.prefixes()); err != nil {
		return nil, fmt.Errorf("stage %s: authorizer: %w", o.Stage, err)
	}
	s.cache = newCache(o.Authorizer.TTL, o.Now)
	return s, nil
}

// ServeHTTP answers one request as the deployed stage would.
func (s *Stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := &responseRecorder{ResponseWriter: w}
	c, refused := s.receive(recorder, r)
	defer func() { s.log(c, recorder) }()
	if refused == nil {
		refused = s.admit(r.Context(), c)
	}
	if refused != nil {
		s.refuse(recorder, c, *refused)
		return
	}
	s.front.serve(s, recorder, c)
}

// admit finds the route and asks the authorizer.
func (s *Stage) admit(ctx context.Context, c *call) *failure {
	failures := s.front.failures()
	if c.route, c.params = s.front.pick(s.routes, c.request.Method, c.path); c.route == nil {
		return &failures.noRoute
	}
	if s.Authorizer == nil || slices.Contains(s.Open, c.route.key) {
		return nil
	}
	return s.authorize(ctx, c)
}

// Flush forgets every cached authorizer result.
func (s *Stage) Flush() {
	if s.cache != nil {
		s.cache.flush()
	}
}

// Close ends the stage's WebSocket connections and returns when they are gone.
func (s *Stage) Close() {
	s.close()
	s.sockets.wait()
}

func (s *Stage) log(c *call, w *responseRecorder) {
	if s.Access == nil {
		return
	}
	a := Access{
		Time: c.received, RequestID: c.id, API: s.API, Stage: s.Stage,
		Method: c.request.Method, Status: w.status, Authorizer: c.consulted,
		SourceIP: c.sourceIP(), ErrorMessage: c.authorizerError, ResponseLength: w.length,
	}
	if c.route != nil {
		a.Route = c.route.key
	}
	s.Access(a)
}
