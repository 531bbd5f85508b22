package items_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lambda-authorizer/local/gateway"
)

// apiRoutes are the routes as a careful deployment lists them, and some for all
// else, so that the service's own 404 and 405 can be seen.
var apiRoutes = []string{
	"GET /items", "POST /items", "GET /items/{id}", "PUT /items/{id}", "PATCH /items/{id}", "DELETE /items/{id}",
	"ANY /items", "ANY /items/{id}", "ANY /{proxy+}",
}

// behind puts a stage of API Gateway in front of the service: every request of
// the caller goes through it, authorizer included.
func (c caller) behind(t testing.TB, kind gateway.Kind) caller {
	t.Helper()
	return c.deployed(t, kind, true)
}

// onOpenRoutes does the same and forgets the authorizer.
func (c caller) onOpenRoutes(t testing.TB, kind gateway.Kind) caller {
	t.Helper()
	return c.deployed(t, kind, false)
}

func (c caller) deployed(t testing.TB, kind gateway.Kind, authorized bool) caller {
	t.Helper()
	source := "method.request.header.Authorization"
	if kind == gateway.HTTP1 || kind == gateway.HTTP2Simple || kind == gateway.HTTP2IAM {
		source = "$request.header.Authorization"
	}
	o := gateway.Options{Kind: kind, API: "api0000001", Stage: "prod", Routes: apiRoutes, Backend: c.service.lambda.Invoke}
	if authorized {
		o.Authorizer = &gateway.Authorizer{Function: testAuthorizer, IdentitySources: []string{source}}
	}
	stage, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.stage, c.prefix = stage, "/prod"
	return c
}

// testAuthorizer lets in everyone with the context that the token holds: who
// may pass is not what is tested here.
func testAuthorizer(_ context.Context, payload []byte) ([]byte, error) {
	var event struct {
		MethodArn, RouteArn string
		Headers             map[string]string
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	token := event.Headers["Authorization"] + event.Headers["authorization"]
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "Bearer "))
	var values map[string]any
	if err != nil || json.Unmarshal(raw, &values) != nil || values == nil {
		return nil, unauthorized{}
	}
	if event.RouteArn != "" {
		return json.Marshal(map[string]any{"isAuthorized": values["principal"] != "denied", "context": values})
	}
	effect := "Allow"
	if values["principal"] == "denied" {
		effect = "Deny"
	}
	return json.Marshal(map[string]any{
		"principalId": values["principal"], "context": values,
		"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{"Effect": effect, "Action": "execute-api:Invoke", "Resource": event.MethodArn},
		}},
	})
}

type unauthorized struct{}

func (unauthorized) Error() string        { return "the function failed" }
func (unauthorized) ErrorMessage() string { return "Unauthorized" }

// request is a request of the caller to its stage.
func (c caller) request(ctx context.Context, method, target, body string, header http.Header) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://api.example.com"+c.prefix+target, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.RequestURI = c.prefix + target
	r.RemoteAddr = "192.0.2.1:1234"
	for name, values := range header {
		r.Header[name] = values
	}
	token, err := json.Marshal(c.contextValues())
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+base64.RawURLEncoding.EncodeToString(token))
	return r, nil
}

// through sends a request through the caller's stage.
func (c caller) through(ctx context.Context, method, target, body string, header http.Header) (answer, error) {
	r, err := c.request(ctx, method, target, body, header)
	if err != nil {
		return answer{}, err
	}
	w := httptest.NewRecorder()
	c.stage.ServeHTTP(w, r)
	if w.Code == http.StatusBadGateway {
		return answer{}, errors.New("the gateway could not use the function's answer: " + w.Body.String())
	}
	return answer{w.Code, w.Header(), w.Body.String()}, nil
}
