package config

import (
	"fmt"
	"regexp"
	"slices"

	"lambda-authorizer/problem"
)

// none says in so many words that nothing can be revoked.
const none = "none"

// A table's name, or its ARN for a table of another account:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
var tableName = regexp.MustCompile(`^(arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/)?[A-Za-z0-9_.-]{3,255}$`)

func (c *Config) validateTables() []problem.Problem {
	var out []problem.Problem
	const want = "must be the name or ARN of a DynamoDB table"
	t := c.Tables
	switch {
	case t.Revocations == "":
		out = append(out, problem.At("revocations", "is required: name the table, or write none to say that nothing can be revoked"))
	case !tableName.MatchString(t.Revocations):
		out = append(out, problem.At("revocations", "%s, or none", want))
	}
	replay := c.Signatures != nil && c.Signatures.Replay == "deny"
	switch {
	case t.Nonces == "" && replay:
		out = append(out, problem.At("nonces", "is required by signatures with replay: deny"))
	case t.Nonces == "":
	case t.Nonces == none, !tableName.MatchString(t.Nonces):
		out = append(out, problem.At("nonces", "%s", want))
	case t.Nonces == t.Revocations:
		out = append(out, problem.At("nonces", "must be a table of its own: signing traffic must not be able to slow down revocation"))
	}
	return out
}

// A secret's name or ARN:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
var secretName = regexp.MustCompile(`^(arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}$`)

// validateSecretNames checks every place that names a secret. What stands
// there is never repeated: it may be the secret itself.
func (c *Config) validateSecretNames() []problem.Problem {
	var out []problem.Problem
	check := func(path, name string) {
		if !secretName.MatchString(name) {
			out = append(out, problem.At(path, "must be the name or ARN of a secret in Secrets Manager"))
		}
	}
	list := func(path string, names []string) {
		for i, name := range names {
			at := fmt.Sprintf("%s[%d]", path, i)
			if slices.Contains(names[:i], name) {
				out = append(out, problem.At(at, "is listed twice"))
			}
			check(at, name)
		}
	}
	for i, issuer := range c.Issuers {
		if issuer.HMACSecret != "" {
			check(fmt.Sprintf("issuers[%d].hmac_secret", i), issuer.HMACSecret)
		}
	}
	if c.APIKeys != nil {
		list("api_keys.secrets", c.APIKeys.Secrets)
	}
	if c.Signatures != nil {
		list("signatures.secrets", c.Signatures.Secrets)
	}
	return out
}
