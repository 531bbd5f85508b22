package doctor

import (
	"slices"
	"strings"

	"lambda-authorizer/config"
)

// identitySources: they are the key of the cache, and what must be there
// before API Gateway calls the function at all.
func (c *Case) identitySources() (string, []Finding) {
	live, want := c.Authorizer.IdentitySources, c.Config.Gateway.IdentitySources
	kept := c.Authorizer.TTL > 0
	var findings []Finding
	for _, source := range want {
		if !holdsSource(live, source) && kept {
			findings = append(findings, Finding{Critical, source + " is an identity source in the configuration and not of the authorizer",
				"kept answers serve every request that differs in it alone", c.setSources()})
		}
	}
	for _, source := range live {
		if !holdsSource(want, source) {
			findings = append(findings, Finding{Warning, source + " is an identity source of the authorizer and not in the configuration",
				"API Gateway answers 401 to requests without it and does not call the function", append(c.setSources(),
					"or, if this is meant: "+c.write("gateway.identity_sources", "add %s", source))})
		}
	}
	if f, bad := c.sourceOrder(); bad {
		findings = append(findings, f)
	}
	return strings.Join(live, ","), findings
}

func (c *Case) setSources() []string {
	want := make([]string, 0, len(c.Config.Gateway.IdentitySources))
	for _, s := range c.Config.Gateway.IdentitySources {
		want = append(want, c.spelled(s))
	}
	return c.setAuthorizer(patch{"replace", "/identitySource", strings.Join(want, ",")}, append([]string{"--identity-source"}, want...)...)
}

// sourceOrder: with simple answers kept, the function looks for the route key
// at its declared index among as many values as are declared.
func (c *Case) sourceOrder() (Finding, bool) {
	live, want := c.Authorizer.IdentitySources, c.Config.Gateway.IdentitySources
	same := slices.EqualFunc(live, want, sameSource)
	if same || c.API.Kind != HTTP {
		return Finding{}, false // elsewhere the order says nothing
	}
	index := func(sources []string) int {
		return slices.IndexFunc(sources, func(s string) bool { return sameSource(s, "$context.routeKey") })
	}
	if c.Config.Response.HTTPAPI == "simple" && c.Config.Gateway.CacheTTL > 0 && (len(live) != len(want) || index(live) != index(want)) {
		return Finding{Error, "identity sources are not in the order of gateway.identity_sources",
			"the function does not find the route key where it is declared and answers 500 (cache_unsafe)", c.setSources()}, true
	}
	if len(live) != len(want) {
		return Finding{}, false // said above
	}
	return Finding{Note, "identity sources are not in the order of gateway.identity_sources",
		"harmless as it is set up now; a cached simple answer would depend on it", c.setSources()}, true
}

func holdsSource(sources []string, source string) bool {
	return slices.ContainsFunc(sources, func(s string) bool { return sameSource(s, source) })
}

// sameSource tells whether two expressions read the same part of a request,
// in whatever API's spelling. A header's name has no case.
func sameSource(a, b string) bool {
	x, errX := config.ParseIdentitySource(a)
	y, errY := config.ParseIdentitySource(b)
	if errX != nil || errY != nil {
		return a == b
	}
	return x.Kind == y.Kind && (x.Name == y.Name || x.Kind == "header" && strings.EqualFold(x.Name, y.Name))
}

// spelled writes a source as this kind of API does.
func (c *Case) spelled(source string) string {
	s, err := config.ParseIdentitySource(source)
	if err != nil {
		return source
	}
	s.API = map[Kind]config.API{REST: config.REST, HTTP: config.HTTP, WebSocket: config.WebSocket}[c.API.Kind]
	return s.String()
}
