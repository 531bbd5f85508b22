package items_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"lambda-authorizer/backend"
	"lambda-authorizer/local/gateway"
)

// follow resolves a Location as a client does, against the URL that it sent
// the request to (RFC 9110 section 10.2.2), and returns the target under
// prefix that it means.
func follow(t tb, prefix, target, location string) string {
	t.Helper()
	base, err := url.Parse("https://api.example.com" + prefix + target)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	reference, err := url.Parse(location)
	if err != nil {
		t.Fatalf("Location %q: %v", location, err)
	}
	meant := base.ResolveReference(reference)
	own, found := strings.CutPrefix(meant.EscapedPath(), prefix+"/")
	if !found || meant.Host != base.Host {
		t.Fatalf("a POST to %s has Location %q: %s is not of this API", base, location, meant)
	}
	return "/" + own
}

// mapped is a custom domain that connects key to a stage called prod.
func mapped(key string, stage http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.RequestURI, "/"+key+"/")
		if !found {
			http.Error(w, "another API's", http.StatusForbidden)
			return
		}
		r.RequestURI = "/prod/" + rest
		stage.ServeHTTP(w, r)
	})
}

func TestLocationLeadsToTheItemBehindAnAPIMapping(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, kind := range []gateway.Kind{gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2Simple} {
		for _, key := range []string{"http", "shop/v1"} {
			alice := s.as("main|alice").behind(t, kind)
			alice.prefix, alice.stage = "/"+key, mapped(key, alice.stage)
			created := alice.do(t, "POST", "/items?x=/a", lamp)
			if created.status != http.StatusCreated {
				t.Fatalf("%s, %s: %d %s", kind, key, created.status, created.body)
			}
			own := follow(t, alice.prefix, "/items?x=/a", created.header.Get("Location"))
			if read := alice.do(t, "GET", own, ""); read.status != http.StatusOK || read.body != created.body {
				t.Errorf("%s, %s: GET %s: %d %s", kind, key, own, read.status, read.body)
			}
		}
	}
}

func TestLocationIsTheSameWhateverTheEventSaysOfThePath(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const authorizer = `{"principal":"main|alice","scope":"items:write"}`
	for name, event := range map[string]string{
		"REST, base path": `{"resource":"/items","path":"/v1/items","httpMethod":"POST","headers":{"Content-Type":"application/json"},
			"body":"{\"name\":\"x\"}","requestContext":{"path":"/v1/items","authorizer":` + authorizer + `}}`,
		"HTTP 1.0, API mapping": `{"version":"1.0","resource":"/items","path":"/v1/items","httpMethod":"POST","headers":{"content-type":"application/json"},
			"body":"{\"name\":\"x\"}","requestContext":{"stage":"$default","path":"/v1/items","authorizer":` + authorizer + `}}`,
		"HTTP 2.0, API mapping": `{"version":"2.0","routeKey":"POST /items","rawPath":"/items","headers":{"content-type":"application/json"},
			"body":"{\"name\":\"x\"}","requestContext":{"stage":"$default","http":{"method":"POST","path":"/items"},"authorizer":{"lambda":` + authorizer + `}}}`,
	} {
		a := invoke(t, s.lambda, event)
		id := a.decode(t).ID
		if got := a.header.Get("Location"); a.status != http.StatusCreated || got != "items/"+id {
			t.Errorf("%s: %d %s, Location %q", name, a.status, a.body, got)
		}
	}
}

func invoke(t *testing.T, l *backend.Lambda, event string) answer {
	t.Helper()
	raw, err := l.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(raw)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
