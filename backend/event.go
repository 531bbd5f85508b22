package backend

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// Event is what API Gateway says about a request beside the request itself.
type Event struct {
	// Payload is the payload format: "1.0" for REST APIs too, "2.0", or empty
	// for a request that did not come through API Gateway.
	Payload   string
	RequestID string
	APIID     string
	Stage     string
	// Route is the template that API Gateway chose: "GET /items/{id}".
	Route    string
	SourceIP string
	// Path is the path as API Gateway tells it, percent-encoded: with the
	// stage or, in payload 1.0, a custom domain's base path. It is not always
	// the one that the client sent: payload 2.0 does not give the key of an API
	// mapping.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
	Path string
}

// EventOf returns what API Gateway says about the request whose context ctx
// is. Outside of API Gateway it is the zero Event.
func EventOf(ctx context.Context) Event {
	if v2, ok := core.GetAPIGatewayV2ContextFromContext(ctx); ok {
		return Event{
			Payload: "2.0", RequestID: v2.RequestID, APIID: v2.APIID, Stage: v2.Stage,
			Route: v2.RouteKey, SourceIP: v2.HTTP.SourceIP, Path: escaped(v2.HTTP.Path),
		}
	}
	if v1, ok := core.GetAPIGatewayContextFromContext(ctx); ok {
		return Event{
			Payload: "1.0", RequestID: v1.RequestID, APIID: v1.APIID, Stage: v1.Stage,
			Route:    strings.TrimSpace(v1.HTTPMethod + " " + v1.ResourcePath),
			SourceIP: v1.Identity.SourceIP, Path: encoded(v1.Path),
		}
	}
	return Event{}
}

// normalizeV1 makes e.Path the path inside the API, percent-encoded, as a
// handler's mux wants it. A REST API keeps the client's encoding; an HTTP API
// has decoded the path.
func normalizeV1(e *events.APIGatewayProxyRequest, httpAPI bool) {
	if httpAPI {
		e.Path = escaped(within(e.Path, e.Resource, e.PathParameters, e.RequestContext.Stage))
		return
	}
	e.Path = encoded(within(e.Path, e.Resource, e.PathParameters, ""))
}

// normalizeV2 does the same for an HTTP API's 2.0 event. The adapter parses
// path and query as a URL, so a decoded path must be encoded again and no byte
// of the query may end or break that URL.
func normalizeV2(e *events.APIGatewayV2HTTPRequest) {
	_, template, _ := strings.Cut(e.RouteKey, " ")
	path := e.RawPath
	if path == "" {
		path = e.RequestContext.HTTP.Path
	}
	e.RawPath = escaped(within(path, template, e.PathParameters, e.RequestContext.Stage))
	e.RawQueryString = safeQuery(e.RawQueryString)
}

// within cuts what stands before the API's own path: a custom domain's base
// path and, with HTTP APIs, a named stage. The route's template says how many
// segments are the API's own; without a template ($default) only the stage is
// known.
func within(path, template string, parameters map[string]string, stage string) string {
	n := segments(template, parameters)
	if n == 0 {
		rest, found := strings.CutPrefix(path, "/"+stage)
		switch {
		case !found || stage == "":
		case rest == "":
			return "/"
		case rest[0] == '/':
			return rest
		}
		return path
	}
	at := len(path)
	for ; n > 0 && at > 0; n-- {
		at = strings.LastIndexByte(path[:at], '/')
	}
	if at <= 0 {
		return path
	}
	return path[at:]
}

// segments counts the path segments that template stands for; 0 where that
// cannot be known.
func segments(template string, parameters map[string]string) int {
	if !strings.HasPrefix(template, "/") || template == "/" {
		return 0
	}
	n := strings.Count(template, "/")
	if greedy, found := strings.CutSuffix(template, "+}"); found {
		name := greedy[strings.LastIndexByte(greedy, '{')+1:]
		value, ok := parameters[name]
		if !ok {
			return 0
		}
		n += strings.Count(value, "/")
	}
	return n
}

// escaped percent-encodes a decoded path.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// encoded returns path as it is where it is validly percent-encoded, and
// otherwise encodes all of it.
func encoded(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return escaped(path)
	}
	return (&url.URL{Path: decoded, RawPath: path}).EscapedPath()
}

// safeQuery percent-encodes what net/url refuses in a URL or takes for its
// end.
func safeQuery(q string) string {
	var b strings.Builder
	for i := range len(q) {
		switch c := q[i]; {
		case c <= ' ', c == 0x7f, c == '#':
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
