package gateway_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/local/gateway"
)

// Every member of the events in AWS's documentation is in ours, of the same
// type. What a client sent, mutual TLS and usage plans aside: those members
// depend on the request.
func TestEventsHaveTheMembersOfTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for kind, file := range map[gateway.Kind]string{
		gateway.RESTToken:   "documented-rest-token",
		gateway.RESTRequest: "documented-rest-request",
		gateway.HTTP1:       "documented-http1",
		gateway.HTTP2Simple: "documented-http2",
		gateway.HTTP2IAM:    "documented-http2",
	} {
		raw, err := os.ReadFile("../../testdata/events/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var documented map[string]any
		if err := json.Unmarshal(raw, &documented); err != nil {
			t.Fatal(err)
		}
		w := deploy(t, kind)
		w.wants(200, "GET", "/test/items/7?a=b", token, "Cookie: session=x")
		compare(t, string(kind), documented, w.asked[0])
	}
}

func compare(t *testing.T, at string, want, got any) {
	t.Helper()
	object, ok := want.(map[string]any)
	if !ok {
		if w, g := jsonType(want), jsonType(got); w != g {
			t.Errorf("%s is %s, documented is %s", at, g, w)
		}
		return
	}
	have, ok := got.(map[string]any)
	if !ok {
		t.Errorf("%s is no object", at)
		return
	}
	for name, value := range object {
		inner := at + "." + name
		switch name {
		case "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables":
			compare(t, inner, map[string]any{}, have[name])
		case "authentication", "clientCert", "apiKey":
		default:
			compare(t, inner, value, have[name])
		}
	}
}

func jsonType(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case float64:
		return "a number"
	case []any:
		return "an array"
	case nil:
		return "null"
	}
	return "something else"
}

func TestTokenEventHoldsTheTokenAndTheARNAndNothingElse(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.RESTToken)
	w.wants(200, "GET", "/test/items?secret=1", token, "X-Api-Key: k")
	want := map[string]any{
		"type": "TOKEN", "authorizationToken": "Bearer abc", "methodArn": stageARN + "GET/items",
	}
	if diff := cmp.Diff(want, w.asked[0]); diff != "" {
		t.Errorf("event (-want +got)\n%s", diff)
	}
}

