// Package policy decides who may use which route and renders the IAM document
// that says so. It is pure: no AWS SDK, no clock, no I/O. It believes what it
// is told of a caller; verifying credentials is the business of others.
//
// A Table is asked in turn: Match finds the route that decides on a request,
// Decide says whether a caller may use it. What is answered is a Document:
// Single is about one request; Cached is about all routes, because API Gateway
// keeps it and applies it to the caller's next request, whatever that is.
//
// How a cached document comes about. IAM's wildcard crosses slashes, so the
// Allow of GET /items/{id} also takes in GET /items/7/lines. Over paths that a
// template can match, which have no empty segments, that is all there is to
// it: a Resource is a pattern of texts and runs of segments (word.go). Two
// relations on patterns carry everything: covers, and meet, which finds what a
// pattern shares with the templates and who decides on that (meet.go). For
// each Allow they give its overlaps: words it takes in that others decide on,
// or nobody (overlap.go). Each overlap has one least Deny. If that takes a word
// from an allowed route, no document can allow both, and one of them is left
// out (resolve.go). What remains is a fold: Allows, the Denies that overlaps
// need, Denies against refused routes where they take nothing away (plan.go),
// and data against texts that no route's path can hold (escape.go).
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
