package gateway_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/local/gateway"
)

func TestAllowedRequestReachesTheBackend(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		w := deploy(t, kind)
		w.wants(200, "GET", "/test/items", token)
		w.askedTimes(1)
		if len(w.answered) != 1 {
			t.Errorf("%s: the backend was called %d times", kind, len(w.answered))
		}
	}
}

func TestMissingIdentitySourceIsUnauthorizedWithoutAsking(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		for name, headers := range map[string][]string{
			"missing": nil,
			"empty":   {"Authorization: "},
		} {
			w := deploy(t, kind)
			got := w.send("GET", "/test/items", headers...)
			if body := text(t, got); got.StatusCode != 401 || body != `{"message":"Unauthorized"}` {
				t.Errorf("%s, %s: %d %s", kind, name, got.StatusCode, body)
			}
			w.askedTimes(0)
			if w.access[0].Authorizer != gateway.SourceMissing {
				t.Errorf("%s, %s: access log says %q", kind, name, w.access[0].Authorizer)
			}
		}
	}
}

func TestAllIdentitySourcesMustBeThere(t *testing.T) {
	t.Parallel()
	for kind, both := range map[gateway.Kind]func(*gateway.Options){
		gateway.RESTRequest: sources("method.request.header.Authorization", "method.request.querystring.tenant"),
		gateway.HTTP1:       sources("$request.header.Authorization", "$request.querystring.tenant"),
		gateway.HTTP2Simple: sources("$request.header.Authorization", "$request.querystring.tenant"),
		gateway.HTTP2IAM:    sources("$request.header.Authorization", "$request.querystring.tenant"),
	} {
		w := deploy(t, kind, both)
		w.wants(401, "GET", "/test/items", token)
		w.wants(401, "GET", "/test/items?tenant=acme")
		w.askedTimes(0)
		w.wants(200, "GET", "/test/items?tenant=acme", token)
		w.askedTimes(1)
	}
}

func TestRequestAuthorizerWithoutIdentitySourcesIsAlwaysAsked(t *testing.T) {
	t.Parallel()
	for _, kind := range []gateway.Kind{gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2Simple, gateway.HTTP2IAM} {
		w := deploy(t, kind, sources())
		w.wants(200, "GET", "/test/items")
		w.askedTimes(1)
	}
}

func TestTokenThatMissesTheValidationExpressionIsUnauthorizedWithoutAsking(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.RESTToken, func(o *gateway.Options) {
		o.Authorizer.Validation = regexp.MustCompile(`^Bearer [a-z]+$`)
	})
	w.wants(401, "GET", "/test/items", "Authorization: Basic abc")
	w.askedTimes(0)
	w.wants(200, "GET", "/test/items", "Authorization: Bearer abc")
}

func TestErrorTextUnauthorizedIs401AndAnyOtherIs500(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		for said, status := range map[string]int{
			"Unauthorized":                401,
			"unauthorized":                500,
			"Unauthorized: token expired": 500,
			"jwks_unavailable":            500,
			"":                            500,
		} {
			w := deploy(t, kind)
			w.answer = func(map[string]any) (string, error) { return "", functionError(said) }
			w.wants(status, "GET", "/test/items", token)
		}
		w := deploy(t, kind)
		w.answer = func(map[string]any) (string, error) { return "", errInvoke }
		w.wants(500, "GET", "/test/items", token)
	}
}

