package config

import "time"

// Bounds of the sections that this package owns itself.
const (
	// API Gateway's own default and maximum of an authorizer's result TTL:
	// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
	defaultCacheTTL = 300 * time.Second
	maxCacheTTL     = time.Hour

	defaultPolicyBytes = 8192
	// A smaller document could not even hold a few statements.
	minPolicyBytes = 1024
	// Lambda cuts an answer at 6 MB. A document that comes anywhere near is a
	// mistake in the route table.
	maxPolicyBytes = 1 << 20
)

func (c *Config) setDefaults() {
	set(&c.Gateway.CacheTTL, defaultCacheTTL)
	if c.Gateway.IdentitySources == nil {
		c.Gateway.IdentitySources = []string{"method.request.header.Authorization"}
	}
	set(&c.Bearer.Header, "Authorization")
	set(&c.Response.HTTPAPI, "iam")
	set(&c.Response.Unauthenticated, "error")
	set(&c.Response.MaxPolicyBytes, defaultPolicyBytes)
	set(&c.Log.Principal, "plain")
	for i := range c.Issuers {
		c.Issuers[i].SetDefaults()
	}
	if c.APIKeys != nil {
		c.APIKeys.SetDefaults()
	}
	if c.Signatures != nil {
		c.Signatures.SetDefaults()
	}
	c.Secrets.SetDefaults()
	c.Revocation.SetDefaults()
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
