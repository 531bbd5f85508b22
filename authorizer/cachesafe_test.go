package authorizer_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lambda-authorizer/apikey"
	"lambda-authorizer/config"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// A configuration that starts with caching answers every request, in whatever
// order they come, as the same route table does without: what is in the cache
// lets nobody in who would be refused, refuses nobody who would be let in, and
// tells the backend of the same caller. The configurations are random, most
// are unsafe and do not start; the API is set up as they say.
func TestWhateverStartsWithCachingDecidesAsWithout(t *testing.T) {
	t.Parallel()
	shared := newWorld(t)
	for _, kind := range []gateway.Kind{gateway.RESTToken, gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2IAM, gateway.HTTP2Simple} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			t.Parallel()
			w := shared.in(t)
			started := 0
			rapid.Check(t, func(rt *rapid.T) {
				c := w.drawComparison(rt, t, kind)
				if c == nil {
					return
				}
				started++
				callers := rapid.SliceOfN(rapid.Custom(w.caller), 1, 3).Draw(rt, "callers")
				for range rapid.IntRange(4, 20).Draw(rt, "requests") {
					c.ask(rt, t, rapid.SampledFrom(callers).Draw(rt, "caller").request(rt))
				}
			})
			if started == 0 {
				t.Error("no configuration started: nothing is proven")
			}
		})
	}
}

// drawComparison is nil for a configuration that does not start, and for an
// API that API Gateway would not set up so.
func (w *world) drawComparison(rt *rapid.T, t *testing.T, kind gateway.Kind) *comparison {
	rest := w.configuration(rt, kind)
	uncached, err := loadIn(t, w.dir, "gateway: {cache_ttl: 0s, identity_sources: []}\n"+rest, nil)
	if err != nil {
		return nil // a token and a key in the one header that both have
	}
	sources := sourcesFor(rt, kind, uncached)
	cached, err := loadIn(t, w.dir, "gateway: {identity_sources: ["+strings.Join(sources, ", ")+"]}\n"+rest, nil)
	if err != nil {
		return nil
	}
	return w.compare(rt, t, kind, cached, uncached, sources)
}

// world is what random requests are made of.
type world struct {
	*place
	dir          string
	tokens, keys []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{place: newPlace(t)}
	w.tokens = []string{
		"", "junk", mint(t, nil), mint(t, claims{"scope": "items:write", "sub": "bob"}),
		mint(t, claims{"scope": "items:read items:write", "sub": "carol"}), mint(t, claims{"exp": noon.Add(-60 * 60 * 1e9).Unix()}),
	}
	unknown, err := apikey.Generate("unknown")
	if err != nil {
		t.Fatal(err)
	}
	w.keys = []string{
		"", unknown.Text,
		w.apiKey(t, apikey.Grant{ID: "reader", Principal: "reader", Scopes: reads}),
		w.apiKey(t, apikey.Grant{ID: "writer", Principal: "writer", Scopes: []string{"items:write"}, Context: map[string]any{"tenant": "w"}}),
		w.apiKey(t, apikey.Grant{ID: "bound", Principal: "bound", Scopes: reads, Networks: []string{"office"}}),
	}
	return w
}

// in is w with a directory of t's own for configurations.
func (w world) in(t *testing.T) *world {
	w.dir = t.TempDir()
	write(t, filepath.Join(w.dir, "jwks.json"), keySet(t))
	return &w
}

// sourcesFor are those that the configuration needs to be safe, in some order,
// less one or with one more.
func sourcesFor(rt *rapid.T, kind gateway.Kind, cfg *config.Config) []string {
	request, context := "$request.", "$context."
	if kind == gateway.RESTToken || kind == gateway.RESTRequest {
		request, context = "method.request.", "context."
	}
	var needed []string
	for _, c := range append(cfg.BearerCarriers(), cfg.APIKeyCarriers()...) {
		needed = append(needed, request+c.Source.Kind+"."+c.Source.Name)
	}
	if cfg.UsesAddress() {
		needed = append(needed, context+"identity.sourceIp")
		if len(cfg.TrustedProxies) > 0 {
			needed = append(needed, request+"header.X-Forwarded-For")
		}
	}
	if kind == gateway.HTTP2Simple {
		needed = append(needed, "$context.routeKey")
	}
	slices.Sort(needed)
	needed = slices.Compact(needed)
	sources := rapid.Permutation(needed).Draw(rt, "sources")
	switch rapid.IntRange(0, 4).Draw(rt, "change") {
	case 0:
		sources = sources[:max(len(sources)-1, 1)]
	case 1:
		sources = append(sources, rapid.SampledFrom([]string{
			request + "header.Authorization", request + "header.X-Api-Key", context + "identity.sourceIp", request + "querystring.access_token",
		}).Draw(rt, "one more"))
	}
	return sources
}

