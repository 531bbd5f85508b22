package config

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

// validateReferences checks what routes name of other sections. What a route
// is by itself is the business of policy.Compile.
func (c *Config) validateReferences() []problem.Problem {
	var out []problem.Problem
	for at, e := range c.entries() {
		out = append(out, c.validateJWT(at.path, e)...)
		if e.APIKey != nil && c.APIKeys == nil {
			out = append(out, problem.At(at.path+".api_key", "needs the section api_keys, which is missing"))
		}
		if e.Signature != nil && c.Signatures == nil {
			out = append(out, problem.At(at.path+".signature", "needs the section signatures, which is missing"))
		}
		if c.oneHeaderForTwo(e) {
			out = append(out, problem.At(at.path, "needs a token and an API key, and both are read from the header %s alone, which can hold only one: set api_keys.header", c.APIKeys.Header))
		}
		known := slices.Sorted(maps.Keys(c.Networks))
		for i, name := range e.Networks {
			if !slices.Contains(known, name) {
				out = append(out, problem.At(fmt.Sprintf("%s.networks[%d]", at.path, i), "names the network %q, which the section networks does not have%s", name, didYouMean(name, known)))
			}
		}
	}
	return out
}

func (c *Config) validateJWT(at string, e policy.Entry) []problem.Problem {
	if e.JWT == nil {
		return nil
	}
	if len(c.Issuers) == 0 {
		return []problem.Problem{problem.At(at+".jwt", "needs the section issuers, which is missing or empty")}
	}
	var known []string
	for _, issuer := range c.Issuers {
		known = append(known, issuer.Name)
	}
	if e.JWT.Issuer == "" || slices.Contains(known, e.JWT.Issuer) {
		return nil
	}
	return []problem.Problem{problem.At(at+".jwt.issuer", "names the issuer %q, which the section issuers does not have%s", e.JWT.Issuer, didYouMean(e.JWT.Issuer, known))}
}

// oneHeaderForTwo tells whether e can never be met: two values of one header
// are refused as ambiguous.
func (c *Config) oneHeaderForTwo(e policy.Entry) bool {
	if e.JWT == nil || e.APIKey == nil || c.APIKeys == nil {
		return false
	}
	key := c.APIKeyCarriers()
	for _, b := range c.BearerCarriers() {
		if len(key) == 0 || !b.Source.same(key[0].Source) {
			return false
		}
	}
	return true
}

// place is where an entry stands: its path in the file and its route.
type place struct{ path, route string }

// entries yields every entry of the route table.
func (c *Config) entries() iter.Seq2[place, policy.Entry] {
	return func(yield func(place, policy.Entry) bool) {
		for i, route := range c.Routes {
			for j, entry := range route.Require {
				at := place{path: fmt.Sprintf("routes[%d].require[%d]", i, j), route: route.Route}
				if !yield(at, entry) {
					return
				}
			}
		}
	}
}
