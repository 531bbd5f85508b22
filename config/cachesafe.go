package config

import (
	"fmt"
	"slices"

	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

// cacheSafety reports every way in which an answer would depend on more of a
// request than API Gateway's cache tells apart. With gateway.cache_ttl over 0
// an answer is used again for every request with the same identity sources, on
// any route, so whatever decides must be one of them:
//
//   - each place a credential is read from. A TOKEN authorizer has exactly one
//     source, a header, and the same rule covers it.
//   - the source address, where a network decides, and the header that can
//     replace it, where a proxy is trusted.
//   - the route, where the answer is a bare yes or no.
//
// And since API Gateway refuses a request that lacks any one of the sources,
// none of them may hold a credential that some caller does not need.
//
// It is a pure function of c, which must be valid otherwise.
func cacheSafety(c *Config) []problem.Problem {
	if c.Gateway.CacheTTL == 0 {
		return nil
	}
	s := newCacheKey(c)
	var out []problem.Problem
	out = append(out, s.undeclaredCarriers()...)
	out = append(out, s.needlessCarriers()...)
	out = append(out, s.signatures()...)
	out = append(out, s.addresses()...)
	out = append(out, s.simpleAnswers()...)
	return append(out, s.refusals()...)
}

// cacheKey is what API Gateway's cache tells apart.
type cacheKey struct {
	config  *Config
	sources []IdentitySource
	api     API
}

func newCacheKey(c *Config) cacheKey {
	sources, api := c.Gateway.Sources()
	return cacheKey{config: c, sources: sources, api: api}
}

func (s cacheKey) has(c Carrier) bool { return contains(s.sources, c.Source) }

// written is a source in the spelling of this API.
func (s cacheKey) written(source IdentitySource) string {
	source.API = s.api
	return source.String()
}

const uncached = "give the route a second function with gateway.cache_ttl: 0s"

// undeclaredCarriers: a request that differs only there would get the answer
// of another credential.
func (s cacheKey) undeclaredCarriers() []problem.Problem {
	var out []problem.Problem
	for _, kind := range s.kinds() {
		for _, carrier := range kind.carriers {
			if s.has(carrier) {
				continue
			}
			only := ""
			if len(distinct(kind.carriers)) > 1 {
				// Declaring them all is no way out: API Gateway demands each.
				only = " and keep no other place for " + kind.name
			}
			out = append(out, problem.At(kind.at, "%s accepts %s in %s (%s), which is not an identity source, so a cached answer would serve requests with another: add %s to gateway.identity_sources%s, or %s",
				kind.route, kind.name, describe([]Carrier{carrier}), carrier.Key, s.written(carrier.Source), only, uncached))
		}
	}
	return out
}

// kind is a credential kind, its carriers, and one place that names it.
type kind struct {
	name, at, route string
	carriers        []Carrier
}

// kinds lists the credential kinds that are read from requests. One that no
// route uses is read all the same: an invalid credential refuses the request,
// and a valid one speaks in the context.
func (s cacheKey) kinds() []kind {
	c := s.config
	var out []kind
	if len(c.Issuers) > 0 {
		k := kind{name: "a token", at: "issuers", route: "every route", carriers: c.BearerCarriers()}
		out = append(out, c.usedBy(k, ".jwt", func(e policy.Entry) bool { return e.JWT != nil }))
	}
	if c.APIKeys != nil {
		k := kind{name: "an API key", at: "api_keys", route: "every route", carriers: c.APIKeyCarriers()}
		out = append(out, c.usedBy(k, ".api_key", func(e policy.Entry) bool { return e.APIKey != nil }))
	}
	return out
}

// usedBy points k to the first entry that uses it.
func (c *Config) usedBy(k kind, key string, uses func(policy.Entry) bool) kind {
	for at, e := range c.entries() {
		if uses(e) {
			k.at, k.route = at.path+key, at.route
			return k
		}
	}
	return k
}

// needlessCarriers: API Gateway answers 401 by itself where any source is
// missing, so an entry must be able to fill every source that is a carrier.
func (s cacheKey) needlessCarriers() []problem.Problem {
	bearer, key := s.declared(s.config.BearerCarriers()), s.declared(s.config.APIKeyCarriers())
	all := distinct(append(append([]Carrier(nil), bearer...), key...))
	if len(all) < 2 {
		return nil
	}
	for at, e := range s.config.entries() {
		var filled []Carrier
		if e.APIKey != nil {
			filled = append(filled, key...)
		}
		if e.JWT != nil && len(bearer) > 0 {
			filled = append(filled, furthest(bearer, filled))
		}
		if filled = distinct(filled); e.Signature == nil && len(filled) < len(all) {
			return []problem.Problem{problem.At(at.path, "%s needs only one of %s, but all of them are identity sources, and API Gateway refuses a request that lacks any: keep one of them, or %s",
				at.route, describe(all), uncached)}
		}
	}
	return nil
}

func (s cacheKey) declared(carriers []Carrier) []Carrier {
	var out []Carrier
	for _, c := range carriers {
		if s.has(c) {
			out = append(out, c)
		}
	}
	return out
}

func distinct(carriers []Carrier) []Carrier {
	var out []Carrier
	for _, c := range carriers {
		if !holds(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// furthest picks a carrier that is not filled yet, for a token may stand in
// any of its places, but only in one.
func furthest(carriers, filled []Carrier) Carrier {
	for _, c := range carriers {
		if !holds(filled, c) {
			return c
		}
	}
	return carriers[0]
}

func holds(carriers []Carrier, c Carrier) bool {
	for _, have := range carriers {
		if have.Source.same(c.Source) {
			return true
		}
	}
	return false
}

// signatures: one covers one request, and a nonce may be used once.
func (s cacheKey) signatures() []problem.Problem {
	if s.config.Signatures == nil {
		return nil
	}
	k := s.config.usedBy(kind{at: "signatures", route: "every route"}, ".signature", func(e policy.Entry) bool { return e.Signature != nil })
	return []problem.Problem{problem.At(k.at, "%s accepts a request signature, which is good for one request, and no identity source makes it safe to cache: %s", k.route, uncached)}
}

// addresses: where the address decides, the cache must tell addresses apart.
// A network that only an API key's record names is checked where records are
// read.
func (s cacheKey) addresses() []problem.Problem {
	at, who := s.addressDecides()
	if at == "" {
		return nil
	}
	var out []problem.Problem
	for _, missing := range s.undeclaredAddress() {
		what := "which"
		if missing.Kind == "header" {
			what = "which trusted_proxies let X-Forwarded-For replace, and that"
		}
		out = append(out, problem.At(at, "%s, %s is not an identity source, so a cached answer would serve every address: add %s to gateway.identity_sources, or %s", who, what, s.written(missing), uncached))
	}
	return out
}

// undeclaredAddress is what tells a client's address and is no identity
// source.
func (s cacheKey) undeclaredAddress() []IdentitySource {
	parts := []IdentitySource{{Kind: "context", Name: sourceAddress}}
	if len(s.config.TrustedProxies) > 0 {
		parts = append(parts, IdentitySource{Kind: "header", Name: "X-Forwarded-For"})
	}
	return slices.DeleteFunc(parts, func(p IdentitySource) bool { return contains(s.sources, p) })
}

// AddressMayDecide tells whether an answer may depend on the source address:
// nothing is cached, or the address is part of the cache's key. Where it is
// false, an API key's record that names networks must be refused.
func (c *Config) AddressMayDecide() bool {
	return c.Gateway.CacheTTL == 0 || len(newCacheKey(c).undeclaredAddress()) == 0
}

func (s cacheKey) addressDecides() (at, who string) {
	for at, e := range s.config.entries() {
		if len(e.Networks) > 0 {
			return at.path + ".networks", at.route + " asks for the source address"
		}
	}
	if len(s.config.DenyNetworks) > 0 {
		return "deny_networks", fmt.Sprintf("every route, %s among them, asks for the source address", s.config.firstRoute())
	}
	return "", ""
}

// simpleAnswers: a bare yes is a yes to every route that shares the key.
func (s cacheKey) simpleAnswers() []problem.Problem {
	if s.config.Response.HTTPAPI != "simple" || (s.api == HTTP && contains(s.sources, IdentitySource{Kind: "context", Name: routeKey})) {
		return nil
	}
	return []problem.Problem{problem.At("response.http_api", "a cached simple answer for one route, such as %s, decides every other: add $context.routeKey to gateway.identity_sources, set iam, or %s", s.config.firstRoute(), uncached)}
}

// refusals: a token that is not valid yet would be locked out by the cached
// refusal when it has become valid. An error is not cached.
func (s cacheKey) refusals() []problem.Problem {
	if s.config.Response.Unauthenticated != "deny" {
		return nil
	}
	return []problem.Problem{problem.At("response.unauthenticated", "deny would be cached, and a token that is only not valid yet stays locked out of %s and every other route: set error, or %s", s.config.firstRoute(), uncached)}
}

func (c *Config) firstRoute() string {
	if len(c.Routes) == 0 {
		return "GET /"
	}
	return c.Routes[0].Route
}
