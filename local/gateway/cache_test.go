package gateway_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"lambda-authorizer/local/gateway"
)

// cachedKinds are those that cache policies.
var cachedKinds = []gateway.Kind{gateway.RESTToken, gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2IAM}

const stageARN = "arn:aws:execute-api:eu-central-1:123456789012:api0000001/test/"

func TestResultIsReusedUntilItsTTLIsOver(t *testing.T) {
	t.Parallel()
	for _, kind := range append(cachedKinds, gateway.HTTP2Simple) {
		w := deploy(t, kind, cachedFor(5*time.Minute))
		w.wants(200, "GET", "/test/items", token)
		w.now = w.now.Add(5*time.Minute - 1)
		w.wants(200, "GET", "/test/items", token)
		w.askedTimes(1)
		if got := w.access[1].Authorizer; got != gateway.AnsweredCached {
			t.Errorf("%s: access log says %q", kind, got)
		}
		w.now = w.now.Add(1)
		w.wants(200, "GET", "/test/items", token)
		w.askedTimes(2)
	}
}

func TestTTLZeroIsNoCache(t *testing.T) {
	t.Parallel()
	for _, kind := range append(cachedKinds, gateway.HTTP2Simple) {
		w := deploy(t, kind)
		w.wants(200, "GET", "/test/items", token)
		w.wants(200, "GET", "/test/items", token)
		w.askedTimes(2)
	}
}

func TestCachedPolicyIsEvaluatedAnewOnEachARN(t *testing.T) {
	t.Parallel()
	for _, kind := range cachedKinds {
		w := deploy(t, kind, cachedFor(time.Minute))
		w.answer = func(map[string]any) (string, error) { return policy("Allow", stageARN+"GET/*", ""), nil }
		w.wants(200, "GET", "/test/items", token)
		w.wants(200, "GET", "/test/items/1", token)
		w.wants(403, "DELETE", "/test/items/1", token)
		w.wants(403, "POST", "/test/items", token)
		w.askedTimes(1)
	}
}

func TestPolicyForTheFirstRouteAloneLocksOutOfTheSecond(t *testing.T) {
	t.Parallel()
	for _, kind := range cachedKinds {
		w := deploy(t, kind, cachedFor(time.Minute))
		w.wants(200, "GET", "/test/items", token)
		w.wants(403, "GET", "/test/items/1", token)
		w.askedTimes(1)
	}
}

func TestCachedSimpleAnswerDecidesEveryRoute(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP2Simple, cachedFor(time.Minute))
	w.wants(200, "GET", "/test/items", token)
	w.answer = func(map[string]any) (string, error) { return simple(false, ""), nil }
	w.wants(200, "DELETE", "/test/items/1", token)
	w.askedTimes(1)
}

func TestRouteKeyAmongTheSourcesSeparatesRoutes(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP2Simple, cachedFor(time.Minute),
		sources("$request.header.Authorization", "$context.routeKey"))
	w.answer = func(e map[string]any) (string, error) { return simple(e["routeKey"] == "GET /items", ""), nil }
	w.wants(200, "GET", "/test/items", token)
	w.wants(403, "DELETE", "/test/items/1", token)
	w.wants(200, "GET", "/test/items", token)
	w.askedTimes(2)
}

func TestRefusalIsCachedToo(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP2IAM, cachedFor(time.Minute))
	w.answer = func(map[string]any) (string, error) { return policy("Deny", "*", ""), nil }
	w.wants(403, "GET", "/test/items", token)
	w.wants(403, "GET", "/test/items", token)
	w.askedTimes(1)
}

func TestFailureIsNotCached(t *testing.T) {
	t.Parallel()
	for _, kind := range cachedKinds {
		for _, said := range []string{"Unauthorized", "jwks_unavailable"} {
			w := deploy(t, kind, cachedFor(time.Minute))
			good := w.answer
			w.answer = func(map[string]any) (string, error) { return "", functionError(said) }
			w.send("GET", "/test/items", token)
			w.answer = good
			w.wants(200, "GET", "/test/items", token)
			w.askedTimes(2)
		}
	}
}

func TestResultsOfOneIdentityAreNotAnothers(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP2IAM, cachedFor(time.Minute), sources("$request.header.A", "$request.header.B"))
	// As plain concatenations these would be one key.
	w.wants(200, "GET", "/test/items", "A: x", "B: yz")
	w.wants(200, "GET", "/test/items", "A: xy", "B: z")
	w.askedTimes(2)
}

func TestSourceAddressIsAnIdentity(t *testing.T) {
	t.Parallel()
	for kind, address := range map[gateway.Kind]string{
		gateway.RESTRequest: "context.identity.sourceIp",
		gateway.HTTP2IAM:    "$context.identity.sourceIp",
	} {
		w := deploy(t, kind, cachedFor(time.Minute), sources(kinds[kind], address))
		w.wants(200, "GET", "/test/items", token)
		elsewhere := request("GET", "/test/items", token)
		elsewhere.RemoteAddr = "198.51.100.7:1"
		w.ServeHTTP(httptest.NewRecorder(), elsewhere)
		w.askedTimes(2)
	}
}

func TestFlushForgetsEverything(t *testing.T) {
	t.Parallel()
	for _, kind := range cachedKinds {
		w := deploy(t, kind, cachedFor(time.Minute))
		w.wants(200, "GET", "/test/items", token)
		w.Flush()
		w.wants(200, "GET", "/test/items", token)
		w.askedTimes(2)
	}
}

func TestContextThatIsJSONTextBreaksOnACacheHitOfAnHTTPAPI(t *testing.T) {
	t.Parallel()
	for _, context := range []string{`{"groups":"[\"ops\"]"}`, `{"groups":" {\"a\":1} "}`} {
		w := deploy(t, gateway.HTTP2IAM, cachedFor(time.Minute))
		w.answer = func(e map[string]any) (string, error) { return policy("Allow", arnOf(e), context), nil }
		w.wants(200, "GET", "/test/items", token)
		w.wants(500, "GET", "/test/items", token)
	}
	w := deploy(t, gateway.HTTP2IAM, cachedFor(time.Minute))
	w.answer = func(e map[string]any) (string, error) {
		return policy("Allow", arnOf(e), `{"groups_json":"WyJvcHMiXQ","odd":"[not json"}`), nil
	}
	w.wants(200, "GET", "/test/items", token)
	w.wants(200, "GET", "/test/items", token)
}
