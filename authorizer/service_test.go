package authorizer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
)

// service is a connected function, and what it wrote.
type service struct {
	*authorizer.Authorizer
	config *config.Config
	// log is what is no decision line.
	log *journal

	mu     sync.Mutex
	lines  map[string]map[string]any // by Lambda's request id
	stages map[gateway.Kind]*gateway.Stage
}

// connect loads a configuration and connects it to p, as the main does.
func (p *place) connect(t testing.TB, yaml string) *service {
	t.Helper()
	return p.connectTo(t, load(t, yaml, keySet(t), map[string]string{"REVOCATIONS": p.revocations, "NONCES": p.nonces}))
}

func (p *place) connectTo(t testing.TB, cfg *config.Config) *service {
	t.Helper()
	s := &service{config: cfg, log: &journal{}, lines: map[string]map[string]any{}, stages: map[gateway.Kind]*gateway.Stage{}}
	var err error
	s.Authorizer, _, err = authorizer.Connect(cfg, authorizer.Surroundings{
		AWS: p.aws, Now: p.Now, Decisions: s, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// Write takes decision lines.
func (s *service) Write(text []byte) (int, error) {
	var line map[string]any
	if err := json.Unmarshal(text, &line); err != nil {
		line = map[string]any{"broken": string(text)}
	}
	id, _ := line["lambda_request_id"].(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[id] = line
	return len(text), nil
}

// invocation is one call of the function, on the way through a gateway.
type invocation struct{ id, answer string }

type invocationKey struct{}

// invoke is the Lambda runtime: it gives each call an id, and errors their
// form.
func (s *service) invoke(ctx context.Context, event []byte) ([]byte, error) {
	id := rand.Text()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: id})
	answer, err := s.Invoke(ctx, event)
	if i, ok := ctx.Value(invocationKey{}).(*invocation); ok {
		i.id, i.answer = id, string(answer)
	}
	if err != nil {
		return nil, reported{err}
	}
	return answer, nil
}

// reported is an error as the Lambda service tells it.
type reported struct{ error }

func (r reported) ErrorMessage() string { return r.Error() }

// everyAPI are the kinds of API that carry every kind of credential.
var everyAPI = []gateway.Kind{gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2IAM}

// stage is an API of that kind in front of the function: every route of its
// configuration, its identity sources, its TTL.
func (s *service) stage(t testing.TB, kind gateway.Kind) *gateway.Stage {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if stage := s.stages[kind]; stage != nil {
		return stage
	}
	sources := s.config.Gateway.IdentitySources
	if kind == gateway.RESTToken {
		sources = []string{"method.request.header.Authorization"}
	}
	stage, err := s.deploy(kind, sources)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stage.Close)
	s.stages[kind] = stage
	return stage
}

// deploy sets an API of that kind up with these identity sources.
func (s *service) deploy(kind gateway.Kind, sources []string) (*gateway.Stage, error) {
	var routes []string
	for _, r := range s.config.Routes {
		if (r.Route == "$connect") == (kind == gateway.WebSocket) {
			routes = append(routes, r.Route)
		}
	}
	if kind != gateway.WebSocket {
		routes = append(routes, "PUT /items") // which no configuration knows
	}
	return gateway.New(gateway.Options{
		Kind: kind, API: "abcdef1234", Stage: "prod", Routes: routes,
		Authorizer: &gateway.Authorizer{Function: s.invoke, TTL: s.config.Gateway.CacheTTL, IdentitySources: sources},
		Backend:    echo,
	})
}

// echo is a backend that answers with what the authorizer told it.
func echo(_ context.Context, event []byte) ([]byte, error) {
	var e struct {
		RequestContext struct{ Authorizer json.RawMessage }
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"statusCode": 200, "body": string(e.RequestContext.Authorizer)})
}

// outcome is how a request ended.
type outcome struct {
	status int
	// context is what reached the backend.
	context map[string]any
	// line is the decision line; nil where the function was not asked.
	line map[string]any
	// answer is what the function returned.
	answer string
}

func (o outcome) reason() string {
	text, _ := o.line["reason"].(string)
	return text
}

// send sends a request through an API of that kind.
func (s *service) send(t testing.TB, kind gateway.Kind, r *http.Request) outcome {
	t.Helper()
	return s.through(t, s.stage(t, kind), r)
}

func (s *service) through(t testing.TB, stage *gateway.Stage, r *http.Request) outcome {
	t.Helper()
	i := &invocation{}
	recorder := httptest.NewRecorder()
	stage.ServeHTTP(recorder, r.WithContext(context.WithValue(r.Context(), invocationKey{}, i)))
	s.mu.Lock()
	defer s.mu.Unlock()
	o := outcome{status: recorder.Code, line: s.lines[i.id], answer: i.answer}
	if o.status == http.StatusOK {
		var told struct{ Lambda map[string]any }
		if err := json.Unmarshal(recorder.Body.Bytes(), &told); err != nil || json.Unmarshal(recorder.Body.Bytes(), &o.context) != nil {
			t.Fatalf("the backend got %s", recorder.Body)
		}
		if told.Lambda != nil {
			o.context = told.Lambda
		}
	}
	return o
}

// event is what an API of that kind hands the function for a request.
func (s *service) event(t testing.TB, kind gateway.Kind, r *http.Request) []byte {
	t.Helper()
	var event []byte
	stage := *s.stage(t, kind)
	settings := *stage.Authorizer
	settings.Function = func(_ context.Context, e []byte) ([]byte, error) {
		event = bytes.Clone(e)
		return nil, reported{errors.New("Unauthorized")}
	}
	stage.Authorizer = &settings
	stage.ServeHTTP(httptest.NewRecorder(), r)
	return event
}

// part puts something on a request.
type part func(*http.Request) error

// request is one for "METHOD /path?query" under the stage, from an address that
// is in no list, with parts put on in their order: a signature comes last.
func request(t testing.TB, route string, parts ...part) *http.Request {
	t.Helper()
	method, path, _ := cut(route)
	return requestWithBody(t, method, path, "", parts...)
}

func requestWithBody(t testing.TB, method, path, body string, parts ...part) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, "https://api.example.com/prod/"+strings.TrimPrefix(path, "/"), strings.NewReader(body))
	r.RemoteAddr = "192.0.2.44:1000"
	for _, put := range parts {
		if err := put(r); err != nil {
			t.Fatal(err)
		}
	}
	r.RequestURI = r.URL.RequestURI() // signing writes the URL anew
	return r
}

func bearer(token string) part { return header("Authorization", "Bearer "+token) }
func key(text string) part     { return header("X-Api-Key", text) }

func header(name, value string) part {
	return func(r *http.Request) error { r.Header.Add(name, value); return nil }
}

func from(address string) part {
	return func(r *http.Request) error { r.RemoteAddr = "[" + address + "]:1000"; return nil }
}

func signed(s *httpsig.Signer) part { return s.Sign }

// at moves the clock for one call alone.
func (p *place) at(d time.Duration, f func()) {
	p.Add(d)
	defer p.Add(-d)
	f()
}
