// Package httpsig verifies and makes RFC 9421 request signatures with the
// algorithm hmac-sha256. It does not know about routes or bodies.
package httpsig

import (
	"time"

	"lambda-authorizer/problem"
)

// Config is the section signatures.
type Config struct {
	// Secrets names the Secrets Manager secrets that hold the keys; at least one.
	Secrets []string `yaml:"secrets"`
	// MaxAge is how old `created` may be. Default 5m.
	MaxAge time.Duration `yaml:"max_age"`
	// Components must be covered by every signature. Default, and the least:
	// @method, @authority, @path, @query.
	Components []string `yaml:"components"`
	// Authorities are the accepted values of @authority; empty accepts the
	// request's own.
	Authorities []string `yaml:"authorities"`
	// Replay is deny (default: a nonce is required and used once) or allow.
	Replay string `yaml:"replay"`
}

// Validate reports what is wrong with c, after defaults.
func (c Config) Validate() []problem.Problem {
	return nil
}
