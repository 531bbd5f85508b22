package config

import (
	"strings"

	"lambda-authorizer/problem"
)

func (r Response) validate() []problem.Problem {
	var out []problem.Problem
	out = append(out, oneOf("http_api", r.HTTPAPI, "iam", "simple")...)
	out = append(out, oneOf("unauthenticated", r.Unauthenticated, "error", "deny")...)
	if r.MaxPolicyBytes < minPolicyBytes || r.MaxPolicyBytes > maxPolicyBytes {
		out = append(out, problem.At("max_policy_bytes", "must be from %d to %d", minPolicyBytes, maxPolicyBytes))
	}
	return append(out, validateClaims(r.Claims)...)
}

func oneOf(path, value string, allowed ...string) []problem.Problem {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return []problem.Problem{problem.At(path, "must be %s", strings.Join(allowed, " or "))}
}
