package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// maxARN is the longest ARN of a method with authorization, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxARN = 1600

// maxTTL is the longest an authorizer's result may be cached.
const maxTTL = time.Hour

// check refuses settings that API Gateway does not accept.
func (a *Authorizer) check(kind Kind, prefixes sourcePrefixes) ([]source, error) {
	var sources []source
	for _, text := range a.IdentitySources {
		src, err := parseSource(text, prefixes)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	switch {
	case a.Function == nil:
		return nil, errors.New("no function")
	case a.TTL < 0 || a.TTL > maxTTL:
		return nil, fmt.Errorf("TTL %s is not between 0 and %s", a.TTL, maxTTL)
	case kind == WebSocket && a.TTL > 0:
		return nil, errors.New("a WebSocket API caches no results: TTL must be 0")
	case kind == RESTToken && (len(sources) != 1 || sources[0].from != fromHeader):
		return nil, errors.New("a TOKEN authorizer has exactly one identity source, a header")
	case kind != RESTToken && a.Validation != nil:
		return nil, errors.New("only a TOKEN authorizer has a validation expression")
	case a.TTL > 0 && len(sources) == 0:
		return nil, errors.New("caching needs at least one identity source")
	}
	return sources, nil
}

// authorize returns nil where the request may pass.
func (s *Stage) authorize(ctx context.Context, c *call) *failure {
	failures := s.front.failures()
	c.arn = s.arn(c)
	if len(c.arn) > maxARN {
		return &failures.uriTooLong
	}
	if !s.identify(c) {
		c.consulted = SourceMissing
		return &failures.unauthorized
	}
	res, err := s.consult(ctx, c)
	if err != nil {
		c.authorizerError = err.Error()
		if errors.Is(err, errUnauthorized) {
			return &failures.unauthorized
		}
		return &failures.authorizer
	}
	c.granted = res
	switch res.decide(c.arn) {
	case allowed:
		return nil
	case deniedExplicitly:
		return &failures.deniedExplicitly
	default:
		return &failures.denied
	}
}

// identify reads the identity sources, all of which must be there and not
// empty, and applies the validation expression.
func (s *Stage) identify(c *call) bool {
	for _, src := range s.sources {
		value := s.value(c, src)
		if value == "" {
			return false
		}
		c.identity = append(c.identity, value)
	}
	v := s.Authorizer.Validation
	return v == nil || v.MatchString(c.identity[0])
}

var errUnauthorized = errors.New("Unauthorized")

// consult answers from the cache or by asking the function. Only what the
// function decided is cached, not that it failed.
func (s *Stage) consult(ctx context.Context, c *call) (*result, error) {
	if res := s.cache.get(c.identity); res != nil {
		c.consulted = AnsweredCached
		if res.breaksWhenCached != "" {
			return nil, fmt.Errorf("context.%s is JSON text, which an HTTP API cannot read back from its cache", res.breaksWhenCached)
		}
		return res, nil
	}
	c.consulted = Invoked
	event, err := json.Marshal(s.adapter.event(s, c))
	if err != nil {
		return nil, err
	}
	answer, err := s.Authorizer.Function(ctx, event)
	if err != nil {
		return nil, functionError(err)
	}
	res, err := s.adapter.result(answer)
	if err != nil {
		return nil, err
	}
	s.cache.put(c.identity, res)
	return res, nil
}

// functionError tells the one error text that API Gateway knows from all
// others: exactly "Unauthorized".
func functionError(err error) error {
	var reported interface{ ErrorMessage() string }
	if errors.As(err, &reported) && reported.ErrorMessage() == "Unauthorized" {
		return errUnauthorized
	}
	return err
}

// arn is the ARN that the authorizer gets and that policies are evaluated on.
func (s *Stage) arn(c *call) string {
	head := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/", s.Region, s.Account, s.API, s.Stage)
	if s.Kind == WebSocket {
		return head + "$connect"
	}
	return head + c.request.Method + c.path
}
