package config

import (
	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

// Form is how paths are written in the API that the identity sources are
// spelled for. REST is the default's spelling, and one function may serve a
// REST and an HTTP API with it: what is exact for the first is exact for the
// second too, but its documents may be the smaller ones.
func (c *Config) Form() policy.PathForm {
	if _, api := c.Gateway.Sources(); api == HTTP {
		return policy.Decoded
	}
	return policy.Encoded
}

// issuerNames are those of all whose tokens are accepted: nobody else is a
// caller whose policy could be too large or inexact.
func (c *Config) issuerNames() []string {
	names := make([]string, len(c.Issuers))
	for i, issuer := range c.Issuers {
		names[i] = issuer.Name
	}
	return names
}

// LargestDocument is the longest policy that any caller can get with caching
// on, for the longest ARN that gateway.apis lets call.
func (c *Config) LargestDocument() policy.Size {
	return c.largest(0)
}

// CacheObstacles lists what would be wrong with a valid configuration if
// gateway.cache_ttl were API Gateway's default of 300s. Where it is over 0
// already there are none.
func (c *Config) CacheObstacles() []Problem {
	cached := *c
	cached.Gateway.CacheTTL = defaultCacheTTL
	found := problem.Under("gateway", cached.Gateway.validate())
	var out []Problem
	for _, p := range append(found, cacheSafety(&cached)...) {
		out = append(out, c.At(p))
	}
	return out
}
