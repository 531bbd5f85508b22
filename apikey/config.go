// Package apikey parses and checks API keys of the form ak_<id>_<secret><check>.
// It does not know where in a request a key stands, nor about routes.
package apikey

import "lambda-authorizer/problem"

// Config is the section api_keys.
type Config struct {
	// Header carries the key. Default X-Api-Key.
	Header string `yaml:"header"`
	// Secrets names the Secrets Manager secrets that hold the keys; at least one.
	Secrets []string `yaml:"secrets"`
}

// SetDefaults fills what the configuration left out.
func (c *Config) SetDefaults() {
	if c.Header == "" {
		c.Header = "X-Api-Key"
	}
}

// Validate reports what is wrong with c, after defaults. Whether Header is a
// header's name and Secrets are names of secrets is checked by config, for
// every section alike.
func (c Config) Validate() []problem.Problem {
	var out []problem.Problem
	if c.Header == "" {
		out = append(out, problem.At("header", "is empty: name the header that carries the key"))
	}
	if len(c.Secrets) == 0 {
		out = append(out, problem.At("secrets", "names no secret: without one no key is known"))
	}
	return out
}
