package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"lambda-authorizer/problem"
)

// API is a kind of API Gateway API, as far as the spelling of an identity
// source tells it.
type API int

// The spellings. A REST API's are the default.
const (
	REST      API = iota // method.request.header.X, context.X
	HTTP                 // $request.header.X, $context.X
	WebSocket            // route.request.header.X, context.X
)

// IdentitySource is one entry of gateway.identity_sources:
//
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html#http-api-lambda-authorizer.identity-sources
type IdentitySource struct {
	API API
	// Kind is header, querystring, context or stageVariables.
	Kind string
	// Name is as written. A header's is case-insensitive, all others are not.
	Name string
}

// The two context variables that make an answer safe to cache. Both kinds of
// API call the address the same:
//
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
const (
	sourceAddress = "identity.sourceIp"
	routeKey      = "routeKey"
)

var sourceForms = []struct {
	prefix string
	api    API
	kind   string
	name   *regexp.Regexp
}{
	{"method.request.header.", REST, "header", headerName},
	{"method.request.querystring.", REST, "querystring", queryName},
	{"route.request.header.", WebSocket, "header", headerName},
	{"route.request.querystring.", WebSocket, "querystring", queryName},
	{"$request.header.", HTTP, "header", headerName},
	{"$request.querystring.", HTTP, "querystring", queryName},
	{"$context.", HTTP, "context", variableName},
	{"$stageVariables.", HTTP, "stageVariables", variableName},
	{"context.", REST, "context", variableName},
	{"stageVariables.", REST, "stageVariables", variableName},
}

var (
	// RFC 9110 section 5.6.2: a header's name, and a cookie's, is a token.
	headerName   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")
	queryName    = regexp.MustCompile(`^[!"$%'-+\--<>-~]{1,128}$`)
	variableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
)

// ParseIdentitySource reads one source as it is written in the authorizer's
// own settings. context.X and stageVariables.X are spelled alike for REST and
// WebSocket APIs and are taken as REST.
func ParseIdentitySource(s string) (IdentitySource, error) {
	for _, form := range sourceForms {
		name, ok := strings.CutPrefix(s, form.prefix)
		if !ok {
			continue
		}
		if strings.ContainsAny(name, ", ") {
			return IdentitySource{}, errors.New("must be one identity source: give each its own entry of the list")
		}
		if !form.name.MatchString(name) {
			return IdentitySource{}, fmt.Errorf("must be %sNAME with a valid name", form.prefix)
		}
		return IdentitySource{API: form.api, Kind: form.kind, Name: name}, nil
	}
	return IdentitySource{}, errors.New("must be written as in the authorizer's settings: " +
		"method.request.header.NAME, method.request.querystring.NAME, context.NAME or stageVariables.NAME for a REST API; " +
		"$request.header.NAME, $request.querystring.NAME, $context.NAME or $stageVariables.NAME for an HTTP API")
}

// String is the source as it is written in the settings.
func (s IdentitySource) String() string {
	for _, form := range sourceForms {
		if form.api == s.API && form.kind == s.Kind {
			return form.prefix + s.Name
		}
	}
	// A WebSocket API spells context and stageVariables as REST does.
	return s.Kind + "." + s.Name
}

// same tells whether two sources read the same value of a request.
func (s IdentitySource) same(o IdentitySource) bool {
	if s.Kind == "header" {
		return o.Kind == "header" && strings.EqualFold(s.Name, o.Name)
	}
	return s.Kind == o.Kind && s.Name == o.Name
}

// Sources returns the parsed identity sources and the API they are written
// for. Only a validated Gateway has them all.
func (g Gateway) Sources() (sources []IdentitySource, api API) {
	for _, raw := range g.IdentitySources {
		s, err := ParseIdentitySource(raw)
		if err != nil {
			continue
		}
		sources = append(sources, s)
		api = max(api, s.API)
	}
	return sources, api
}

func (g Gateway) validateSources() []problem.Problem {
	var out []problem.Problem
	var seen []IdentitySource
	for i, raw := range g.IdentitySources {
		at := fmt.Sprintf("identity_sources[%d]", i)
		s, err := ParseIdentitySource(raw)
		switch {
		case err != nil:
			out = append(out, problem.At(at, "%v", err))
			continue
		case contains(seen, s):
			out = append(out, problem.At(at, "is listed twice"))
		case mixed(seen, s):
			out = append(out, problem.At(at, "mixes the spellings of two kinds of API: one authorizer belongs to one API"))
		}
		seen = append(seen, s)
	}
	if len(g.IdentitySources) == 0 && g.CacheTTL > 0 {
		out = append(out, problem.At("identity_sources", "must list at least one: with caching on these are the key of the cache"))
	}
	return out
}

func contains(sources []IdentitySource, s IdentitySource) bool {
	for _, have := range sources {
		if have.same(s) {
			return true
		}
	}
	return false
}

// mixed tells whether s is written for another kind of API than the sources
// before it.
func mixed(before []IdentitySource, s IdentitySource) bool {
	shared := func(x IdentitySource) bool {
		return x.API == REST && (x.Kind == "context" || x.Kind == "stageVariables")
	}
	for _, b := range before {
		if b.API == s.API || (s.API == WebSocket && shared(b)) || (b.API == WebSocket && shared(s)) {
			continue
		}
		return true
	}
	return false
}
