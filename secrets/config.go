// Package secrets reads Secrets Manager secrets through a cache. It knows
// nothing of what is inside a secret.
package secrets

import (
	"time"

	"lambda-authorizer/problem"
)

// Config is the section secrets.
type Config struct {
	// Refresh is how old a cached secret may be before it is read again. Default 5m.
	Refresh time.Duration `yaml:"refresh"`
	// PreviousGrace is how long AWSPREVIOUS of an HS256 secret is accepted
	// after the current version was made. Default 24h.
	PreviousGrace time.Duration `yaml:"previous_grace"`
}

// Validate reports what is wrong with c, after defaults.
func (c Config) Validate() []problem.Problem {
	return nil
}
