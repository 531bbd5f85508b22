// Package policy decides who may use which route and renders the IAM document
// that says so. It is pure: no AWS SDK, no clock, no I/O.
package policy

// Route is one entry of the route table. What no route opens stays closed.
type Route struct {
	// Route is "METHOD /template" as in an HTTP API's routeKey: ANY, {id},
	// {proxy+}; or $connect, $default.
	Route string `yaml:"route"`
	// Require lists what opens the route: any entry is enough; inside an
	// entry everything must hold.
	Require []Entry `yaml:"require"`
}

// Entry is one way into a route. Two credential kinds: both must be
// presented and valid.
type Entry struct {
	JWT       *JWTGrant `yaml:"jwt"`
	APIKey    *KeyGrant `yaml:"api_key"`
	Signature *KeyGrant `yaml:"signature"`
	// Networks: the source address must be in one of them.
	Networks []string `yaml:"networks"`
}

// JWTGrant is what a token must say. Empty: any valid token.
type JWTGrant struct {
	// Issuer is an issuer's name. Empty: any issuer.
	Issuer string `yaml:"issuer"`
	// Scopes: all of them. AnyScope: at least one.
	Scopes   []string `yaml:"scopes"`
	AnyScope []string `yaml:"any_scope"`
	// Claims: name to allowed values (strings, numbers, booleans); an array
	// claim matches when it holds one of them.
	Claims map[string][]any `yaml:"claims"`
}

// KeyGrant is what an API key or a signing key must say.
type KeyGrant struct {
	Scopes   []string `yaml:"scopes"`
	AnyScope []string `yaml:"any_scope"`
}
