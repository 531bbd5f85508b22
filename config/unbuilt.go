package config

import "fmt"

// feature is a part of the catalogue that is read and checked but not acted
// upon yet. To ignore one silently would let in what the file refuses.
type feature struct {
	// used returns the key that asks for it, or "".
	used func(*Config) string
	// instead is what can be written today.
	instead string
}

// unbuilt shrinks as features arrive. When it is empty this file goes.
var unbuilt = []feature{
	{given("tables.nonces", func(c *Config) bool { return c.Tables.Nonces != "" }), "remove the key"},
	{hmacSecret, "use jwks_uri or jwks_file"},
	{given("api_keys", func(c *Config) bool { return c.APIKeys != nil }), "remove the section"},
	{given("signatures", func(c *Config) bool { return c.Signatures != nil }), "remove the section"},
	{given("networks", func(c *Config) bool { return c.Networks != nil }), "remove the section"},
	{given("deny_networks", func(c *Config) bool { return c.DenyNetworks != nil }), "remove the key"},
	{given("trusted_proxies", func(c *Config) bool { return c.TrustedProxies != nil }), "remove the key"},
}

func given(key string, used func(*Config) bool) func(*Config) string {
	return func(c *Config) string {
		if used(c) {
			return key
		}
		return ""
	}
}

func hmacSecret(c *Config) string {
	for i, issuer := range c.Issuers {
		if issuer.HMACSecret != "" {
			return fmt.Sprintf("issuers[%d].hmac_secret", i)
		}
	}
	return ""
}

func (c *Config) refuseUnbuilt(r *report, features []feature) {
	for _, f := range features {
		if key := f.used(c); key != "" {
			r.add(r.line(key), key, "is not built yet in this version: %s", f.instead)
		}
	}
}
