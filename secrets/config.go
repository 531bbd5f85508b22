// Package secrets reads Secrets Manager secrets through a cache, and changes
// them so that two operators never overwrite each other. Of what is inside a
// secret it knows that there are records with ids, and nothing of a record. No
// error of it holds a piece of a secret.
package secrets

import (
	"time"

	"lambda-authorizer/problem"
)

const (
	defaultRefresh = 5 * time.Minute
	minRefresh     = time.Second
	maxRefresh     = 24 * time.Hour

	defaultPreviousGrace = 24 * time.Hour
	maxPreviousGrace     = 30 * 24 * time.Hour
)

// Config is the section secrets.
type Config struct {
	// Refresh is how old a cached secret may be before it is read again.
	// Default 5m, from 1s to 24h.
	Refresh time.Duration `yaml:"refresh"`
	// PreviousGrace is how long AWSPREVIOUS of an HS256 secret is accepted
	// after the current version was made. Default 24h, from 0s (never) to 720h.
	PreviousGrace time.Duration `yaml:"previous_grace"`
}

// SetDefaults fills what the configuration left out.
func (c *Config) SetDefaults() {
	if c.Refresh == 0 {
		c.Refresh = defaultRefresh
	}
	if c.PreviousGrace == 0 {
		c.PreviousGrace = defaultPreviousGrace
	}
}

// Validate reports what is wrong with c, after defaults.
func (c Config) Validate() []problem.Problem {
	var out []problem.Problem
	if c.Refresh < minRefresh || c.Refresh > maxRefresh {
		out = append(out, problem.At("refresh", "must be from 1s to 24h"))
	}
	if c.PreviousGrace < 0 || c.PreviousGrace > maxPreviousGrace {
		out = append(out, problem.At("previous_grace", "must be from 0s to 720h"))
	}
	return out
}
