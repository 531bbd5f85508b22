package local_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/issuer"
)

// Each test here is an attack on the result cache: the configuration that would
// allow it does not start, and what may be configured instead withstands it.

const authorization = "$request.header.Authorization"

const itemsOfTokens = `
routes:
  - route: GET /items
    require: [{jwt: {scopes: [items:read]}}]
  - route: POST /items
    require: [{jwt: {scopes: [items:write]}}]
`

func TestAttackSimpleAnswerThatDecidesAnotherRoute(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	const simple = "response: {http_api: simple}\n" + usualIssuer + itemsOfTokens
	s.refusesToStart(t, "gateway: {identity_sources: ["+authorization+"]}\n"+simple,
		"a cached simple answer for one route, such as GET /items, decides every other", "add $context.routeKey to gateway.identity_sources")

	const keyed = "gateway: {identity_sources: [" + authorization + ", $context.routeKey]}\n" + simple
	reader := with("Authorization", "Bearer "+s.token(t, "items:read"))
	s.deploy(t, gateway.HTTP2Simple, keyed, authorization, "$context.routeKey").walk(t,
		step{"GET /items", []part{reader}, 200, gateway.Invoked, ""},
		step{"GET /items", []part{reader}, 200, gateway.AnsweredCached, ""},
		step{"POST /items", []part{reader}, 403, gateway.Invoked, "scope_insufficient"},
		step{"POST /items", []part{reader}, 403, gateway.AnsweredCached, ""},
		step{"GET /items", []part{reader}, 200, gateway.AnsweredCached, ""},
		step{"GET /vault", []part{reader}, 500, gateway.Invoked, "cache_unsafe"}) // no route of the configuration

	// An API that is set up otherwise than the configuration says.
	for what, sources := range map[string][]string{
		"without the route": {authorization},
		"in another order":  {"$context.routeKey", authorization},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s.deploy(t, gateway.HTTP2Simple, keyed, sources...).walk(t,
				step{"GET /items", []part{reader}, 500, gateway.Invoked, "cache_unsafe"},
				step{"POST /items", []part{reader}, 500, gateway.Invoked, "cache_unsafe"})
		})
	}
}

func TestAttackJunkTokenThatOpensAnotherRoute(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	junk := with("Authorization", "Bearer "+s.token(t, "items:read")+"x")
	reader := with("Authorization", "Bearer "+s.token(t, "items:read"))
	for kind, source := range map[gateway.Kind]string{
		gateway.RESTToken: "method.request.header.Authorization", gateway.RESTRequest: "method.request.header.Authorization",
		gateway.HTTP1: authorization, gateway.HTTP2IAM: authorization,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s.deploy(t, kind, "gateway: {identity_sources: ["+source+"]}\n"+usualIssuer+itemsOfTokens, source).walk(t,
				step{"GET /items", []part{junk}, 401, gateway.Invoked, "credential_malformed"},
				step{"POST /items", []part{junk}, 401, gateway.Invoked, "credential_malformed"},
				step{"GET /items", []part{reader}, 200, gateway.Invoked, ""},
				step{"POST /items", []part{reader}, 403, gateway.AnsweredCached, ""},
				step{"GET /vault", []part{reader}, 403, gateway.AnsweredCached, ""}, // no route of the configuration
				step{"GET /items", []part{junk}, 401, gateway.Invoked, "credential_malformed"})
		})
	}
}

func TestAttackCachedRefusalThatLocksALegitimateCallerOut(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	const cached = "gateway: {identity_sources: [" + authorization + "]}\n"
	s.refusesToStart(t, cached+"response: {unauthenticated: deny}\n"+usualIssuer+itemsOfTokens,
		"a token that is only not valid yet stays locked out of GET /items", "set error")
	// Nor may a source be there that a legitimate caller need not have.
	s.refusesToStart(t, `gateway: {identity_sources: [$request.header.Authorization, $request.header.X-Api-Key]}
api_keys: {secrets: [none-yet]}`+usualIssuer+`
routes: [{route: GET /items, require: [{jwt: {}}, {api_key: {}}]}]
`, "GET /items needs only one of the header Authorization and the header X-Api-Key", "API Gateway refuses a request that lacks any: keep one of them")

	d := s.deploy(t, gateway.HTTP2IAM, cached+usualIssuer+itemsOfTokens, authorization)
	begins := time.Now().Add(2 * time.Second)
	early := with("Authorization", "Bearer "+s.token(t, "items:read", func(r *issuer.Request) {
		r.Claims = map[string]any{"nbf": begins.Unix() + 1}
	}))
	d.walk(t, step{"GET /items", []part{early}, 401, gateway.Invoked, "token_not_yet_valid"})
	time.Sleep(time.Until(begins.Add(200 * time.Millisecond))) // its leeway is a second
	d.walk(t, step{"GET /items", []part{early}, 200, gateway.Invoked, ""})
}