var templates = []string{"GET /items", "POST /items", "GET /items/{id}", "GET /items/special", "ANY /admin/{proxy+}"}

// configuration is all but the gateway section.
func (w *world) configuration(rt *rapid.T, kind gateway.Kind) string {
	flip := func(name string) bool { return rapid.IntRange(0, 2).Draw(rt, name) == 0 }
	var b strings.Builder
	b.WriteString(usual)
	keys := rapid.Bool().Draw(rt, "api keys")
	if keys {
		fmt.Fprintf(&b, "api_keys: {secrets: [api-keys], header: %s}\n", rapid.SampledFrom([]string{"X-Api-Key", "Authorization"}).Draw(rt, "key header"))
	}
	if places := map[int]string{0: "query: access_token", 1: "cookie: session", 2: "subprotocol: true"}[rapid.IntRange(0, 8).Draw(rt, "another place for tokens")]; places != "" {
		fmt.Fprintf(&b, "bearer: {%s%s}\n", rapid.SampledFrom([]string{"", `header: "", `}).Draw(rt, "header"), places)
	}
	places := rapid.Bool().Draw(rt, "networks")
	if places {
		b.WriteString("networks: {office: [203.0.113.0/24]}\n")
		places = rapid.Bool().Draw(rt, "routes of places") // or keys' records alone
	}
	if flip("deny") {
		b.WriteString("deny_networks: [198.51.100.0/24]\n")
	}
	if flip("proxies") {
		b.WriteString("trusted_proxies: [130.176.0.0/16]\n")
	}
	if kind == gateway.HTTP2Simple {
		b.WriteString("response: {http_api: simple}\n")
	}
	style := rapid.IntRange(0, 3).Draw(rt, "tokens, keys, both, any of these")
	b.WriteString("routes:\n")
	first := rapid.IntRange(0, len(templates)-1).Draw(rt, "first route")
	for n, template := range templates {
		if n != first && flip("without "+template) {
			continue
		}
		var entries []string
		for range rapid.IntRange(1, 2).Draw(rt, "entries") {
			var parts []string
			asks := style
			if style == 3 {
				asks = rapid.IntRange(0, 2).Draw(rt, "credentials")
			}
			if asks != 1 || !keys {
				parts = append(parts, "jwt: {scopes: ["+scopeOf(rt)+"]}")
			}
			if asks != 0 && keys {
				parts = append(parts, "api_key: {scopes: ["+scopeOf(rt)+"]}")
			}
			if places && flip("in the office") {
				parts = append(parts, "networks: [office]")
			}
			entries = append(entries, "{"+strings.Join(parts, ", ")+"}")
		}
		fmt.Fprintf(&b, "  - {route: %q, require: [%s]}\n", template, strings.Join(entries, ", "))
	}
	return b.String()
}

func scopeOf(rt *rapid.T) string {
	return rapid.SampledFrom([]string{`"items:read"`, `"items:write"`}).Draw(rt, "scope")
}

// caller is who asks: credentials, and where they stand.
type caller struct {
	Token, Key, Header string
	Place              string // of the token
	Noise              string // a second value beside it, which is no token
}

func (w *world) caller(rt *rapid.T) (c caller) {
	holds := rapid.IntRange(0, 2).Draw(rt, "token, key or both")
	if holds != 1 {
		c.Token = rapid.SampledFrom(w.tokens).Draw(rt, "token")
		c.Place = rapid.SampledFrom([]string{"header", "header", "header", "query", "cookie", "subprotocol"}).Draw(rt, "place of the token")
		c.Noise = rapid.SampledFrom([]string{"", "", "before", "behind"}).Draw(rt, "noise")
	}
	if holds != 0 {
		c.Key, c.Header = rapid.SampledFrom(w.keys).Draw(rt, "key"), rapid.SampledFrom([]string{"X-Api-Key", "Authorization"}).Draw(rt, "header of the key")
	}
	return c
}

// present adds the token, and the noise, which others send too.
func (c caller) present(route string, parts []part) (string, []part) {
	values := []string{"noise", c.Token, "noise"}
	switch c.Noise {
	case "":
		values = values[1:2]
	case "before":
		values = values[:2]
	case "behind":
		values = values[1:]
	}
	separator := "?"
	for _, v := range values {
		switch {
		case v == "":
		case c.Place == "query":
			route, separator = route+separator+"access_token="+v, "&"
		case c.Place == "cookie" && v == "noise":
			parts = append(parts, header("Cookie", "lang=en"))
		case c.Place == "cookie":
			parts = append(parts, header("Cookie", "session="+v))
		case c.Place == "subprotocol" && v == "noise":
			parts = append(parts, header("Sec-WebSocket-Protocol", "chat"))
		case c.Place == "subprotocol":
			parts = append(parts, header("Sec-WebSocket-Protocol", "bearer, "+v))
		case v == "noise":
			parts = append(parts, header("Authorization", "Basic bm9pc2U="))
		default:
			parts = append(parts, bearer(v))
		}
	}
	return route, parts
}

