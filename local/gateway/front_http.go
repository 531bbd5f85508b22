package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// httpAPI is an HTTP API. Its integration gets events of the same payload
// version as its authorizer.
type httpAPI struct {
	payload string
}

// path decodes, and cuts at a question mark that was encoded (observed, not
// documented).
func (httpAPI) path(sent string) string {
	text, err := url.PathUnescape(sent)
	if err != nil {
		return sent
	}
	path, _, _ := strings.Cut(text, "?")
	return path
}

func (httpAPI) pick(r *routes, method, path string) (*route, params) {
	return r.pickRoute(method, path)
}

func (httpAPI) prefixes() sourcePrefixes {
	return sourcePrefixes{"$request.header.", "$request.querystring.", "$context.", "$stageVariables."}
}

func (httpAPI) failures() failures { return httpFailures }

// serve is the Lambda proxy integration of an HTTP API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (a httpAPI) serve(s *Stage, w http.ResponseWriter, c *call) {
	event := http2Event(s, c)
	context := http2Context(s, c)
	if a.payload == "1.0" {
		event, context = http1Event(s, c), http1Context(s, c)
	}
	if c.granted != nil && a.payload == "1.0" {
		context["authorizer"] = c.granted.strings()
	} else if c.granted != nil {
		context["authorizer"] = object{"lambda": c.granted.context}
	}
	event["requestContext"] = context
	event["body"], event["isBase64Encoded"] = c.bodyText()
	if event["body"] == nil && a.payload == "2.0" {
		delete(event, "body")
	}
	s.integrate(w, c, event)
}

// lowerCased is how HTTP APIs name headers.
func lowerCased(h http.Header) map[string][]string {
	out := make(map[string][]string, len(h))
	for name, values := range h {
		out[strings.ToLower(name)] = values
	}
	return out
}

// joined is how payload 2.0 has several values.
func joined(values map[string][]string) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		out[name] = strings.Join(v, ",")
	}
	return out
}