func TestMalformedAnswerIs500(t *testing.T) {
	t.Parallel()
	arn := "arn:aws:execute-api:eu-central-1:123456789012:api0000001/test/GET/items"
	long := arn + "/" + strings.Repeat("x", 512)
	policies := map[string]string{
		"null":                 `null`,
		"text":                 `allow`,
		"two values":           policy("Allow", arn, "") + policy("Allow", arn, ""),
		"duplicate member":     `{"principalId":"a","principalId":"b","policyDocument":{"Statement":[]}}`,
		"no policy":            `{"principalId":"user-1"}`,
		"no principal":         strings.Replace(policy("Allow", arn, ""), "principalId", "principal", 1),
		"effect of no kind":    policy("Permit", arn, ""),
		"no statement":         `{"principalId":"user-1","policyDocument":{"Version":"2012-10-17"}}`,
		"no resource":          strings.Replace(policy("Allow", arn, ""), "Resource", "Sid", 1),
		"a condition":          strings.Replace(policy("Allow", arn, ""), `"Effect"`, `"Condition":{},"Effect"`, 1),
		"not an action":        strings.Replace(policy("Allow", arn, ""), `"Action"`, `"NotAction"`, 1),
		"a resource too long":  policy("Allow", long, ""),
		"lower-case policy":    strings.ToLower(policy("Allow", arn, "")),
		"simple for a policy":  simple(true, ""),
		"context is an array":  policy("Allow", arn, `["a"]`),
		"statements of string": strings.Replace(policy("Allow", arn, ""), `[`, `["x",`, 1),
	}
	for _, kind := range []gateway.Kind{gateway.RESTToken, gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2IAM} {
		for name, answer := range policies {
			w := deploy(t, kind)
			w.answer = func(map[string]any) (string, error) { return answer, nil }
			if got := w.send("GET", "/test/items", token); got.StatusCode != 500 {
				t.Errorf("%s, %s: %d", kind, name, got.StatusCode)
			}
			if w.lastError() == "" {
				t.Errorf("%s, %s: the access log does not say why", kind, name)
			}
		}
	}
	for name, answer := range map[string]string{
		"a policy":   policy("Allow", arn, ""),
		"text":       `{"isAuthorized":"true"}`,
		"no answer":  `{"context":{}}`,
		"lower case": `{"isauthorized":true}`,
	} {
		w := deploy(t, gateway.HTTP2Simple)
		w.answer = func(map[string]any) (string, error) { return answer, nil }
		if got := w.send("GET", "/test/items", token); got.StatusCode != 500 {
			t.Errorf("simple, %s: %d", name, got.StatusCode)
		}
	}
}

func TestDeniedRequestIs403(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		for name, answer := range map[string]string{
			"deny":  policy("Deny", "*", ""),
			"other": policy("Allow", "arn:aws:execute-api:eu-central-1:123456789012:api0000001/test/GET/other", ""),
		} {
			if kind == gateway.HTTP2Simple {
				answer = simple(false, `{"reason":"scope_insufficient"}`)
			}
			w := deploy(t, kind)
			w.answer = func(map[string]any) (string, error) { return answer, nil }
			w.wants(403, "GET", "/test/items", token)
			if len(w.answered) != 0 {
				t.Errorf("%s, %s: the backend was called", kind, name)
			}
		}
	}
}

// The texts and types are those of live APIs in 2026.
func TestAnswersHaveTheBodiesOfAPIGateway(t *testing.T) {
	t.Parallel()
	fault := func(map[string]any) (string, error) { return "", functionError("internal") }
	unauthorized := func(map[string]any) (string, error) { return "", functionError("Unauthorized") }
	deny := func(map[string]any) (string, error) { return policy("Deny", "*", ""), nil }
	silent := func(map[string]any) (string, error) { return policy("Allow", "arn:aws:none", ""), nil }
	rest, http := gateway.RESTRequest, gateway.HTTP2IAM
	for _, c := range []struct {
		kind   gateway.Kind
		answer func(map[string]any) (string, error)
		target string
		status int
		body   string
		header string
	}{
		{rest, unauthorized, "/test/items", 401, `{"message":"Unauthorized"}`, "UnauthorizedException"},
		{rest, deny, "/test/items", 403, `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`, "AccessDeniedException"},
		{rest, silent, "/test/items", 403, `{"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}`, "AccessDeniedException"},
		{rest, fault, "/test/items", 500, `{"message":null}`, "AuthorizerConfigurationException"},
		{rest, nil, "/test/nowhere", 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
		{http, unauthorized, "/test/items", 401, `{"message":"Unauthorized"}`, ""},
		{http, deny, "/test/items", 403, `{"message":"Forbidden"}`, ""},
		{http, silent, "/test/items", 403, `{"message":"Forbidden"}`, ""},
		{http, fault, "/test/items", 500, `{"message":"Internal Server Error"}`, ""},
		{http, nil, "/test/nowhere", 404, `{"message":"Not Found"}`, ""},
	} {
		w := deploy(t, c.kind)
		w.answer = c.answer
		got := w.send("GET", c.target, token)
		body, header := text(t, got), got.Header.Get("x-amzn-ErrorType")
		if got.StatusCode != c.status || body != c.body || header != c.header {
			t.Errorf("%s %s: %d %s %q, want %d %s %q", c.kind, c.target, got.StatusCode, body, header, c.status, c.body, c.header)
		}
		if got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: Content-Type %q", c.kind, c.target, got.Header.Get("Content-Type"))
		}
	}
}

