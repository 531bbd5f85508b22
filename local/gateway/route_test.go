package gateway_test

import (
	"testing"

	"lambda-authorizer/local/gateway"
)

func TestRouteChosenIsTheMostSpecific(t *testing.T) {
	t.Parallel()
	table := []string{
		"GET /items", "ANY /items", "GET /items/{id}", "GET /items/new", "ANY /items/new",
		"POST /items/{id}/tags", "GET /{proxy+}", "PUT /{proxy+}", "GET /",
	}
	withDefault := func(o *gateway.Options) { o.Routes = append(table, "$default") }
	for _, c := range []struct {
		method, path string
		rest, http   string // the route's key; empty: none
	}{
		{"GET", "/", "GET /", "GET /"},
		{"GET", "/items", "GET /items", "GET /items"},
		{"PATCH", "/items", "ANY /items", "ANY /items"},
		{"GET", "/items/7", "GET /items/{id}", "GET /items/{id}"},
		{"GET", "/items/new", "GET /items/new", "GET /items/new"},
		{"DELETE", "/items/new", "ANY /items/new", "ANY /items/new"},
		{"GET", "/other/x/y", "GET /{proxy+}", "GET /{proxy+}"},
		// A REST API chooses the resource first, an HTTP API the method too.
		{"PUT", "/items/7", "", "PUT /{proxy+}"},
		{"DELETE", "/other", "", "$default"},
		{"GET", "/items/", "GET /{proxy+}", "GET /{proxy+}"},
	} {
		rest := deploy(t, gateway.RESTRequest, func(o *gateway.Options) { o.Routes = table })
		rest.send(c.method, "/test"+c.path, token)
		if got := rest.access[0].Route; got != c.rest {
			t.Errorf("REST %s %s: route %q, want %q", c.method, c.path, got, c.rest)
		}
		http := deploy(t, gateway.HTTP2IAM, withDefault)
		http.send(c.method, "/test"+c.path, token)
		if got := http.access[0].Route; got != c.http {
			t.Errorf("HTTP %s %s: route %q, want %q", c.method, c.path, got, c.http)
		}
	}
}

func TestUnknownRouteNeverReachesTheAuthorizer(t *testing.T) {
	t.Parallel()
	for _, kind := range httpKinds {
		w := deploy(t, kind)
		for _, target := range []string{"/test/nowhere", "/test", "/other/items", "/items", "/test/items/1/2", "/testing/items"} {
			w.send("GET", target, token)
		}
		w.askedTimes(0)
		if len(w.answered) != 0 {
			t.Errorf("%s: the backend was called", kind)
		}
	}
}

// Observed, not documented: see rest.pick. An HTTP API does not do it.
func TestRESTPathWithATrailingSlashReachesItsResourceAndKeepsTheSlash(t *testing.T) {
	t.Parallel()
	for _, kind := range []gateway.Kind{gateway.RESTToken, gateway.RESTRequest} {
		w := deploy(t, kind)
		w.wants(200, "GET", "/test/items/", token)
		w.wants(200, "GET", "/test/items/7/", token)
		w.wants(403, "GET", "/test/items//", token)
		w.wants(403, "GET", "/test/", token)
		w.askedTimes(2)
		if got := arnOf(w.asked[0]); got != stageARN+"GET/items/" {
			t.Errorf("%s: ARN %s", kind, got)
		}
		event := w.answered[0]
		if event["resource"] != "/items" || event["path"] != "/items/" {
			t.Errorf("%s: resource %v, path %v", kind, event["resource"], event["path"])
		}
	}
	w := deploy(t, gateway.HTTP2IAM)
	w.wants(404, "GET", "/test/items/", token)
	w.askedTimes(0)
}

func TestStageStandsInThePathAndDefaultDoesNot(t *testing.T) {
	t.Parallel()
	named := deploy(t, gateway.HTTP2IAM)
	named.wants(200, "GET", "/test/items", token)
	if got := named.asked[0]["rawPath"]; got != "/test/items" {
		t.Errorf("rawPath %q of a named stage", got)
	}
	unnamed := deploy(t, gateway.HTTP2IAM, func(o *gateway.Options) { o.Stage = "$default" })
	unnamed.wants(200, "GET", "/items", token)
	if got := unnamed.asked[0]["rawPath"]; got != "/items" {
		t.Errorf("rawPath %q of $default", got)
	}
	want := "arn:aws:execute-api:eu-central-1:123456789012:api0000001/$default/GET/items"
	if got := unnamed.asked[0]["routeArn"]; got != want {
		t.Errorf("routeArn %q, want %q", got, want)
	}
}

func TestPathIsKeptByRESTAndDecodedByHTTPAPIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sent, rest, http string }{
		{"a%20b", "a%20b", "a b"},
		{"a%2Fb", "a%2Fb", "a/b"},
		{"a%3Fb", "a%3Fb", "a"}, // cut at the decoded question mark
		{"a%252Fb", "a%252Fb", "a%2Fb"},
		{"a:b", "a:b", "a:b"},
		{"%C3%A9", "%C3%A9", "é"},
		{"a//b/../c", "a//b/../c", "a//b/../c"},
	} {
		for kind, want := range map[gateway.Kind]string{
			gateway.RESTToken: c.rest, gateway.RESTRequest: c.rest,
			gateway.HTTP1: c.http, gateway.HTTP2Simple: c.http, gateway.HTTP2IAM: c.http,
		} {
			w := deploy(t, kind)
			w.wants(200, "GET", "/test/files/"+c.sent, token)
			if got := arnOf(w.asked[0]); got != stageARN+"GET/files/"+want {
				t.Errorf("%s %s: ARN %s, want …/%s", kind, c.sent, got, want)
			}
		}
	}
}
