package config

import (
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
)

// validate checks all of c. What could not be read as written was reported
// already; what depends on it is left out, for it would only say so again.
func (c *Config) validate(r *report) {
	r.find("gateway", c.Gateway.validate())
	r.find("tables", c.validateTables())
	r.find("issuers", jwks.ValidateIssuers(c.Issuers))
	r.find("issuers", jwks.ValidateFiles(c.Issuers, c.dir))
	r.find("bearer", c.Bearer.validate())
	c.validateKeys(r)
	r.find("secrets", c.Secrets.Validate())
	r.find("", c.validateSecretNames())
	r.find("", c.validateNetworks())
	r.find("revocation", c.Revocation.Validate())
	r.find("response", c.Response.validate())
	r.find("log", oneOf("principal", c.Log.Principal, "plain", "hash"))
	c.validateRoutes(r)
}

func (c *Config) validateKeys(r *report) {
	if c.APIKeys != nil {
		r.find("api_keys", c.APIKeys.Validate())
		if c.APIKeys.Header != "" {
			r.find("api_keys", validateHeader("header", c.APIKeys.Header))
		}
	}
	if c.Signatures != nil {
		r.find("signatures", c.Signatures.Validate())
	}
}

func (c *Config) validateRoutes(r *report) {
	table, found := policy.Compile(c.Routes, c.issuerNames()...)
	r.find("routes", found)
	if r.trusts("issuers", "api_keys", "signatures", "networks") {
		r.find("", c.validateReferences())
	}
	if r.trusts("gateway", "bearer", "api_keys", "signatures", "deny_networks", "trusted_proxies", "response", "routes") &&
		len(c.Gateway.validate()) == 0 {
		r.find("", cacheSafety(c))
	}
	if c.table = table; table != nil && r.trusts("gateway", "response", "routes") && len(c.Response.validate()) == 0 {
		r.find("", c.validateSize())
	}
}
