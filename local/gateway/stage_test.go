package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/local/gateway"
)

// kinds are all of them, with the identity source that names Authorization.
var kinds = map[gateway.Kind]string{
	gateway.RESTToken:   "method.request.header.Authorization",
	gateway.RESTRequest: "method.request.header.Authorization",
	gateway.HTTP1:       "$request.header.Authorization",
	gateway.HTTP2Simple: "$request.header.Authorization",
	gateway.HTTP2IAM:    "$request.header.Authorization",
	gateway.WebSocket:   "route.request.header.Authorization",
}

// httpKinds are those that answer ordinary requests.
var httpKinds = []gateway.Kind{gateway.RESTToken, gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2Simple, gateway.HTTP2IAM}

// world is a stage with a function in place of the authorizer and one in place
// of the backend, both of which note what they were asked.
type world struct {
	*gateway.Stage
	t *testing.T

	mu       sync.Mutex
	now      time.Time
	asked    []map[string]any // events of the authorizer
	answered []map[string]any // events of the backend
	access   []gateway.Access
	// answer is the authorizer's. Default: it allows the request's own ARN.
	answer func(event map[string]any) (string, error)
	// reply is the backend's. Default: 200.
	reply func(event map[string]any) (string, error)
}

// functionError is what a function reported.
type functionError string

func (e functionError) Error() string        { return "function error: " + string(e) }
func (e functionError) ErrorMessage() string { return string(e) }

// deploy makes a stage "test" of API "api0000001" whose authorizer has one
// identity source, Authorization.
func deploy(t *testing.T, kind gateway.Kind, change ...func(*gateway.Options)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	w.answer = func(event map[string]any) (string, error) { return allow(kind, arnOf(event), ""), nil }
	w.reply = func(map[string]any) (string, error) { return `{"statusCode":200,"body":"{\"ok\":true}"}`, nil }
	o := gateway.Options{
		Kind: kind, API: "api0000001", Stage: "test",
		Routes: []string{"GET /items", "POST /items", "GET /items/{id}", "DELETE /items/{id}", "ANY /files/{path+}"},
		Authorizer: &gateway.Authorizer{
			IdentitySources: []string{kinds[kind]},
			Function:        w.function(&w.asked, func(e map[string]any) (string, error) { return w.answer(e) }),
		},
		Backend: w.function(&w.answered, func(e map[string]any) (string, error) { return w.reply(e) }),
		Access: func(a gateway.Access) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.access = append(w.access, a)
		},
		Now: func() time.Time { return w.now },
	}
	if kind == gateway.WebSocket {
		o.Routes = []string{"$connect"}
	}
	for _, f := range change {
		f(&o)
	}
	stage, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.Stage = stage
	t.Cleanup(stage.Close)
	return w
}

// cachedFor switches the result cache on.
func cachedFor(ttl time.Duration) func(*gateway.Options) {
	return func(o *gateway.Options) { o.Authorizer.TTL = ttl }
}

// sources replaces the identity sources.
func sources(expressions ...string) func(*gateway.Options) {
	return func(o *gateway.Options) { o.Authorizer.IdentitySources = expressions }
}

func (w *world) function(calls *[]map[string]any, do func(map[string]any) (string, error)) gateway.Function {
	return func(_ context.Context, payload []byte) ([]byte, error) {
		var event map[string]any
		if err := json.Unmarshal(payload, &event); err != nil {
			w.t.Errorf("event is not JSON: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		*calls = append(*calls, event)
		answer, err := do(event)
		return []byte(answer), err
	}
}

// request makes a request with headers given as "Name: value".
func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "203.0.113.10:40000"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

const token = "Authorization: Bearer abc"

// send sends a request and returns the answer.
func (w *world) send(method, target string, headers ...string) *http.Response {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, request(method, target, headers...))
	return recorder.Result()
}

// wants checks the status of a request.
func (w *world) wants(status int, method, target string, headers ...string) {
	w.t.Helper()
	if got := w.send(method, target, headers...); got.StatusCode != status {
		w.t.Errorf("%s %.60s: %d %s, want %d (authorizer: %s)", method, target, got.StatusCode, text(w.t, got), status, w.lastError())
	}
}

// askedTimes checks how often the authorizer was invoked.
func (w *world) askedTimes(n int) {
	w.t.Helper()
	if len(w.asked) != n {
		w.t.Errorf("authorizer was asked %d times, want %d", len(w.asked), n)
	}
}

func (w *world) lastError() string {
	if len(w.access) == 0 {
		return ""
	}
	return w.access[len(w.access)-1].ErrorMessage
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func arnOf(event map[string]any) string {
	for _, name := range []string{"methodArn", "routeArn"} {
		if arn, ok := event[name].(string); ok {
			return arn
		}
	}
	return ""
}

// policy is an answer with one statement.
func policy(effect, resource, context string) string {
	if context == "" {
		context = "{}"
	}
	return fmt.Sprintf(`{"principalId":"user-1","policyDocument":{"Version":"2012-10-17","Statement":[
		{"Effect":%q,"Action":"execute-api:Invoke","Resource":%q}]},"context":%s}`, effect, resource, context)
}

// allow is the answer that lets one ARN in, in the words of the kind.
func allow(kind gateway.Kind, arn, context string) string {
	if kind == gateway.HTTP2Simple {
		return simple(true, context)
	}
	return policy("Allow", arn, context)
}

func simple(authorized bool, context string) string {
	if context == "" {
		context = "{}"
	}
	return fmt.Sprintf(`{"isAuthorized":%t,"context":%s}`, authorized, context)
}

// path digs into decoded JSON.
func path(v any, names ...string) any {
	for _, name := range names {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

var errInvoke = errors.New("the function could not be invoked")
