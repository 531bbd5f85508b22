package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"lambda-authorizer/config"
	"lambda-authorizer/policy"
)

// sketch is a request in the words of curl, from which explain makes the event
// that API Gateway would send.
type sketch struct {
	kind     string
	method   string
	target   string // path, with a query behind ? where there is one
	headers  []string
	api      string
	stage    string
	sourceIP string
	route    string // the route that API Gateway chose
}

// The kinds of API that a sketch can be for.
var sketchKinds = []string{"rest-token", "rest", "http1", "http2", "websocket"}

// request is a sketch taken apart and completed.
type request struct {
	sketch
	path, rawQuery string // as sent
	headers, query map[string][]string
	sources        []config.IdentitySource
	// missing are the identity sources that the request lacks: API Gateway
	// answers 401 and does not call the function.
	missing []string
}

// complete reads a sketch and fills in what it leaves out from the
// configuration.
func (s sketch) complete(cfg *config.Config) (*request, error) {
	r := &request{sketch: s}
	var api config.API
	r.sources, api = cfg.Gateway.Sources()
	if r.kind == "" {
		r.kind = map[config.API]string{config.REST: "rest", config.HTTP: "http2", config.WebSocket: "websocket"}[api]
	}
	if !slices.Contains(sketchKinds, r.kind) {
		return nil, usage("--kind is one of %s, not %q", strings.Join(sketchKinds, ", "), r.kind)
	}
	if err := r.parse(); err != nil {
		return nil, err
	}
	r.choose(cfg)
	if r.kind == "rest-token" {
		r.sources = r.tokenSource()
	}
	for _, source := range r.sources {
		if r.value(source) == "" {
			r.missing = append(r.missing, source.String())
		}
	}
	return r, nil
}

func (r *request) parse() (err error) {
	r.path, r.rawQuery, _ = strings.Cut(r.target, "?")
	if r.kind != "websocket" && !strings.HasPrefix(r.path, "/") {
		return usage("--path begins with a slash, %q does not", r.path)
	}
	if r.query, err = url.ParseQuery(r.rawQuery); err != nil {
		return usage("--path has a query that cannot be read: %v", err)
	}
	r.headers = map[string][]string{}
	for _, h := range r.sketch.headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || name == "" {
			return usage("--header is 'Name: value'")
		}
		r.headers[name] = append(r.headers[name], strings.TrimSpace(value))
	}
	return nil
}

// tokenSource is the one source of a TOKEN authorizer, a header.
func (r *request) tokenSource() []config.IdentitySource {
	i := slices.IndexFunc(r.sources, func(s config.IdentitySource) bool { return s.Kind == "header" })
	if i < 0 {
		return []config.IdentitySource{{Kind: "header", Name: "Authorization"}}
	}
	return r.sources[i : i+1]
}

// choose fills in the API and the route. API Gateway's own choice of a route
// is not known here: the one that the path matches is taken.
func (r *request) choose(cfg *config.Config) {
	api, stage := "abcdef1234", "*"
	if len(cfg.Gateway.APIs) > 0 {
		api, stage, _ = strings.Cut(cfg.Gateway.APIs[0], "/")
	}
	switch {
	case stage != "*":
	case r.http():
		stage = "$default"
	default:
		stage = "prod"
	}
	r.api, r.stage = cmp.Or(r.api, api), cmp.Or(r.stage, stage)
	if r.kind == "websocket" {
		r.route = "$connect"
	}
	if r.route != "" {
		return
	}
	form, path := policy.Encoded, r.path
	if r.http() {
		form, path = policy.Decoded, r.decoded()
	}
	if id, ok := cfg.Table().Match(form, r.method, strings.TrimPrefix(path, "/")); ok {
		r.route = cfg.Table().Template(id)
	}
}

// http tells an HTTP API, with either payload.
func (r *request) http() bool { return r.kind == "http1" || r.kind == "http2" }

// decoded is the path as an HTTP API hands it on: decoded, and cut at a
// question mark that was encoded (observed, not documented).
func (r *request) decoded() string {
	path, err := url.PathUnescape(r.path)
	if err != nil {
		return r.path
	}
	path, _, _ = strings.Cut(path, "?")
	return path
}

// value is what the request has in an identity source, empty where it has
// nothing. A stage variable is not known here, and taken to be set.
func (r *request) value(source config.IdentitySource) string {
	switch source.Kind {
	case "header":
		return strings.Join(r.headers[strings.ToLower(source.Name)], ",")
	case "querystring":
		return last(r.query[source.Name])
	case "context":
		return r.context(source.Name)
	}
	return "${" + source.String() + "}"
}

// context is the value of a context variable. Those that a sketch does not
// have are taken to be set.
func (r *request) context(name string) string {
	switch name {
	case "identity.sourceIp":
		return r.sourceIP
	case "routeKey":
		return r.route
	case "apiId":
		return r.api
	case "stage":
		return r.stage
	case "httpMethod":
		return r.method
	}
	return "${context." + name + "}"
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// arn is the ARN that the event carries.
func (r *request) arn() string {
	stage := fmt.Sprintf("arn:aws:execute-api:eu-central-1:123456789012:%s/%s/", r.api, r.stage)
	switch {
	case r.kind == "websocket":
		return stage + "$connect"
	case r.http():
		return stage + r.method + r.decoded()
	}
	return stage + r.method + r.path
}
