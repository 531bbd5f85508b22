package config

import (
	"fmt"
	"strings"

	"lambda-authorizer/problem"
)

// Carrier is one place of a request where a credential may stand.
type Carrier struct {
	// Key is the configuration key that opens it, as in "bearer.query".
	Key string
	// Source is the part of the request that holds it, in a REST API's
	// spelling. A cookie has no source of its own, only all cookies together
	// have one: the header Cookie. That is safe as a cache key, since equal
	// headers hold equal cookies, and merely caches less. (An HTTP API hands
	// cookies over apart; should it not find the header as a source, it
	// answers 401 and nothing opens.) A subprotocol is
	// the header Sec-WebSocket-Protocol; a WebSocket API caches nothing, but
	// any client can send that header to a REST API, so it counts like every
	// other header.
	Source IdentitySource
}

// BearerCarriers are the places where a bearer token may stand.
func (c *Config) BearerCarriers() []Carrier {
	var out []Carrier
	add := func(key, kind, name string) {
		out = append(out, Carrier{Key: key, Source: IdentitySource{Kind: kind, Name: name}})
	}
	b := c.Bearer
	if b.Header != "" {
		add("bearer.header", "header", b.Header)
	}
	if b.Query != "" {
		add("bearer.query", "querystring", b.Query)
	}
	if b.Cookie != "" {
		add("bearer.cookie", "header", "Cookie")
	}
	if b.Subprotocol {
		add("bearer.subprotocol", "header", "Sec-WebSocket-Protocol")
	}
	return out
}

// APIKeyCarriers are the places where an API key may stand: one, or none
// where there are no API keys.
func (c *Config) APIKeyCarriers() []Carrier {
	if c.APIKeys == nil || c.APIKeys.Header == "" {
		return nil
	}
	return []Carrier{{
		Key:    "api_keys.header",
		Source: IdentitySource{Kind: "header", Name: c.APIKeys.Header},
	}}
}

func (b Bearer) validate() []problem.Problem {
	var out []problem.Problem
	if b.Header != "" {
		out = append(out, validateHeader("header", b.Header)...)
	}
	if b.Header == "" && b.Query == "" && b.Cookie == "" && !b.Subprotocol {
		out = append(out, problem.At("", "names no place where a token may stand"))
	}
	if b.Header == "" && b.Bare {
		out = append(out, problem.At("bare", "is about the header's value, and header is turned off"))
	}
	if b.Query != "" && !queryName.MatchString(b.Query) {
		out = append(out, problem.At("query", "must be the name of a query parameter"))
	}
	if b.Cookie != "" && !headerName.MatchString(b.Cookie) {
		out = append(out, problem.At("cookie", "must be the name of a cookie"))
	}
	return out
}

// taken are the headers that mean something else, with what to use instead.
var taken = map[string]string{
	"cookie":                 "bearer.cookie reads one cookie by its name",
	"sec-websocket-protocol": "bearer.subprotocol reads it",
	"signature":              "it belongs to request signatures",
	"signature-input":        "it belongs to request signatures",
	"host":                   "API Gateway routes by it",
	"x-forwarded-for":        "proxies write it",
}

func validateHeader(path, name string) []problem.Problem {
	if why, is := taken[strings.ToLower(name)]; is {
		return []problem.Problem{problem.At(path, "cannot be %s: %s", name, why)}
	}
	if !headerName.MatchString(name) {
		return []problem.Problem{problem.At(path, "must be the name of a header")}
	}
	return nil
}

// describe lists carriers in words.
func describe(carriers []Carrier) string {
	words := make([]string, len(carriers))
	for i, c := range carriers {
		switch c.Key {
		case "bearer.query":
			words[i] = fmt.Sprintf("the query parameter %s", c.Source.Name)
		case "bearer.cookie":
			words[i] = "a cookie"
		default:
			words[i] = fmt.Sprintf("the header %s", c.Source.Name)
		}
	}
	return strings.Join(words, " and ")
}
