package config

import (
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

// validateSize compares the largest document that any caller can get with its
// bound. Without caching a document is one statement, and a simple answer is
// no document.
func (c *Config) validateSize() []problem.Problem {
	_, api := c.Gateway.Sources()
	if c.Gateway.CacheTTL == 0 || (c.Response.HTTPAPI == "simple" && api == HTTP) {
		return nil
	}
	largest := c.table.Largest(c.Form(), c.longestARN(), c.Response.MaxPolicyBytes)
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
