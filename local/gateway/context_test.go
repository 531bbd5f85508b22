package gateway_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/local/gateway"
)

const flatContext = `{"principal":"main|alice","expires_at":1763726400,"admin":true,"ratio":1.50}`

func TestContextReachesTheBackendOfRESTAsStrings(t *testing.T) {
	t.Parallel()
	for _, kind := range []gateway.Kind{gateway.RESTToken, gateway.RESTRequest, gateway.HTTP1} {
		w := deploy(t, kind)
		w.answer = func(e map[string]any) (string, error) { return policy("Allow", arnOf(e), flatContext), nil }
		w.wants(200, "GET", "/test/items", token)
		want := map[string]any{
			"principalId": "user-1", "principal": "main|alice",
			"expires_at": "1763726400", "admin": "true", "ratio": "1.50",
		}
		if diff := cmp.Diff(want, path(w.answered[0], "requestContext", "authorizer")); diff != "" {
			t.Errorf("%s: context (-want +got)\n%s", kind, diff)
		}
	}
}

func TestContextReachesTheBackendOfHTTP2AsItIs(t *testing.T) {
	t.Parallel()
	nested := `{"principal":"main|alice","expires_at":1763726400,"admin":true,"groups":["ops"],"more":{"a":1}}`
	for _, kind := range []gateway.Kind{gateway.HTTP2Simple, gateway.HTTP2IAM} {
		w := deploy(t, kind)
		w.answer = func(e map[string]any) (string, error) { return allow(kind, arnOf(e), nested), nil }
		w.wants(200, "GET", "/test/items", token)
		want := map[string]any{
			"principal": "main|alice", "expires_at": float64(1763726400), "admin": true,
			"groups": []any{"ops"}, "more": map[string]any{"a": float64(1)},
		}
		if diff := cmp.Diff(want, path(w.answered[0], "requestContext", "authorizer", "lambda")); diff != "" {
			t.Errorf("%s: context (-want +got)\n%s", kind, diff)
		}
	}
}

func TestNestedContextIs500WhereStringsAreWanted(t *testing.T) {
	t.Parallel()
	for _, kind := range []gateway.Kind{gateway.RESTToken, gateway.RESTRequest, gateway.HTTP1} {
		for _, context := range []string{`{"a":["b"]}`, `{"a":{"b":"c"}}`, `{"a":null}`} {
			w := deploy(t, kind)
			w.answer = func(e map[string]any) (string, error) { return policy("Allow", arnOf(e), context), nil }
			w.wants(500, "GET", "/test/items", token)
		}
	}
}

func TestPayload1ReservesTheContextNameClaims(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP1)
	w.answer = func(e map[string]any) (string, error) { return policy("Allow", arnOf(e), `{"claims":"x"}`), nil }
	w.wants(500, "GET", "/test/items", token)
}

func TestOpenStageHandsOnNoContext(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		w := deploy(t, kind, func(o *gateway.Options) { o.Authorizer = nil })
		w.wants(200, "GET", "/test/items")
		if got := path(w.answered[0], "requestContext", "authorizer"); got != nil {
			t.Errorf("%s: an authorizer context %v", kind, got)
		}
	}
}
