// Package config reads authorizer.yaml: strictly, completely, and with file,
// line and key in every complaint. It starts nothing and reaches nothing.
package config

import (
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
	"lambda-authorizer/revocation"
	"lambda-authorizer/secrets"
)

// Config is a whole authorizer.yaml after defaults, environment and
// validation. It is not changed after Load, so it may be shared.
type Config struct {
	Gateway        Gateway            `yaml:"gateway"`
	Tables         Tables             `yaml:"tables"`
	Issuers        []jwks.Issuer      `yaml:"issuers"`
	Bearer         Bearer             `yaml:"bearer"`
	APIKeys        *apikey.Config     `yaml:"api_keys"`
	Signatures     *httpsig.Config    `yaml:"signatures"`
	Secrets        secrets.Config     `yaml:"secrets"`
	Networks       map[string]Network `yaml:"networks"`
	DenyNetworks   []string           `yaml:"deny_networks"`
	TrustedProxies []string           `yaml:"trusted_proxies"`
	Revocation     revocation.Config  `yaml:"revocation"`
	Response       Response           `yaml:"response"`
	Log            Log                `yaml:"log"`
	Routes         []policy.Route     `yaml:"routes"`

	file  string
	dir   string
	lines func(path string) int
	table *policy.Table
}

// Table returns the compiled route table.
func (c *Config) Table() *policy.Table { return c.table }

// Revocable tells whether anything can be revoked: tables.revocations names a
// table.
func (c *Config) Revocable() bool { return c.Tables.Revocations != none }

// UsesAddress tells whether an address can decide: there are networks to be
// in, for routes or keys, or addresses that are denied.
func (c *Config) UsesAddress() bool { return len(c.Networks) > 0 || len(c.DenyNetworks) > 0 }

// Dir is the directory of the file, against which a relative jwks_file
// resolves.
func (c *Config) Dir() string { return c.dir }

// At locates a problem that was found in a valid configuration, such as a
// warning of the route table.
func (c *Config) At(p problem.Problem) Problem {
	return Problem{File: c.file, Line: c.Line(p.Path), Key: p.Path, Text: p.Text}
}

// Line is where the key at path stands in the file, or the nearest section
// above it. A path is written as in "routes[2].require[0].jwt.scopes".
func (c *Config) Line(path string) int { return c.lines(path) }

// Gateway is how the API Gateway authorizer that calls this function is set
// up: what is safe to answer depends on it.
type Gateway struct {
	// CacheTTL is the authorizer's result TTL. Default 300s, as API
	// Gateway's; 0 where caching is off; at most 1h.
	CacheTTL time.Duration `yaml:"cache_ttl"`
	// IdentitySources are written as in the authorizer's own settings, in
	// their order. Default [method.request.header.Authorization].
	IdentitySources []string `yaml:"identity_sources"`
	// APIs are the callers served, as api-id/stage with * allowed as stage.
	// Empty serves any.
	APIs []string `yaml:"apis"`
}

// Tables names the DynamoDB tables.
type Tables struct {
	// Revocations is required. "none" says that nothing can be revoked.
	Revocations string `yaml:"revocations"`
	// Nonces is needed by signatures with replay: deny.
	Nonces string `yaml:"nonces"`
}

// Bearer is where a bearer token may stand. Absent, the Authorization header
// alone.
type Bearer struct {
	// Header's value is "Bearer <token>". Default Authorization, beside
	// whatever else is named here; an explicit "" turns it off.
	Header string `yaml:"header"`
	// Query, Cookie name a parameter and a cookie. Empty: not accepted.
	Query  string `yaml:"query"`
	Cookie string `yaml:"cookie"`
	// Subprotocol accepts Sec-WebSocket-Protocol: bearer, <token>.
	Subprotocol bool `yaml:"subprotocol"`
	// Bare accepts a header value that is a compact JWS without the scheme.
	Bare bool `yaml:"bare"`
}

// Response is how answers are given.
type Response struct {
	// HTTPAPI is iam (default) or simple, as the API's authorizer is set.
	HTTPAPI string `yaml:"http_api"`
	// Unauthenticated is error (default: "Unauthorized", 401) or deny (a
	// refusal, 403, and no Lambda error is counted).
	Unauthenticated string `yaml:"unauthenticated"`
	// MaxPolicyBytes bounds the policy document. Default 8192.
	MaxPolicyBytes int `yaml:"max_policy_bytes"`
	// Claims are copied into the context.
	Claims []string `yaml:"claims"`
}

// Log is what the decision line says.
type Log struct {
	// Principal is plain (default) or hash.
	Principal string `yaml:"principal"`
}
