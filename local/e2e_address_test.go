package local_test

import (
	"testing"

	"lambda-authorizer/apikey"
	"lambda-authorizer/local/gateway"
)

// placed are routes of which one is open to the office alone.
const placed = `
networks: {office: [203.0.113.0/24]}
routes:
  - {route: GET /office, require: [{jwt: {}, networks: [office]}]}
  - {route: GET /items, require: [{jwt: {}}]}
`

const (
	sourceIP  = "context.identity.sourceIp"
	header    = "method.request.header.Authorization"
	forwarded = "method.request.header.X-Forwarded-For"
)

func sourced(sources string) string {
	return "gateway: {identity_sources: [" + sources + "]}\n" + usualIssuer
}

func TestAttackAddressThatIsRefusedOnOneRouteAndLetInOnTheNext(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	s.refusesToStart(t, sourced(header)+placed, "GET /office asks for the source address, which is not an identity source, so a cached answer would serve every address",
		"add context.identity.sourceIp to gateway.identity_sources")
	s.refusesToStart(t, sourced(header)+"deny_networks: [198.51.100.0/24]\n"+itemsOfTokens,
		"every route, GET /items among them, asks for the source address", "add context.identity.sourceIp")

	token := with("Authorization", "Bearer "+s.token(t, "items:read"))
	office, street, denied := from("203.0.113.9"), from("192.0.2.1"), from("198.51.100.7")
	config := sourced(header+", "+sourceIP) + "deny_networks: [198.51.100.0/24]" + placed
	s.deploy(t, gateway.RESTRequest, config, header, sourceIP).walk(t,
		step{"GET /office", []part{token, office}, 200, gateway.Invoked, ""},
		step{"GET /items", []part{token, office}, 200, gateway.AnsweredCached, ""},
		step{"GET /office", []part{token, street}, 403, gateway.Invoked, "address_not_allowed"},
		step{"GET /items", []part{token, street}, 200, gateway.AnsweredCached, ""},
		step{"GET /office", []part{token, street}, 403, gateway.AnsweredCached, ""},
		step{"GET /items", []part{token, denied}, 403, gateway.Invoked, "address_denied"},
		step{"GET /office", []part{token, denied}, 403, gateway.AnsweredCached, ""},
		step{"GET /office", []part{token, office}, 200, gateway.AnsweredCached, ""})
	// An HTTP API tells what it keeps answers under.
	http := "gateway: {identity_sources: [" + authorization + ", $context.identity.sourceIp]}\n" + usualIssuer + placed
	s.deploy(t, gateway.HTTP2IAM, http, authorization, "$context.identity.sourceIp").walk(t,
		step{"GET /office", []part{token, office}, 200, gateway.Invoked, ""},
		step{"GET /office", []part{token, street}, 403, gateway.Invoked, "address_not_allowed"})
	s.deploy(t, gateway.HTTP2IAM, http, authorization).walk(t,
		step{"GET /office", []part{token, office}, 500, gateway.Invoked, "cache_unsafe"},
		step{"GET /office", []part{token, street}, 500, gateway.Invoked, "cache_unsafe"})
}

// Behind a proxy all come from one address: the header tells them apart, and so
// it must be a source, too.
func TestAttackAddressBehindAProxyThatIsLetInByAnothersAnswer(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	const trusted = "trusted_proxies: [130.176.0.0/16]" + placed
	s.refusesToStart(t, sourced(header+", "+sourceIP)+trusted,
		"GET /office asks for the source address, which trusted_proxies let X-Forwarded-For replace, and that is not an identity source",
		"add method.request.header.X-Forwarded-For to gateway.identity_sources")

	token, proxy := with("Authorization", "Bearer "+s.token(t, "items:read")), from("130.176.1.2")
	office, street := with("X-Forwarded-For", "203.0.113.9"), with("X-Forwarded-For", "192.0.2.1")
	claims := with("X-Forwarded-For", "203.0.113.9, 192.0.2.1") // what stands left is made up
	s.deploy(t, gateway.RESTRequest, sourced(header+", "+sourceIP+", "+forwarded)+trusted, header, sourceIP, forwarded).walk(t,
		step{"GET /office", []part{token, proxy, office}, 200, gateway.Invoked, ""},
		step{"GET /office", []part{token, proxy, street}, 403, gateway.Invoked, "address_not_allowed"},
		step{"GET /items", []part{token, proxy, street}, 200, gateway.AnsweredCached, ""},
		step{"GET /office", []part{token, proxy, claims}, 403, gateway.Invoked, "address_not_allowed"},
		step{"GET /office", []part{token, from("192.0.2.1"), office}, 403, gateway.Invoked, "address_not_allowed"},
		step{"GET /office", []part{token, proxy, office}, 200, gateway.AnsweredCached, ""})
}

// Records are read long after the start: one that names a place is not used
// where answers do not tell places apart.
func TestAttackKeyBoundToAPlaceThatACachedAnswerLetsInFromAnywhere(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	secret := t.Name()
	config := func(sources string) string {
		return "gateway: {identity_sources: [" + sources + "]}\ntables: {revocations: none}\napi_keys: {secrets: [" + secret + `]}
networks: {office: [203.0.113.0/24]}
routes: [{route: GET /items, require: [{api_key: {}}]}]
`
	}
	const keySource = "method.request.header.X-Api-Key"
	bound := with("X-Api-Key", s.apiKey(t, secret, apikey.Grant{Principal: "acme", Networks: []string{"office"}}))
	free := with("X-Api-Key", s.apiKey(t, secret, apikey.Grant{Principal: "acme"}))
	office := from("203.0.113.9")
	s.deploy(t, gateway.RESTRequest, config(keySource), keySource).walk(t,
		step{"GET /items", []part{bound, office}, 401, gateway.Invoked, "api_key_unknown"},
		step{"GET /items", []part{free}, 200, gateway.Invoked, ""})
	s.deploy(t, gateway.RESTRequest, config(keySource+", "+sourceIP), keySource, sourceIP).walk(t,
		step{"GET /items", []part{bound, office}, 200, gateway.Invoked, ""},
		step{"GET /items", []part{bound}, 403, gateway.Invoked, "address_not_allowed"},
		step{"GET /items", []part{bound, office}, 200, gateway.AnsweredCached, ""})
}
