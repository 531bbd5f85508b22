package config

import (
	"fmt"
	"strings"

	"lambda-authorizer/problem"
)

// reserved are the context keys that mean something already: the service's
// own, and those that API Gateway writes beside them (`claims` in an HTTP
// API's payload 1.0, the other two in a REST API).
var reserved = map[string]bool{
	"principal": true, "subject": true, "auth_method": true, "issuer": true,
	"client_id": true, "token_id": true, "scope": true, "expires_at": true,
	"key_id": true, "content_digest": true, "reason": true,
	"claims": true, "principalId": true, "integrationLatency": true,
}

// ContextKey is the context key under which a claim reaches the backend:
// every character outside [A-Za-z0-9_] becomes _. An array or an object has
// _json after it.
func ContextKey(claim string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_':
			return c
		}
		return '_'
	}, claim)
}

// validateClaims refuses claims that would land under a key that is taken: a
// backend would read one caller's word for another's. A claim may turn out to
// be an array, so its _json form counts too.
func validateClaims(claims []string) []problem.Problem {
	var out []problem.Problem
	owner := map[string]string{}
	for i, claim := range claims {
		at := fmt.Sprintf("claims[%d]", i)
		key := ContextKey(claim)
		shared := key
		other, clash := owner[key]
		if !clash {
			shared = key + "_json"
			other, clash = owner[shared]
		}
		switch {
		case claim == "":
			out = append(out, problem.At(at, "is empty"))
			continue
		case reserved[key]:
			out = append(out, problem.At(at, "would be the context key %s, which is reserved", key))
		case clash:
			out = append(out, problem.At(at, "would share the context key %s with the claim %s", shared, other))
		}
		owner[key], owner[key+"_json"] = claim, claim
	}
	return out
}
