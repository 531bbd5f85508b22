package gateway

import (
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// rest is a REST API.
type rest struct{}

// path keeps percent-encoding: a REST API hands the path on as it was sent.
func (rest) path(sent string) string { return sent }

// pick takes a path that no resource has once more without its trailing slash:
// /items/ reaches the resource /items, and functions see /items/. Observed,
// not documented, and only of APIs whose resources are not greedy.
// https://github.com/aws-powertools/powertools-lambda-python/pull/1577
func (rest) pick(r *routes, method, path string) (*route, params) {
	found, p := r.pickResource(method, path)
	if p != nil { // there is a resource, be it without the method
		return found, p
	}
	if shorter, ok := strings.CutSuffix(path, "/"); ok && shorter != "" {
		return r.pickResource(method, shorter)
	}
	return nil, nil
}

func (rest) prefixes() sourcePrefixes {
	return sourcePrefixes{"method.request.header.", "method.request.querystring.", "context.", "stageVariables."}
}

func (rest) failures() failures { return restFailures }

// serve is the Lambda proxy integration of a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func (rest) serve(s *Stage, w http.ResponseWriter, c *call) {
	event := restEvent(s, c)
	context := restContext(s, c)
	if c.granted != nil {
		context["authorizer"] = c.granted.strings()
	}
	event["requestContext"] = context
	event["body"], event["isBase64Encoded"] = c.bodyText()
	s.integrate(w, c, event)
}

// object is a JSON object in the making.
type object = map[string]any

// restEvent is what the events of a REST API's authorizer and of its
// integration have in common.
func restEvent(s *Stage, c *call) object {
	headers := make(map[string]string, len(c.header))
	for name, values := range c.header {
		headers[name] = last(values)
	}
	query := make(map[string]string, len(c.query))
	for name, values := range c.query {
		query[name] = last(values)
	}
	return object{
		"resource":                        c.route.template,
		"path":                            c.sent,
		"httpMethod":                      c.request.Method,
		"headers":                         headers,
		"multiValueHeaders":               c.header,
		"queryStringParameters":           query,
		"multiValueQueryStringParameters": c.query,
		"pathParameters":                  decoded(c.params),
		"stageVariables":                  s.stageVariables(),
	}
}

func restContext(s *Stage, c *call) object {
	return object{
		"accountId":         s.Account,
		"apiId":             s.API,
		"domainName":        c.domain(),
		"domainPrefix":      s.API,
		"extendedRequestId": c.id,
		"httpMethod":        c.request.Method,
		"identity":          identityOf(c),
		"path":              s.withStage(c.path),
		"protocol":          c.request.Proto,
		"requestId":         c.id,
		"requestTime":       c.time(),
		"requestTimeEpoch":  c.received.UnixMilli(),
		"resourceId":        resourceID(c.route.template),
		"resourcePath":      c.route.template,
		"stage":             s.Stage,
	}
}

// identityOf: what stands for AWS identities is null where an authorizer is
// used.
func identityOf(c *call) object {
	return object{
		"sourceIp": c.sourceIP(), "userAgent": c.request.UserAgent(),
		"accessKey": nil, "accountId": nil, "caller": nil, "principalOrgId": nil,
		"cognitoAuthenticationProvider": nil, "cognitoAuthenticationType": nil,
		"cognitoIdentityId": nil, "cognitoIdentityPoolId": nil, "user": nil, "userArn": nil,
	}
}

func (s *Stage) stageVariables() map[string]string {
	if s.StageVariables == nil {
		return map[string]string{}
	}
	return s.StageVariables
}

// decoded takes percent-encoding off path parameters.
func decoded(p params) params {
	out := make(params, len(p))
	for name, value := range p {
		if text, err := url.PathUnescape(value); err == nil {
			value = text
		}
		out[name] = value
	}
	return out
}

// resourceID is stable per resource, like the real ones.
func resourceID(template string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(template)) // never fails, hash.Hash
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}
