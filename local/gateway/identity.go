package gateway

import (
	"fmt"
	"strings"
)

// from is where an identity source is read.
type from int

const (
	fromHeader from = iota
	fromQuery
	fromContext
	fromStageVariables
)

// source is a parsed identity source.
type source struct {
	from from
	name string
}

// sourcePrefixes are the spellings of the four places in one kind of API.
type sourcePrefixes [4]string

// parseSource reads one expression.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html#http-api-lambda-authorizer.identity-sources
// https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html
func parseSource(text string, prefixes sourcePrefixes) (source, error) {
	for place, prefix := range prefixes {
		name, ok := strings.CutPrefix(text, prefix)
		if !ok || name == "" {
			continue
		}
		src := source{from(place), name}
		if src.from == fromContext && contextVariables[name] == nil {
			return source{}, fmt.Errorf("identity source %q: the stand-in knows no context variable %s", text, name)
		}
		return src, nil
	}
	return source{}, fmt.Errorf("identity source %q: must begin with one of %s", text, strings.Join(prefixes[:], ", "))
}

// value is empty where the source is missing.
func (s *Stage) value(c *call, src source) string {
	switch src.from {
	case fromHeader:
		return s.headerValue(c, src.name)
	case fromQuery:
		return last(c.query[src.name])
	case fromStageVariables:
		return s.StageVariables[src.name]
	default:
		return contextVariables[src.name](s, c)
	}
}

// headerValue is the last of several values in a REST or WebSocket API, as in
// the event's headers, and all of them in an HTTP API.
func (s *Stage) headerValue(c *call, name string) string {
	values := c.header.Values(name)
	if _, ok := s.front.(httpAPI); ok {
		return strings.Join(values, ",")
	}
	return last(values)
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// contextVariables are those of $context that make sense as identity sources.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
var contextVariables = map[string]func(*Stage, *call) string{
	"accountId":          func(s *Stage, _ *call) string { return s.Account },
	"apiId":              func(s *Stage, _ *call) string { return s.API },
	"stage":              func(s *Stage, _ *call) string { return s.Stage },
	"domainName":         func(_ *Stage, c *call) string { return c.domain() },
	"httpMethod":         func(_ *Stage, c *call) string { return c.request.Method },
	"path":               func(s *Stage, c *call) string { return s.withStage(c.path) },
	"protocol":           func(_ *Stage, c *call) string { return c.request.Proto },
	"requestId":          func(_ *Stage, c *call) string { return c.id },
	"resourcePath":       func(_ *Stage, c *call) string { return c.route.template },
	"routeKey":           func(_ *Stage, c *call) string { return c.route.key },
	"identity.sourceIp":  func(_ *Stage, c *call) string { return c.sourceIP() },
	"identity.userAgent": func(_ *Stage, c *call) string { return c.request.UserAgent() },
}