// request asks for something from somewhere. Made twice, it is the same.
func (c caller) request(rt *rapid.T) func(testing.TB) *http.Request {
	route := rapid.SampledFrom([]string{
		"GET /items", "POST /items", "GET /items/7", "GET /items/special", "GET /admin/a", "DELETE /admin/a/b", "POST /admin/a",
	}).Draw(rt, "route")
	parts := []part{from(rapid.SampledFrom([]string{"192.0.2.44", "203.0.113.9", "198.51.100.7", "130.176.1.2"}).Draw(rt, "address"))}
	if chain := rapid.SampledFrom([]string{"", "203.0.113.9", "192.0.2.44", "198.51.100.7", "203.0.113.9, 192.0.2.44"}).Draw(rt, "forwarded for"); chain != "" {
		parts = append(parts, forwardedFor(chain))
	}
	route, parts = c.present(route, parts)
	if c.Key != "" {
		parts = append(parts, header(c.Header, c.Key))
	}
	return get(route, parts...)
}

// comparison is the same API twice: as configured, and without a cache.
type comparison struct {
	cached, uncached           *service
	cachedStage, uncachedStage *gateway.Stage
	consulted                  gateway.Consulted
	// exact: IAM can express every caller's routes.
	exact bool
	// bound: keys may be bound to places.
	bound bool
	// idle: some source holds nothing that the function reads. A request that
	// lacks it is refused without asking.
	idle bool
}

func (w *world) compare(rt *rapid.T, t *testing.T, kind gateway.Kind, cached, uncached *config.Config, sources []string) *comparison {
	c := &comparison{
		cached: w.connectTo(t, cached), uncached: w.connectTo(t, uncached), bound: cached.AddressMayDecide(),
		exact: len(cached.Table().Inexpressible(cached.Form())) == 0,
	}
	for _, source := range sources {
		holds := func(carrier config.Carrier) bool { return strings.HasSuffix(source, "."+carrier.Source.Name) }
		carriers := append(cached.BearerCarriers(), cached.APIKeyCarriers()...)
		if strings.Contains(source, "request.") && !strings.HasSuffix(source, ".X-Forwarded-For") && !slices.ContainsFunc(carriers, holds) {
			c.idle = true
		}
	}
	var err error
	if c.cachedStage, err = c.cached.deploy(kind, sources); err != nil {
		return nil
	}
	if kind != gateway.RESTToken {
		sources = nil
	}
	if c.uncachedStage, err = c.uncached.deploy(kind, sources); err != nil {
		rt.Fatal(err)
	}
	c.cachedStage.Access = func(a gateway.Access) { c.consulted = a.Authorizer }
	return c
}

// ask sends one request to both.
func (c *comparison) ask(rt *rapid.T, t *testing.T, make func(testing.TB) *http.Request) {
	want := c.uncached.through(t, c.uncachedStage, make(t))
	got := c.cached.through(t, c.cachedStage, make(t))
	r := make(t)
	what := fmt.Sprintf("%s %s %v from %s: cached %d (%s, %s), uncached %d (%s)", r.Method, r.URL.Path, r.Header, r.RemoteAddr,
		got.status, c.consulted, got.reason(), want.status, want.reason())
	switch {
	case got.status == http.StatusOK && want.status != http.StatusOK:
		rt.Fatalf("the cache lets in: %s", what)
	case got.status == http.StatusOK:
		if diff := cmp.Diff(want.context, got.context); diff != "" {
			rt.Fatalf("the backend is told of another caller: %s\n%s", what, diff)
		}
	case want.status == http.StatusOK && got.reason() != string(reason.CredentialAmbiguous) && c.mustLetIn(r):
		rt.Fatalf("the cache locks out: %s", what)
	}
}

// mustLetIn leaves out what may be refused: tokens beside another value in the
// same place (see ask), requests without a source that the configuration has no
// use for, routes that IAM cannot tell apart, and keys
// bound to places where answers do not tell places apart.
func (c *comparison) mustLetIn(r *http.Request) bool {
	if c.consulted == gateway.SourceMissing && c.idle {
		return false
	}
	for _, values := range r.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, "ak_bound_") }) && !c.bound {
			return false
		}
	}
	return c.exact
}