func TestRESTEventKeepsEveryValueAndTheHeaderNames(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.RESTRequest)
	w.wants(200, "GET", "/test/items/a%20b?x=1&x=2", token, "X-Two: 1", "X-Two: 2")
	e := w.asked[0]
	for name, want := range map[string]any{
		"headers.X-Two":                       "2",
		"headers.X-Forwarded-For":             "203.0.113.10",
		"headers.Host":                        "example.com",
		"multiValueHeaders.X-Two":             []any{"1", "2"},
		"queryStringParameters.x":             "2",
		"multiValueQueryStringParameters.x":   []any{"1", "2"},
		"pathParameters.id":                   "a b",
		"requestContext.identity.sourceIp":    "203.0.113.10",
		"requestContext.resourcePath":         "/items/{id}",
		"requestContext.path":                 "/test/items/a%20b",
		"requestContext.requestTime":          "21/Nov/2026:12:00:00 +0000",
		"resource":                            "/items/{id}",
		"path":                                "/items/a%20b",
		"httpMethod":                          "GET",
		"requestContext.stage":                "test",
		"requestContext.identity.accessKey":   nil,
		"requestContext.identity.cognitoUser": nil,
	} {
		if diff := cmp.Diff(want, path(e, strings.Split(name, ".")...)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestHTTP2EventJoinsValuesAndLowersHeaderNames(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP2IAM, sources("$request.header.authorization", "$context.routeKey"))
	w.wants(200, "GET", "/test/items/7?x=1&x=2", token, "X-Two: 1", "X-Two: 2", "Cookie: a=1; b=2")
	e := w.asked[0]
	for name, want := range map[string]any{
		"headers.x-two":                "1,2",
		"headers.X-Two":                nil,
		"headers.cookie":               nil,
		"cookies":                      []any{"a=1", "b=2"},
		"rawQueryString":               "x=1&x=2",
		"queryStringParameters.x":      "1,2",
		"identitySource":               []any{"Bearer abc", "GET /items/{id}"},
		"routeKey":                     "GET /items/{id}",
		"requestContext.http.sourceIp": "203.0.113.10",
		"requestContext.http.path":     "/test/items/7",
	} {
		if diff := cmp.Diff(want, path(e, strings.Split(name, ".")...)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestSourceOfTwoHeaderValuesIsJoinedByHTTPAPIsAndTheLastInREST(t *testing.T) {
	t.Parallel()
	http := deploy(t, gateway.HTTP1)
	http.send("GET", "/test/items", "Authorization: a", "Authorization: b")
	if got := http.asked[0]["identitySource"]; got != "a,b" {
		t.Errorf("HTTP: %q", got)
	}
	rest := deploy(t, gateway.RESTToken)
	rest.send("GET", "/test/items", "Authorization: a", "Authorization: b")
	if got := rest.asked[0]["authorizationToken"]; got != "b" {
		t.Errorf("REST: %q", got)
	}
}

func TestAuthorizerSeesNoBodyAndTheBackendSeesItWhole(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		for body, encoded := range map[string]bool{`{"name":"x"}`: false, "\xff\xfe": true} {
			w := deploy(t, kind)
			r := httptest.NewRequest("POST", "/test/items", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer abc")
			w.ServeHTTP(httptest.NewRecorder(), r)
			if _, ok := w.asked[0]["body"]; ok {
				t.Errorf("%s: the authorizer's event has a body", kind)
			}
			want := map[bool]string{false: body, true: "//4="}[encoded]
			if e := w.answered[0]; e["body"] != want || e["isBase64Encoded"] != encoded {
				t.Errorf("%s: body %q, base64 %v", kind, e["body"], e["isBase64Encoded"])
			}
		}
	}
}

func TestBodyOverTenMegabytesIs413(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.RESTRequest)
	r := httptest.NewRequest("POST", "/test/items", strings.NewReader(strings.Repeat("x", 10<<20+1)))
	r.Header.Set("Authorization", "Bearer abc")
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	if recorder.Code != 413 {
		t.Errorf("status %d", recorder.Code)
	}
	w.askedTimes(0)
}

func TestBackendAnswerIsHandedOn(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		w := deploy(t, kind)
		w.reply = func(map[string]any) (string, error) {
			return `{"statusCode":201,"headers":{"Location":"/items/1","X-Count":3},"multiValueHeaders":{"X-Two":["1","2"]},
				"body":"aGk=","isBase64Encoded":true}`, nil
		}
		got := w.send("POST", "/test/items", token)
		if body := text(t, got); got.StatusCode != 201 || body != "hi" {
			t.Errorf("%s: %d %q", kind, got.StatusCode, body)
		}
		if h := got.Header; h.Get("Location") != "/items/1" || h.Get("X-Count") != "3" || !slices.Equal(h.Values("X-Two"), []string{"1", "2"}) {
			t.Errorf("%s: headers %v", kind, h)
		}
	}
}

func TestBackendFailureIs502InRESTAnd500InHTTPAPIs(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]func(map[string]any) (string, error){
		"function error": func(map[string]any) (string, error) { return "", functionError("boom") },
		"not invoked":    func(map[string]any) (string, error) { return "", errInvoke },
		"not JSON":       func(map[string]any) (string, error) { return "hello", nil },
		"status of zero": func(map[string]any) (string, error) { return `{"statusCode":0}`, nil },
		"status in text": func(map[string]any) (string, error) { return `{"statusCode":"200"}`, nil },
		"bad base64": func(map[string]any) (string, error) {
			return `{"statusCode":200,"body":"?","isBase64Encoded":true}`, nil
		},
	} {
		for kind, status := range map[gateway.Kind]int{
			gateway.RESTToken: 502, gateway.RESTRequest: 502, gateway.HTTP1: 500, gateway.HTTP2Simple: 500, gateway.HTTP2IAM: 500,
		} {
			w := deploy(t, kind)
			w.reply = reply
			if got := w.send("GET", "/test/items", token); got.StatusCode != status {
				t.Errorf("%s, %s: %d, want %d", kind, name, got.StatusCode, status)
			}
		}
	}
}

func TestHTTP2AnswerWithoutStatusCodeIsTheBodyOfA200(t *testing.T) {
	t.Parallel()
	for kind, status := range map[gateway.Kind]int{
		gateway.HTTP2Simple: 200, gateway.HTTP2IAM: 200, gateway.HTTP1: 500, gateway.RESTToken: 502, gateway.RESTRequest: 502,
	} {
		for _, answer := range []string{`{"ok":true,"body":"x"}`, `{}`, `[1]`} {
			w := deploy(t, kind)
			w.reply = func(map[string]any) (string, error) { return answer, nil }
			got := w.send("GET", "/test/items", token)
			if got.StatusCode != status {
				t.Errorf("%s, %s: %d, want %d", kind, answer, got.StatusCode, status)
			}
			if body := text(t, got); status == 200 && (body != answer || got.Header.Get("Content-Type") != "application/json") {
				t.Errorf("%s, %s: %s as %s", kind, answer, body, got.Header.Get("Content-Type"))
			}
		}
	}
}
