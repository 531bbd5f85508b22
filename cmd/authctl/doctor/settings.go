package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// noAuthorizer: nothing stands in front of the API.
func (c *Case) noAuthorizer() Finding {
	g := c.Config.Gateway
	args := append(c.api(), "--name", "authorizer")
	var sources []string
	for _, s := range g.IdentitySources {
		sources = append(sources, c.spelled(s))
	}
	uri := "arn:aws:apigateway:" + c.API.Region + ":lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations"
	switch c.API.Kind {
	case REST:
		args = append(args, "--type", "REQUEST", "--identity-source", strings.Join(sources, ","))
	default:
		args = append(append(args, "--authorizer-type", "REQUEST", "--identity-source"), sources...)
	}
	if c.API.Kind == HTTP {
		args = append(args, "--authorizer-payload-format-version", "2.0")
		if c.Config.Response.HTTPAPI == "simple" {
			args = append(args, "--enable-simple-responses")
		}
	}
	if c.API.Kind != WebSocket {
		args = append(args, "--authorizer-result-ttl-in-seconds", seconds(g.CacheTTL))
	}
	return Finding{Critical, "the API has no Lambda authorizer",
		"no request is checked by the function",
		[]string{c.aws("create-authorizer", append(args, "--authorizer-uri", uri)...)}}
}

// stage: the function serves the APIs that gateway.apis lists.
func (c *Case) stage() (string, []Finding) {
	here := c.API.ID + "/" + c.API.Stage
	apis := c.Config.Gateway.APIs
	switch {
	case len(apis) == 0:
		return "", []Finding{{Note, "gateway.apis is not set", "the function answers every API that may invoke it, with this route table",
			[]string{c.write("gateway.apis", `["%s"]`, here)}}}
	case slices.Contains(apis, here), slices.Contains(apis, c.API.ID+"/*"):
		return here + " is in gateway.apis", nil
	}
	return "", []Finding{{Error, here + " is not in gateway.apis", "the function refuses every request of this stage (403, api_unknown)",
		[]string{c.write("gateway.apis", `add "%s"`, here)}}}
}

// cacheTTL: what is safe to answer depends on how long the answer is kept.
func (c *Case) cacheTTL() (string, []Finding) {
	live, want := c.Authorizer.TTL, c.Config.Gateway.CacheTTL
	if c.API.Kind == WebSocket {
		return "a WebSocket API keeps no results", nil
	}
	if live == want {
		return fmt.Sprintf("%s s, as gateway.cache_ttl", seconds(live)), nil
	}
	f := Finding{
		What: fmt.Sprintf("API Gateway keeps results for %s s, gateway.cache_ttl is %v", seconds(live), want),
		Fix:  c.setAuthorizer(patch{"replace", "/authorizerResultTtlInSeconds", seconds(want)}, "--authorizer-result-ttl-in-seconds", seconds(want)),
	}
	or := "or, if this is meant: " + c.write("gateway.cache_ttl", "%s", live)
	switch {
	case want == 0:
		f.Severity = Critical
		f.Why = "with 0s the function decides one request at a time: kept answers serve requests that it would refuse (another address, another signature) and refuse those it would let in"
	case live > want:
		f.Severity = Error
		f.Why = fmt.Sprintf("a revoked or expired token is honoured up to %s s longer than authctl revoke says", seconds(live-want))
	default:
		f.Severity = Warning
		f.Why = "safe; the function is called more often than it needs to be, and revocations are in force sooner than authctl revoke says"
	}
	f.Fix = append(f.Fix, or)
	return "", []Finding{f}
}

// payloadVersion: the function tells the shapes apart by it.
func (c *Case) payloadVersion() (string, []Finding) {
	if c.API.Kind != HTTP {
		return "", nil
	}
	payload := c.Authorizer.Payload
	to2 := c.setAuthorizer(patch{}, "--authorizer-payload-format-version", "2.0")
	switch {
	case payload == "2.0":
		return payload, nil
	case payload != "1.0":
		return "", []Finding{{Error, fmt.Sprintf("payload format version %q", payload), "the function knows 1.0 and 2.0 and answers 500 (event_unsupported)", to2}}
	case c.Config.Response.HTTPAPI == "simple":
		return "", []Finding{{Warning, "payload format version 1.0, and response.http_api is simple", "1.0 has no simple answers: the function answers with a policy", to2}}
	}
	return "1.0, answered with a policy", nil
}

// responseForm: API Gateway takes either yes and no, or a policy.
func (c *Case) responseForm() (string, []Finding) {
	if c.API.Kind != HTTP || c.Authorizer.Payload != "2.0" {
		return "", nil
	}
	form, flag := "iam", "--no-enable-simple-responses"
	if c.Authorizer.Simple {
		form = "simple"
	}
	want := c.Config.Response.HTTPAPI
	if form == want {
		return form, nil
	}
	if want == "simple" {
		flag = "--enable-simple-responses"
	}
	return "", []Finding{{Error, fmt.Sprintf("the authorizer takes %s answers, response.http_api is %s", form, want),
		"API Gateway cannot read the function's answer: every request gets 500",
		append(c.setAuthorizer(patch{}, flag), "or, if this is meant: "+c.write("response.http_api", "%s", form))}}
}
