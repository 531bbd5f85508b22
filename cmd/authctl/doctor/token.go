package doctor

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"lambda-authorizer/config"
)

// authorizerType: a TOKEN authorizer hands over one header and nothing else.
func (c *Case) authorizerType() (string, []Finding) {
	a := c.Authorizer
	switch {
	case !a.Lambda():
		return "", []Finding{{Error, a.Name + " is a " + a.Type + " authorizer", "it never calls the function",
			[]string{"name the Lambda authorizer with --authorizer: " + strings.Join(c.API.LambdaAuthorizers(), ", ")}}}
	case a.Type == "REQUEST":
		return "REQUEST", nil
	}
	findings := append(c.carriersOutOfReach(), c.routesOutOfReach()...)
	if len(c.Config.DenyNetworks) > 0 {
		findings = append(findings, Finding{Error, "deny_networks must be asked, and a TOKEN event carries no source address",
			"every request is refused (403, address_not_allowed)", c.toRequest()})
	}
	return "TOKEN", append(findings, c.validation()...)
}

// Credentials as they are presented, of which none is one.
const (
	sampleToken  = "Bearer eyJhIjoxfQ.eyJiIjoyfQ.c2ln"
	sampleAPIKey = "ak_sample_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA000000"
)

// validation: API Gateway answers 401 by itself to a TOKEN that does not match
// the authorizer's expression. Only an expression that finds no match at all
// is reported: how much of the value must match is not documented.
func (c *Case) validation() []Finding {
	expression, err := regexp.Compile(c.Authorizer.Validation)
	if err != nil {
		return []Finding{{Note, fmt.Sprintf("the validation expression %q was not tried", c.Authorizer.Validation), "API Gateway answers 401 by itself to what does not match it", nil}}
	}
	samples := map[string]string{"a bearer token": sampleToken}
	for _, key := range c.Config.APIKeyCarriers() {
		if holdsSource(c.Authorizer.IdentitySources, key.Source.String()) {
			samples["an API key"] = sampleAPIKey
		}
	}
	var findings []Finding
	for _, what := range slices.Sorted(maps.Keys(samples)) {
		if !expression.MatchString(samples[what]) {
			findings = append(findings, Finding{Error, fmt.Sprintf("the validation expression %q does not match %s", c.Authorizer.Validation, what),
				"API Gateway answers 401 by itself and does not call the function", c.setAuthorizer(patch{"replace", "/identityValidationExpression", "^.+$"})})
		}
	}
	return findings
}

func (c *Case) toRequest() []string {
	return c.setAuthorizer(patch{"replace", "/type", "REQUEST"})
}

// carriersOutOfReach: what a TOKEN event does not hold is never read.
func (c *Case) carriersOutOfReach() []Finding {
	var out, seen []config.Carrier
	for _, carrier := range append(c.Config.BearerCarriers(), c.Config.APIKeyCarriers()...) {
		if slices.ContainsFunc(c.Authorizer.IdentitySources, func(s string) bool { return sameSource(s, carrier.Source.String()) }) {
			seen = append(seen, carrier)
			continue
		}
		out = append(out, carrier)
	}
	var findings []Finding
	for _, carrier := range out {
		f := Finding{Warning, fmt.Sprintf("a TOKEN authorizer hands over %s alone, so %s is never read", strings.Join(c.Authorizer.IdentitySources, ","), carrier.Key),
			"who presents a credential there is answered 401", c.toRequest()}
		if len(seen) == 0 {
			f.Severity, f.Why = Error, "no credential reaches the function, so nobody gets in"
		}
		findings = append(findings, f)
	}
	return findings
}

// routesOutOfReach: a TOKEN event has no address and no signature.
func (c *Case) routesOutOfReach() []Finding {
	var findings []Finding
	for i, route := range c.Config.Routes {
		unmet := 0
		for _, e := range route.Require {
			if len(e.Networks) > 0 || e.Signature != nil {
				unmet++
			}
		}
		f := Finding{Warning, route.Route + " has an entry that needs a source address or a signature, and a TOKEN event carries neither",
			"that entry opens the route to nobody", append(c.toRequest(), c.write(fmt.Sprintf("routes[%d].require", i), "or drop that entry"))}
		switch {
		case unmet == 0:
			continue
		case unmet == len(route.Require):
			f.Severity, f.Why = Error, "the route is closed to everybody"
		}
		findings = append(findings, f)
	}
	return findings
}
