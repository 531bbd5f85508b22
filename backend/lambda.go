package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// Lambda serves an http.Handler to API Gateway: REST APIs, and HTTP APIs with
// payload format 1.0 or 2.0. It is a lambda.Handler:
//
//	lambda.Start(backend.NewLambda(handler))
//
// It stands on the core of aws-lambda-go-api-proxy and evens out what that
// leaves to its user: the stage or base path in front of the path, decoded
// paths and odd queries that it cannot parse, and fields of a 2.0 event that it
// splits at every comma (its issue 171). That library was archived in May 2025,
// so this package alone imports it: replacing it stays a change here.
//
// An HTTP API joins the values of a repeated field with a comma before any code
// of ours sees them; a REST API keeps them apart.
type Lambda struct{ handler http.Handler }

// NewLambda makes a Lambda that serves h.
func NewLambda(h http.Handler) *Lambda { return &Lambda{h} }

// Invoke answers one event. An event that is not API Gateway's is an error.
func (l *Lambda) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var probe struct {
		Version    string `json:"version"`
		HTTPMethod string `json:"httpMethod"`
		Context    struct {
			HTTP struct {
				Method string `json:"method"`
			} `json:"http"`
		} `json:"requestContext"`
	}
	if err := json.Unmarshal(payload, &probe); err != nil {
		return nil, errors.New("the event is not a JSON object of API Gateway's shape")
	}
	switch {
	case probe.Version == "2.0" && probe.Context.HTTP.Method != "":
		return l.invokeV2(ctx, payload)
	case (probe.Version == "" || probe.Version == "1.0") && probe.HTTPMethod != "":
		return l.invokeV1(ctx, payload, probe.Version == "1.0")
	}
	return nil, fmt.Errorf("the event (version %.10q) is not a REST or HTTP API's proxy event: check what invokes this function", probe.Version)
}

func (l *Lambda) invokeV1(ctx context.Context, payload []byte, httpAPI bool) ([]byte, error) {
	var event events.APIGatewayProxyRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("the event does not have a REST API's shape: %s", fieldOf(err))
	}
	normalizeV1(&event, httpAPI)
	var accessor core.RequestAccessor
	r, err := accessor.EventToRequestWithContext(ctx, event)
	if err != nil {
		return nil, errors.New("the event's path, query or body does not make an HTTP request")
	}
	w := core.NewProxyResponseWriter()
	l.handler.ServeHTTP(w, r)
	answer, err := w.GetProxyResponse()
	if err != nil {
		return nil, fmt.Errorf("the handler gave no answer: %w", err)
	}
	return json.Marshal(answer)
}

func (l *Lambda) invokeV2(ctx context.Context, payload []byte) ([]byte, error) {
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("the event does not have an HTTP API's shape: %s", fieldOf(err))
	}
	normalizeV2(&event)
	var accessor core.RequestAccessorV2
	r, err := accessor.EventToRequestWithContext(ctx, event)
	if err != nil {
		return nil, errors.New("the event's path, query or body does not make an HTTP request")
	}
	for name, value := range event.Headers {
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
	}
	w := core.NewProxyResponseWriterV2()
	l.handler.ServeHTTP(w, r)
	answer, err := w.GetProxyResponse()
	if err != nil {
		return nil, fmt.Errorf("the handler gave no answer: %w", err)
	}
	return json.Marshal(answer)
}

// fieldOf names the field that did not fit and never its value, which may be
// a credential.
func fieldOf(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return "field " + wrong.Field
	}
	return "malformed"
}
