package gateway

import (
	"errors"
	"strings"
)

// http1 is an HTTP API's authorizer with payload format 1.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
type http1 struct{}

func (http1) event(s *Stage, c *call) any {
	event := http1Event(s, c)
	event["type"] = "REQUEST"
	event["methodArn"] = c.arn
	event["identitySource"], event["authorizationToken"] = nil, nil
	if len(c.identity) > 0 {
		all := strings.Join(c.identity, ",")
		event["identitySource"], event["authorizationToken"] = all, all
	}
	event["requestContext"] = http1Context(s, c)
	return event
}

// result: the context may not use the name claims, which stands for a JWT
// authorizer's.
func (http1) result(answer []byte) (*result, error) {
	r, err := flat(readPolicyAnswer(answer))
	if err != nil {
		return nil, err
	}
	if _, ok := r.context["claims"]; ok {
		return nil, errors.New("context.claims is a reserved name")
	}
	return r, nil
}

// http1Event is the REST event with the version, lower-cased header names and
// a decoded path that has the stage in it.
func http1Event(s *Stage, c *call) object {
	event := restEvent(s, c)
	names := lowerCased(c.header)
	event["version"] = "1.0"
	event["path"] = s.withStage(c.path)
	event["headers"] = joined(names)
	event["multiValueHeaders"] = names
	event["pathParameters"] = c.params
	return event
}

func http1Context(s *Stage, c *call) object {
	context := restContext(s, c)
	context["resourceId"] = c.route.key
	return context
}
