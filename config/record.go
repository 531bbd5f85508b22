package config

import (
	"errors"
	"fmt"
)

// RecordContextKey is the context key under which a name of a key's record
// reaches the backend, or why a record must not use that name. The error does
// not quote it.
func (c *Config) RecordContextKey(name string) (string, error) {
	key := ContextKey(name)
	if name == "" {
		return "", errors.New("a name is empty")
	}
	if reserved[key] {
		return "", fmt.Errorf("a name would be the context key %s, which is reserved", key)
	}
	for _, claim := range c.Response.Claims {
		if taken := ContextKey(claim); key == taken || key == taken+"_json" || key+"_json" == taken {
			return "", fmt.Errorf("a name would share its context key with the claim %s", claim)
		}
	}
	return key, nil
}

// RecordNetwork says why a key's record must not name a network: there is none
// of this name, or a cached answer would serve other addresses. The error does
// not quote the name.
func (c *Config) RecordNetwork(name string) error {
	if _, ok := c.Networks[name]; !ok {
		return errors.New("the configuration has no such network")
	}
	if !c.AddressMayDecide() {
		return errors.New("with gateway.cache_ttl over 0 an answer would serve other addresses: declare the source address in gateway.identity_sources, or use a second function with cache_ttl: 0s")
	}
	return nil
}
