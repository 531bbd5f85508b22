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

// Validate reports what is wrong with c, after defaults.
func (c Config) Validate() []problem.Problem {
	return nil
}