func TestAttackSecondFactorThatIsSkipped(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	secret := t.Name()
	factors := func(sources, routes string) string {
		return "gateway: {identity_sources: [" + sources + "]}\napi_keys: {secrets: [" + secret + "]}\n" + usualIssuer + routes
	}
	const vault = `
routes: [{route: GET /vault, require: [{jwt: {scopes: [items:read]}, api_key: {scopes: [vault]}}]}]
`
	const keySource = "$request.header.X-Api-Key"
	s.refusesToStart(t, factors(authorization, vault), "GET /vault accepts an API key in the header X-Api-Key (api_keys.header), which is not an identity source",
		"add $request.header.X-Api-Key to gateway.identity_sources")
	s.refusesToStart(t, factors(keySource, vault), "GET /vault accepts a token in the header Authorization", "add $request.header.Authorization")
	// A key that no route asks for speaks in the context all the same.
	s.refusesToStart(t, factors(authorization, itemsOfTokens), "every route accepts an API key in the header X-Api-Key")

	token := with("Authorization", "Bearer "+s.token(t, "items:read"))
	key := with("X-Api-Key", s.apiKey(t, secret, apikey.Grant{Principal: "acme", Scopes: []string{"vault"}}))
	weak := with("X-Api-Key", s.apiKey(t, secret, apikey.Grant{Principal: "other", Scopes: []string{"items:read"}}))
	junk := with("X-Api-Key", "ak_junk")
	both := factors(authorization+", "+keySource, vault)
	s.deploy(t, gateway.HTTP2IAM, both, authorization, keySource).walk(t,
		step{"GET /vault", []part{token, key}, 200, gateway.Invoked, ""},
		step{"GET /vault", []part{token, key}, 200, gateway.AnsweredCached, ""},
		step{"GET /vault", []part{token}, 401, gateway.SourceMissing, ""},
		step{"GET /vault", []part{key}, 401, gateway.SourceMissing, ""},
		step{"GET /vault", []part{token, junk}, 401, gateway.Invoked, "credential_malformed"},
		step{"GET /vault", []part{token, weak}, 403, gateway.Invoked, "scope_insufficient"},
		step{"GET /vault", []part{token, key}, 200, gateway.AnsweredCached, ""})
	// An API that keeps answers under the token alone shows in the event.
	s.deploy(t, gateway.HTTP2IAM, both, authorization).walk(t,
		step{"GET /vault", []part{token, key}, 500, gateway.Invoked, "cache_unsafe"},
		step{"GET /vault", []part{token}, 500, gateway.Invoked, "cache_unsafe"})
}

func TestAttackSignedRequestThatIsReplayedAsAnother(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	secret := t.Name()
	signatures := "signatures: {secrets: [" + secret + "]}\n" + usualIssuer + `
routes:
  - {route: GET /items, require: [{signature: {}}]}
  - {route: POST /items, require: [{signature: {}}]}
  - {route: GET /vault, require: [{signature: {}}]}
`
	for _, sources := range []string{authorization, "$request.header.Signature", "$request.header.Signature, $request.header.Signature-Input, $context.routeKey"} {
		s.refusesToStart(t, "gateway: {identity_sources: ["+sources+"]}\n"+signatures,
			"GET /items accepts a request signature, which is good for one request, and no identity source makes it safe to cache")
	}
	signer := s.signer(t, secret, httpsig.Grant{Principal: "machine"})
	var heard http.Header
	var url string
	listening := func(r *http.Request) error { heard, url = r.Header.Clone(), r.URL.RawQuery; return nil }
	again := func(r *http.Request) error { r.Header, r.URL.RawQuery = heard.Clone(), url; return nil }
	config := "gateway: {cache_ttl: 0s, identity_sources: []}\n" + signatures
	for _, kind := range []gateway.Kind{gateway.RESTRequest, gateway.HTTP2IAM} {
		first, second := s.deploy(t, kind, config), s.deploy(t, kind, config)
		first.walk(t,
			step{"GET /items?limit=1", []part{signer.Sign, listening}, 200, gateway.Invoked, ""},
			step{"GET /items?limit=1", []part{again}, 401, gateway.Invoked, "signature_replayed"},
			step{"GET /vault", []part{again}, 401, gateway.Invoked, "signature_invalid"},
			step{"GET /items", []part{again, query("limit=1000")}, 401, gateway.Invoked, "signature_invalid"},
			step{"POST /items", []part{again}, 401, gateway.Invoked, "digest_missing"})
		second.walk(t, // another process, which has not seen it
			step{"GET /items?limit=1", []part{again}, 401, gateway.Invoked, "signature_replayed"},
			step{"POST /items", []part{signer.Sign, listening}, 200, gateway.Invoked, ""},
			step{"POST /items", []part{again, with("Content-Digest", "sha-256=:"+strings.Repeat("A", 43)+"=:")}, 401, gateway.Invoked, "signature_invalid"})
	}
}

func query(raw string) part {
	return func(r *http.Request) error { r.URL.RawQuery = raw; return nil }
}
