package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// deployment: a stage serves its last deployment, whatever was changed since.
func (c *Case) deployment() (string, []Finding) {
	if c.API.Kind != REST {
		if c.API.AutoDeploy {
			return "the stage deploys itself", nil
		}
		return "", []Finding{{Note, "the stage does not deploy itself", "the settings read here are in force only if it was deployed after their last change", []string{c.deploy()}}}
	}
	current := byKey(c.API.Methods)
	var findings []Finding
	for _, m := range c.API.Deployed {
		now, there := current[m.Route]
		switch {
		case !there && m.Authorization == "NONE":
			findings = append(findings, Finding{Critical, "the stage still serves " + m.Route + " without an authorizer, and the API has it no more", "anybody may call it", []string{c.deploy()}})
		case !there:
			findings = append(findings, Finding{Warning, "the stage still serves " + m.Route + ", and the API has it no more", "the stage is older than the API", []string{c.deploy()}})
		case m.Authorization == "NONE" && now.Authorization != "NONE":
			findings = append(findings, Finding{Critical, "the stage serves " + m.Route + " without an authorizer: putting it behind one was not deployed", "anybody may call it", []string{c.deploy()}})
		case m.Authorization != now.Authorization:
			findings = append(findings, Finding{Warning, fmt.Sprintf("the stage serves %s with %s, the API has %s", m.Route, m.Authorization, now.Authorization), "the stage is older than the API", []string{c.deploy()}})
		}
	}
	deployed := byKey(c.API.Deployed)
	for _, m := range c.API.Methods {
		if _, there := deployed[m.Route]; !there {
			findings = append(findings, Finding{Warning, "the stage does not serve " + m.Route + " yet", "the stage is older than the API", []string{c.deploy()}})
		}
	}
	return fmt.Sprintf("the stage serves the %d methods that the API has", len(c.API.Deployed)), findings
}

func byKey(methods []Method) map[string]Method {
	out := make(map[string]Method, len(methods))
	for _, m := range methods {
		out[m.Route] = m
	}
	return out
}

// statuses are API Gateway's own.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var statuses = map[string]string{
	"UNAUTHORIZED": "401", "ACCESS_DENIED": "403",
	"AUTHORIZER_FAILURE": "500", "AUTHORIZER_CONFIGURATION_ERROR": "500",
}

// gatewayResponses: what callers see of a refusal.
func (c *Case) gatewayResponses() (string, []Finding) {
	if c.API.Kind != REST {
		return "", nil
	}
	responses := map[string]GatewayResponse{}
	for _, r := range c.API.Responses {
		responses[r.Type] = r
	}
	var findings []Finding
	for _, kind := range slices.Sorted(maps.Keys(statuses)) {
		findings = append(findings, c.response(responses[kind], kind)...)
	}
	if f, missing := c.challenge(responses["UNAUTHORIZED"]); missing {
		findings = append(findings, f)
	}
	return "401, 403 and 500 go out as such", append(findings, c.crossOrigin(responses)...)
}

// response judges the status and the bodies of one response.
func (c *Case) response(r GatewayResponse, kind string) []Finding {
	var findings []Finding
	want := statuses[kind]
	if r.StatusCode != "" && r.StatusCode != want {
		f := Finding{Warning, fmt.Sprintf("%s is answered with %s in place of %s", kind, r.StatusCode, want),
			"clients and alarms take the refusal for something else",
			c.setResponse(kind, patch{"replace", "/statusCode", want})}
		if r.StatusCode < "400" {
			f.Severity, f.Why = Error, "a refused request looks like one that was served"
		}
		findings = append(findings, f)
	}
	// Only a refusal by a policy has an authorizer's context.
	if kind != "ACCESS_DENIED" {
		for _, mime := range slices.Sorted(maps.Keys(r.Templates)) {
			if strings.Contains(r.Templates[mime], "$context.authorizer") {
				findings = append(findings, Finding{Note, kind + "'s " + mime + " template reads $context.authorizer",
					"it is empty there: the function answers with an error, not with a context", nil})
			}
		}
	}
	return findings
}

func (c *Case) setResponse(kind string, p patch) []string {
	args := append(c.api(), "--response-type", kind)
	return c.deployed(c.aws("update-gateway-response", append(args, patches(p)...)...))
}

const headerPath = "/responseParameters/gatewayresponse.header."

// challenge: a 401 has to say how to authenticate (RFC 9110 section 11.6.1).
func (c *Case) challenge(r GatewayResponse) (Finding, bool) {
	if r.sets("WWW-Authenticate") {
		return Finding{}, false
	}
	return Finding{Note, "UNAUTHORIZED sets no WWW-Authenticate header", "a 401 must name a scheme (RFC 9110 section 11.6.1); some clients ask for a token only then",
		c.setResponse("UNAUTHORIZED", patch{"add", headerPath + "WWW-Authenticate", "'Bearer'"})}, true
}

// crossOrigin: where the API answers preflights, browsers show a refusal that
// lacks the CORS header as a network error.
func (c *Case) crossOrigin(responses map[string]GatewayResponse) []Finding {
	if !slices.ContainsFunc(c.API.Methods, Method.preflight) {
		return nil
	}
	const header = "Access-Control-Allow-Origin"
	var findings []Finding
	for _, kind := range []string{"ACCESS_DENIED", "UNAUTHORIZED"} {
		if !responses[kind].sets(header) && !responses["DEFAULT_4XX"].sets(header) {
			findings = append(findings, Finding{Warning, kind + " sets no " + header + " header, and the API answers preflights",
				"browsers hide the refusal from the page: it looks like a network error",
				c.setResponse(kind, patch{"add", headerPath + header, "'*'"})})
		}
	}
	return findings
}

func (r GatewayResponse) sets(header string) bool {
	for name := range r.Parameters {
		if strings.EqualFold(name, "gatewayresponse.header."+header) {
			return true
		}
	}
	return false
}

// usageKeys: usage plans take their key from the function's answer or from a
// header, not from both.
func (c *Case) usageKeys() (string, []Finding) {
	keyed := slices.ContainsFunc(c.API.Methods, func(m Method) bool { return m.KeyRequired && m.Attached(c.Authorizer) })
	if c.API.Kind != REST || !keyed {
		return "", nil
	}
	source := func(value string) []string {
		return c.deployed(c.aws("update-rest-api", append(c.api(), patches(patch{"replace", "/apiKeySource", value})...)...))
	}
	switch {
	case c.API.KeySource == "AUTHORIZER" && c.Config.APIKeys == nil:
		return "", []Finding{{Error, "methods need a usage key from the authorizer, and no API keys are configured",
			"only an API key's record has a usage_identifier_key: every request is refused (403, INVALID_API_KEY)", source("HEADER")}}
	case c.API.KeySource != "AUTHORIZER" && c.Config.APIKeys != nil:
		return "", []Finding{{Note, "usage plans read their key from the X-API-Key header",
			"usage_identifier_key in an API key's record has no effect", source("AUTHORIZER")}}
	}
	return c.API.KeySource, nil
}
