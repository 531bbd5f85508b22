package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/runtimeapi"
)

// plan is how a prefix is served. Names, kinds and what is cached are a
// contract of `make run`.
type plan struct {
	name, api string
	kind      gateway.Kind
	// source is the form of the one identity source of a stage that caches.
	// The others have none, so that every kind of credential reaches them.
	source string
}

var plans = []plan{
	{"rest-token", "resttoken1", gateway.RESTToken, "method.request.header.%s"},
	{"rest", "restreq001", gateway.RESTRequest, ""},
	{"http", "httpsimple", gateway.HTTP2Simple, ""},
	{"http-iam", "httpiam001", gateway.HTTP2IAM, "$request.header.%s"},
	{"ws", "websocket1", gateway.WebSocket, ""},
}

// Invocations take up to 10 s, the most an HTTP API waits for an authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const functionTimeout = 10 * time.Second

// environments is how many processes each function may have: a slow invocation
// must not keep everybody waiting.
const environments = 2

// itemRoutes are the routes that the items function serves.
var itemRoutes = []string{
	"GET /items", "POST /items",
	"GET /items/{id}", "PUT /items/{id}", "PATCH /items/{id}", "DELETE /items/{id}",
}

// corsOrigins lets web pages call the items function.
const corsOrigins = "ITEMS_CORS_ORIGINS"

// openRoutes are what a browser asks first, without credentials. What the
// configuration lists is the authorizer's.
func (s *Stack) openRoutes(kind gateway.Kind, listed []string) (open []string) {
	if origins, _ := s.options.Getenv(corsOrigins); origins == "" || kind == gateway.WebSocket {
		return nil
	}
	for _, route := range []string{"OPTIONS /items", "OPTIONS /items/{id}"} {
		if !slices.Contains(listed, route) {
			open = append(open, route)
		}
	}
	return open
}

// makeFunctions describes the items function; stages describe theirs.
func (s *Stack) makeFunctions(context.Context) error {
	env := []string{
		"ITEMS_TABLE=" + itemsTable,
		"ITEMS_CURSOR_SECRET=" + cursorSecret,
		"LOG_LEVEL=" + s.logLevel(),
	}
	for _, name := range []string{corsOrigins, "ITEMS_CORS_CREDENTIALS"} {
		if value, ok := s.options.Getenv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	s.items = s.function("items", s.options.Items, env, nil)
	return nil
}

// makeStages overlays the configuration for each stage and deploys its API.
func (s *Stack) makeStages(context.Context) (err error) {
	for _, p := range plans {
		stage, err := s.makeStage(p, s.base)
		if err != nil {
			return err
		}
		s.stages = append(s.stages, stage)
	}
	s.health, err = gateway.New(gateway.Options{
		Kind: gateway.HTTP2IAM, API: "health0001", Stage: "$default",
		Routes:  []string{"GET /health"},
		Backend: s.items.Invoke, Access: s.options.Watch.Access,
	})
	return err
}

func (s *Stack) makeStage(p plan, base *baseConfig) (*Stage, error) {
	stage := &Stage{Name: p.name, Kind: p.kind, API: p.api}
	section := overlay{apis: p.api + "/" + p.name, httpAPI: "iam"}
	if p.kind == gateway.HTTP2Simple {
		section.httpAPI = "simple"
	}
	if p.source != "" {
		stage.TTL = s.options.CacheTTL
		section.ttl = stage.TTL
		section.sources = []string{fmt.Sprintf(p.source, s.BearerHeader())}
	}
	var err error
	stage.config, err = base.write(filepath.Join(s.options.Dir, "stages", p.name), section)
	if err != nil {
		return nil, err
	}
	env := s.authorizerEnv(p, base, stage.config.path)
	stage.function = s.function("authorizer-"+p.name, s.options.Authorizer, env, func(line []byte) {
		s.options.Watch.Decision(p.name, line)
	})
	routes := base.routesFor(p.kind)
	stage.gateway, err = gateway.New(gateway.Options{
		Kind: p.kind, API: p.api, Stage: p.name,
		Account: runtimeapi.Account, Region: runtimeapi.Region,
		Routes: routes, Open: s.openRoutes(p.kind, routes),
		Authorizer: &gateway.Authorizer{
			Function: stage.function.Invoke, TTL: stage.TTL, IdentitySources: section.sources,
		},
		Backend: s.items.Invoke,
		Access:  s.options.Watch.Access,
	})
	return stage, err
}

// BearerHeader is the header that bearer tokens come in.
func (s *Stack) BearerHeader() string {
	return cmp.Or(s.expand(s.base.Bearer.Header), "Authorization")
}

// routesFor are the routes of an API of that kind: those of the items function
// and whatever the configuration lists. What is no route is left out: the
// authorizer says so, with its line, and its stage stays closed.
func (b *baseConfig) routesFor(kind gateway.Kind) []string {
	if kind == gateway.WebSocket {
		return []string{"$connect"}
	}
	routes := slices.Clone(itemRoutes)
	for _, r := range b.Routes {
		route := r.Route
		rest := kind == gateway.RESTToken || kind == gateway.RESTRequest
		if !gateway.IsRoute(route) || route == "$connect" || route == "$default" && rest || slices.Contains(routes, route) {
			continue
		}
		routes = append(routes, route)
	}
	return routes
}

// function describes a function of the stack, with the AWS endpoints set so
// that no call ever leaves this machine.
func (s *Stack) function(name, bootstrap string, env []string, stdout func([]byte)) *runtimeapi.Function {
	return runtimeapi.New(runtimeapi.Options{
		Name: name, Bootstrap: bootstrap, Environments: environments, Timeout: functionTimeout,
		Env: append(env,
			"AWS_ENDPOINT_URL="+s.awsURL(),
			"AWS_ENDPOINT_URL_DYNAMODB="+s.dynamo.Endpoint(),
			"AWS_ENDPOINT_URL_SECRETS_MANAGER="+s.awsURL(),
		),
		Stdout: stdout,
		Stderr: func(line []byte) { s.options.Watch.Log(name, line) },
	})
}

// authorizerEnv is what the configuration may refer to as ${NAME}: the stack's
// own names first, then those of its user.
func (s *Stack) authorizerEnv(p plan, base *baseConfig, config string) []string {
	env := []string{
		"AUTHORIZER_CONFIG=" + config,
		"ISSUER=" + s.issuer.URL(), "AUDIENCE=" + Audience,
		"API_ID=" + p.api, "STAGE=" + p.name,
		"REVOCATIONS_TABLE=" + revocationsTable, "NONCES_TABLE=" + noncesTable,
		"LOG_LEVEL=" + s.logLevel(),
	}
	for _, name := range base.variables {
		set := slices.ContainsFunc(env, func(pair string) bool { return strings.HasPrefix(pair, name+"=") })
		if value, ok := s.options.Getenv(name); ok && !set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// logLevel is the user's, or warn: what goes well is in the decision lines.
func (s *Stack) logLevel() string {
	if level, ok := s.options.Getenv("LOG_LEVEL"); ok {
		return level
	}
	return "warn"
}

// why tells a closed stage's reason in the words of the user's own file.
func (s *Stack) why(stage *Stage, err error) string {
	var failed *runtimeapi.InitError
	if !errors.As(err, &failed) {
		return err.Error()
	}
	return stage.config.inWordsOf(s.options.Config, failed.Why)
}