func TestARNOver1600BytesIs414(t *testing.T) {
	t.Parallel()
	arn := len("arn:aws:execute-api:eu-central-1:123456789012:api0000001/test/GET/files/")
	for _, kind := range httpKinds {
		w := deploy(t, kind)
		w.answer = func(map[string]any) (string, error) { return allow(kind, "*", ""), nil }
		w.wants(200, "GET", "/test/files/"+strings.Repeat("x", 1600-arn), token)
		w.askedTimes(1)
		w.wants(414, "GET", "/test/files/"+strings.Repeat("x", 1601-arn), token)
		w.askedTimes(1)
	}
}

func TestHeadersOver10240BytesAreRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		w := deploy(t, kind)
		w.wants(200, "GET", "/test/items", token, "X-Long: "+strings.Repeat("x", 10_000))
		w.wants(431, "GET", "/test/items", token, "X-Long: "+strings.Repeat("x", 10_200))
		w.askedTimes(1)
	}
}

func TestSettingsThatAWSRefusesDoNotDeploy(t *testing.T) {
	t.Parallel()
	function := func() gateway.Function { return deploy(t, gateway.RESTToken).Authorizer.Function }()
	for name, o := range map[string]gateway.Options{
		"unknown kind":                      {Kind: "SOAP"},
		"TTL over an hour":                  {Kind: gateway.HTTP2IAM, Authorizer: &gateway.Authorizer{TTL: time.Hour + 1, IdentitySources: []string{"$request.header.A"}}},
		"negative TTL":                      {Kind: gateway.HTTP2IAM, Authorizer: &gateway.Authorizer{TTL: -1, IdentitySources: []string{"$request.header.A"}}},
		"cached without sources":            {Kind: gateway.RESTRequest, Authorizer: &gateway.Authorizer{TTL: time.Minute}},
		"cached WebSocket":                  {Kind: gateway.WebSocket, Authorizer: &gateway.Authorizer{TTL: time.Minute, IdentitySources: []string{"route.request.header.A"}}},
		"TOKEN without source":              {Kind: gateway.RESTToken, Authorizer: &gateway.Authorizer{}},
		"TOKEN with two":                    {Kind: gateway.RESTToken, Authorizer: &gateway.Authorizer{IdentitySources: []string{"method.request.header.A", "method.request.header.B"}}},
		"TOKEN with a query":                {Kind: gateway.RESTToken, Authorizer: &gateway.Authorizer{IdentitySources: []string{"method.request.querystring.A"}}},
		"validation of a REQUEST":           {Kind: gateway.RESTRequest, Authorizer: &gateway.Authorizer{Validation: regexp.MustCompile(".")}},
		"REST source on HTTP":               {Kind: gateway.HTTP2IAM, Authorizer: &gateway.Authorizer{IdentitySources: []string{"method.request.header.A"}}},
		"HTTP source on REST":               {Kind: gateway.RESTRequest, Authorizer: &gateway.Authorizer{IdentitySources: []string{"$request.header.A"}}},
		"source without name":               {Kind: gateway.HTTP2IAM, Authorizer: &gateway.Authorizer{IdentitySources: []string{"$request.header."}}},
		"unknown context variable":          {Kind: gateway.HTTP2IAM, Authorizer: &gateway.Authorizer{IdentitySources: []string{"$context.weather"}}},
		"route without method":              {Kind: gateway.HTTP2IAM, Routes: []string{"/items"}},
		"route twice":                       {Kind: gateway.HTTP2IAM, Routes: []string{"GET /items", "GET /items"}},
		"authorizer that names no function": {Kind: gateway.HTTP2IAM, Authorizer: &gateway.Authorizer{}},
	} {
		if o.Authorizer != nil && !strings.Contains(name, "no function") {
			o.Authorizer.Function = function
		}
		if _, err := gateway.New(o); err == nil {
			t.Errorf("%s: New succeeds", name)
		}
	}
}
