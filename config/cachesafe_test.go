package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lambda-authorizer/apikey"
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
)

// request is what a client sends and where from, as far as a decision can
// depend on it. A credential is t1, t2 (tokens) or k1, k2 (API keys).
type request map[IdentitySource]string

var (
	authorization = IdentitySource{Kind: "header", Name: "Authorization"}
	apiKeyHeader  = IdentitySource{Kind: "header", Name: "X-Api-Key"}
	queryToken    = IdentitySource{Kind: "querystring", Name: "token"}
	cookies       = IdentitySource{Kind: "header", Name: "Cookie"}
	address       = IdentitySource{Kind: "context", Name: "identity.sourceIp"}
	forwardedFor  = IdentitySource{Kind: "header", Name: "X-Forwarded-For"}
)

var allParts = []IdentitySource{authorization, apiKeyHeader, queryToken, cookies, address, forwardedFor}

// requests are all that differ in the parts that matter.
func requests() []request {
	out := []request{{}}
	for _, part := range allParts {
		values := []string{"", "t1", "t2", "k1", "k2"}
		if part == address || part == forwardedFor {
			// API Gateway sees to it that both are there.
			values = []string{"192.0.2.1", "192.0.2.2"}
		}
		var more []request
		for _, r := range out {
			for _, v := range values {
				next := request{part: v}
				for p, before := range r {
					next[p] = before
				}
				more = append(more, next)
			}
		}
		out = more
	}
	return out
}

// model is a configuration reduced to what the cache rules are about, with the
// rules put another way: by looking at every pair of requests.
type model struct {
	sources       []IdentitySource
	bearer, key   []IdentitySource
	addressParts  []IdentitySource // what decides who the client is, if anything asks
	entriesWanted [][]string       // the credential kinds of each entry: t, k
}

// seen is all of a request that a decision may depend on.
func (m model) seen(r request) string {
	var b strings.Builder
	for _, c := range m.bearer {
		if strings.HasPrefix(r[c], "t") {
			fmt.Fprintf(&b, "%v=%s ", c, r[c])
		}
	}
	for _, c := range m.key {
		if strings.HasPrefix(r[c], "k") {
			fmt.Fprintf(&b, "%v=%s ", c, r[c])
		}
	}
	for _, p := range m.addressParts {
		fmt.Fprintf(&b, "%v=%s ", p, r[p])
	}
	return b.String()
}

// cacheKey is under what API Gateway keeps the answer; ok is false where it
// answers 401 by itself.
func (m model) cacheKey(r request) (key string, ok bool) {
	for _, s := range m.sources {
		if r[s] == "" {
			return "", false
		}
		key += r[s] + "|"
	}
	return key, true
}

// safe: no two requests share an answer and differ in what decides.
func (m model) safe(all []request) bool {
	answers := map[string]string{}
	for _, r := range all {
		key, ok := m.cacheKey(r)
		if !ok {
			continue
		}
		seen := m.seen(r)
		if before, known := answers[key]; known && before != seen {
			return false
		}
		answers[key] = seen
	}
	return true
}

// live: for each entry there is a request that brings the wanted credentials,
// each once and no other, and that API Gateway lets through.
func (m model) live(all []request) bool {
	for _, wanted := range m.entriesWanted {
		if !slices.ContainsFunc(all, func(r request) bool { return m.brings(r, wanted) }) {
			return false
		}
	}
	return true
}

func (m model) brings(r request, wanted []string) bool {
	if _, ok := m.cacheKey(r); !ok {
		return false
	}
	var brought []string
	for _, part := range []IdentitySource{authorization, apiKeyHeader, queryToken, cookies} {
		switch {
		case r[part] == "", !slices.Contains(m.bearer, part) && !slices.Contains(m.key, part):
		case strings.HasPrefix(r[part], "t") && slices.Contains(m.bearer, part):
			brought = append(brought, "t")
		case strings.HasPrefix(r[part], "k") && slices.Contains(m.key, part):
			brought = append(brought, "k")
		default:
			return false // nothing that the service would take for a credential
		}
	}
	slices.Sort(brought)
	return slices.Equal(brought, wanted)
}

