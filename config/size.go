package config

import (
	"fmt"
	"strings"

	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

// What a policy's Resources begin with is known only when a request comes. The
// check at start-up takes the longest partition and region and an API id of
// ten characters, as API Gateway makes them. A stage that gateway.apis does not
// name is taken to have sixteen characters. Where that is too short, the
// answer is the fault policy_too_large.
const (
	longPartition = "aws-us-gov"
	longRegion    = "us-gov-west-1"
	assumedAPI    = "a1b2c3d4e5"
	assumedStage  = "sixteen-letters-"
)

// validateSize compares the documents that callers can get with their bounds.
// A simple answer is no document.
func (c *Config) validateSize() []problem.Problem {
	if _, api := c.Gateway.Sources(); c.Response.HTTPAPI == "simple" && api == HTTP {
		return nil
	}
	if found := c.validateResources(); len(found) > 0 || c.Gateway.CacheTTL == 0 {
		return found // without caching a document is one statement
	}
	largest := c.largest(c.Response.MaxPolicyBytes)
	if largest.Bytes <= c.Response.MaxPolicyBytes {
		return nil
	}
	can := "gets"
	if !largest.Exact {
		can = "may get"
	}
	return []problem.Problem{problem.At("routes", "some caller %s a policy of %d bytes, over response.max_policy_bytes (%d): shorten the paths, merge routes, raise the bound, or set gateway.cache_ttl to 0s, where a policy names one route",
		can, largest.Bytes, c.Response.MaxPolicyBytes)}
}

// validateResources holds the longest Resource against API Gateway's bound,
// which a long stage leaves little of.
func (c *Config) validateResources() []problem.Problem {
	a := c.longestARN()
	// An HTTP API's paths are no longer: nothing in them is encoded.
	r := c.table.LongestResource(c.Form(), a, c.Gateway.CacheTTL > 0)
	if r.Characters <= policy.MaxResource {
		return nil
	}
	at, out := fmt.Sprintf("routes[%d].route", r.Route), "shorten the path or the name of the stage"
	what := c.table.Template(r.Route)
	if r.Within >= 0 {
		what += " within " + c.table.Template(r.Within)
		out += ", or set gateway.cache_ttl to 0s"
	}
	return []problem.Problem{problem.At(at, "a policy's Resource for %s takes up to %d characters with the stage %s/%s, and API Gateway accepts %d: %s",
		what, r.Characters, a.API, a.Stage, policy.MaxResource, out)}
}

// largest is the larger of what the callers of either kind of API get, where
// the identity sources are spelled for both.
func (c *Config) largest(enough int) policy.Size {
	a := c.longestARN()
	size := c.table.Largest(c.Form(), a, enough)
	if c.Form() == policy.Encoded {
		if decoded := c.table.Largest(policy.Decoded, a, enough); decoded.Bytes > size.Bytes {
			return decoded
		}
	}
	return size
}

// longestARN is the one among the callers of this function whose documents are
// the longest.
func (c *Config) longestARN() policy.ARN {
	a := policy.ARN{
		Partition: longPartition, Region: longRegion, Account: strings.Repeat("0", 12),
		API: assumedAPI, Stage: assumedStage, Method: "GET",
	}
	longest := 0
	for _, raw := range c.Gateway.APIs {
		api, stage, _ := strings.Cut(raw, "/")
		if stage == "*" {
			stage = assumedStage
		}
		if n := len(api) + len(stage); n > longest {
			longest, a.API, a.Stage = n, api, stage
		}
	}
	return a
}
