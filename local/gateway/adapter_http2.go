package gateway

import "strings"

// http2 is an HTTP API's authorizer with payload format 2.0, and with simple
// answers where they are enabled.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
type http2 struct {
	simple bool
}

func (http2) event(s *Stage, c *call) any {
	event := http2Event(s, c)
	event["type"] = "REQUEST"
	event["routeArn"] = c.arn
	event["identitySource"] = c.identity // null without sources
	event["requestContext"] = http2Context(s, c)
	return event
}

func (h http2) result(answer []byte) (*result, error) {
	read := readPolicyAnswer
	if h.simple {
		read = readSimpleAnswer
	}
	r, err := read(answer)
	if err != nil {
		return nil, err
	}
	for name, value := range r.context {
		if value.Kind() == '"' && looksLikeJSON(text(value)) {
			r.breaksWhenCached = name
		}
	}
	return r, nil
}

// http2Event is what the events of the authorizer and of the integration have
// in common. Cookies stand apart from the headers.
func http2Event(s *Stage, c *call) object {
	names := lowerCased(c.header)
	event := object{
		"version":        "2.0",
		"routeKey":       c.route.key,
		"rawPath":        s.withStage(c.path),
		"rawQueryString": c.request.URL.RawQuery,
		"headers":        joined(names),
		"stageVariables": s.stageVariables(),
	}
	if cookies := names["cookie"]; cookies != nil {
		event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
		delete(names, "cookie")
		event["headers"] = joined(names)
	}
	if len(c.query) > 0 {
		event["queryStringParameters"] = joined(c.query)
	}
	if len(c.params) > 0 {
		event["pathParameters"] = c.params
	}
	return event
}

func http2Context(s *Stage, c *call) object {
	return object{
		"accountId":    s.Account,
		"apiId":        s.API,
		"domainName":   c.domain(),
		"domainPrefix": s.API,
		"http": object{
			"method":    c.request.Method,
			"path":      s.withStage(c.path),
			"protocol":  c.request.Proto,
			"sourceIp":  c.sourceIP(),
			"userAgent": c.request.UserAgent(),
		},
		"requestId": c.id,
		"routeKey":  c.route.key,
		"stage":     s.Stage,
		"time":      c.time(),
		"timeEpoch": c.received.UnixMilli(),
	}
}
