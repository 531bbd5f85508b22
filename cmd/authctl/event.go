package main

import (
	"encoding/json"
	"strings"
)

type object map[string]any

// event is the authorizer event that API Gateway sends for the request. What
// no authorizer decides by is left out.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func (r *request) event() ([]byte, error) {
	var e object
	switch r.kind {
	case "rest-token":
		e = r.tokenEvent()
	case "http2":
		e = r.http2Event()
	default:
		e = r.requestEvent()
	}
	return json.Marshal(e)
}

// tokenEvent carries the last value of the one header that is its identity
// source.
func (r *request) tokenEvent() object {
	value := last(r.headers[strings.ToLower(r.sources[0].Name)])
	return object{"type": "TOKEN", "methodArn": r.arn(), "authorizationToken": value}
}

// requestEvent is that of REST, HTTP 1.0 and WebSocket APIs.
func (r *request) requestEvent() object {
	context := object{"apiId": r.api, "stage": r.stage, "identity": object{"sourceIp": r.sourceIP}}
	e := object{
		"type": "REQUEST", "methodArn": r.arn(), "requestContext": context,
		"headers": lasts(r.headers), "multiValueHeaders": r.headers,
		"queryStringParameters": lasts(r.query), "multiValueQueryStringParameters": r.query,
	}
	if r.kind == "websocket" {
		context["routeKey"], context["eventType"] = r.route, "CONNECT"
		return e
	}
	e["httpMethod"], e["path"] = r.method, r.path
	context["path"] = r.withStage(r.path)
	if resource := r.resource(); resource != "" {
		e["resource"], context["resourcePath"] = resource, resource
	}
	if r.kind == "http1" {
		e["version"], e["path"] = "1.0", r.withStage(r.decoded())
		context["path"] = e["path"]
		e["headers"], e["queryStringParameters"] = joined(r.headers), joined(r.query)
		values := []string{}
		for _, source := range r.sources {
			values = append(values, r.value(source))
		}
		e["identitySource"] = strings.Join(values, ",")
		e["authorizationToken"] = e["identitySource"]
	}
	return e
}

func (r *request) http2Event() object {
	headers := joined(r.headers)
	delete(headers, "cookie")
	path := r.withStage(r.decoded())
	e := object{
		"version": "2.0", "type": "REQUEST", "routeArn": r.arn(), "routeKey": r.route,
		"rawPath": path, "rawQueryString": r.rawQuery,
		"headers": headers, "queryStringParameters": joined(r.query),
		"requestContext": object{
			"apiId": r.api, "stage": r.stage, "routeKey": r.route,
			"http": object{"method": r.method, "path": path, "sourceIp": r.sourceIP},
		},
	}
	if lines := r.headers["cookie"]; lines != nil {
		e["cookies"] = strings.Split(strings.Join(lines, "; "), "; ")
	}
	var values []string
	for _, source := range r.sources {
		values = append(values, r.value(source))
	}
	e["identitySource"] = values // null without sources
	return e
}

// resource is the path of the route, which is all that these events tell.
func (r *request) resource() string {
	if _, path, ok := strings.Cut(r.route, " "); ok {
		return path
	}
	return r.route
}

// withStage is the path with the stage in it, as a client of the default
// endpoint asks for it.
func (r *request) withStage(path string) string {
	if r.stage == "$default" {
		return path
	}
	return "/" + r.stage + path
}

func lasts(all map[string][]string) map[string]string {
	out := make(map[string]string, len(all))
	for name, values := range all {
		out[name] = last(values)
	}
	return out
}

func joined(all map[string][]string) map[string]string {
	out := make(map[string]string, len(all))
	for name, values := range all {
		out[name] = strings.Join(values, ",")
	}
	return out
}