func drawCached(t *rapid.T) (*Config, model) {
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	c := &Config{Issuers: []jwks.Issuer{{Name: "main"}}, Response: Response{HTTPAPI: "iam", Unauthenticated: "error"}}
	c.Gateway.CacheTTL = time.Minute
	var m model
	api := rapid.SampledFrom([]API{REST, HTTP}).Draw(t, "api")
	for _, part := range allParts {
		if flag("source " + part.String()) {
			m.sources = append(m.sources, part)
			part.API = api
			c.Gateway.IdentitySources = append(c.Gateway.IdentitySources, strings.ReplaceAll(part.String(), "Authorization", rapid.SampledFrom([]string{"Authorization", "authorization"}).Draw(t, "case")))
		}
	}
	if flag("bearer.header") {
		c.Bearer.Header, m.bearer = "Authorization", append(m.bearer, authorization)
	}
	if flag("bearer.query") {
		c.Bearer.Query, m.bearer = "token", append(m.bearer, queryToken)
	}
	if flag("bearer.cookie") || len(m.bearer) == 0 {
		c.Bearer.Cookie, m.bearer = "session", append(m.bearer, cookies)
	}
	if flag("api_keys") {
		header := rapid.SampledFrom([]IdentitySource{authorization, apiKeyHeader}).Draw(t, "api_keys.header")
		c.APIKeys, m.key = &apikey.Config{Header: header.Name}, []IdentitySource{header}
	}
	drawEntries(t, c, &m)
	drawAddress(t, c, &m)
	return c, m
}

func drawEntries(t *rapid.T, c *Config, m *model) {
	kinds := [][]string{{"t"}}
	if len(m.key) > 0 {
		kinds = append(kinds, []string{"k"})
		if len(m.bearer) > 1 || m.bearer[0] != m.key[0] {
			kinds = append(kinds, []string{"k", "t"})
		}
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "routes") {
		wanted := rapid.SampledFrom(kinds).Draw(t, "kinds")
		m.entriesWanted = append(m.entriesWanted, wanted)
		var e policy.Entry
		if slices.Contains(wanted, "t") {
			e.JWT = &policy.JWTGrant{}
		}
		if slices.Contains(wanted, "k") {
			e.APIKey = &policy.KeyGrant{}
		}
		c.Routes = append(c.Routes, policy.Route{Route: fmt.Sprintf("GET /r%d", i), Require: []policy.Entry{e}})
	}
}

func drawAddress(t *rapid.T, c *Config, m *model) {
	asks := false
	if rapid.Bool().Draw(t, "networks") {
		c.Routes[len(c.Routes)-1].Require[0].Networks = []string{"office"}
		asks = true
	}
	if rapid.Bool().Draw(t, "deny_networks") {
		c.DenyNetworks = []string{"198.51.100.7/32"}
		asks = true
	}
	if rapid.Bool().Draw(t, "trusted_proxies") {
		c.TrustedProxies = []string{"130.176.0.0/16"}
	}
	if asks {
		m.addressParts = append(m.addressParts, address)
		if len(c.TrustedProxies) > 0 {
			m.addressParts = append(m.addressParts, forwardedFor)
		}
	}
}

func TestCacheRulesRefuseExactlyWhatACacheWouldGetWrong(t *testing.T) {
	t.Parallel()
	all := requests()
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c, m := drawCached(t)
		if len(m.sources) == 0 {
			// Refused by the section itself; API Gateway would not set it up.
			c.Gateway.CacheTTL = 0
			m.sources = allParts
			m.entriesWanted = nil
		}
		found := cacheSafety(c)
		fine := m.safe(all) && m.live(all)
		if fine != (len(found) == 0) {
			t.Fatalf("sources %v, bearer %v, keys %v, entries %v, address %v: safe %v, live %v, but cacheSafety says %v",
				c.Gateway.IdentitySources, m.bearer, m.key, m.entriesWanted, m.addressParts, m.safe(all), m.live(all), found)
		}
		if fine {
			accepted++
		} else {
			refused++
		}
	})
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused: the property was not tried", accepted, refused)
	}
}

func TestAddressMayDecideWhereTheCacheTellsItApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, m := drawCached(t)
		want := slices.Contains(m.sources, address) &&
			(len(c.TrustedProxies) == 0 || slices.Contains(m.sources, forwardedFor))
		if got := c.AddressMayDecide(); got != want {
			t.Errorf("sources %v, proxies %v: %v", c.Gateway.IdentitySources, c.TrustedProxies, got)
		}
		if c.Gateway.CacheTTL = 0; !c.AddressMayDecide() {
			t.Error("the address may not decide although nothing is cached")
		}
	})
}

func TestNothingIsUnsafeWithoutACache(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, _ := drawCached(t)
		c.Gateway.CacheTTL = 0
		c.Response = Response{HTTPAPI: "simple", Unauthenticated: "deny"}
		if found := cacheSafety(c); len(found) > 0 {
			t.Errorf("%v", found)
		}
	})
}
