// Package revocation reads and writes the DynamoDB table that revokes
// credentials. It does not know how a credential was verified.
package revocation

import (
	"time"

	"lambda-authorizer/problem"
)

const (
	defaultCacheTTL = 5 * time.Second
	maxCacheTTL     = time.Hour

	defaultCacheSize = 100_000
	maxCacheSize     = 10_000_000

	defaultTimeout = 500 * time.Millisecond
	minTimeout     = 10 * time.Millisecond
	// The deadline of a whole invocation.
	maxTimeout = 8 * time.Second
)

// Config is the section revocation.
type Config struct {
	// CacheTTL is how long what was read may be believed. Default 5s, from
	// 0s (every check reads) to 1h.
	CacheTTL time.Duration `yaml:"cache_ttl"`
	// CacheSize bounds the cache, in entries. Default 100,000, at most
	// 10,000,000.
	CacheSize int `yaml:"cache_size"`
	// Timeout is how long one check may take in all. Default 500ms, from 10ms
	// to 8s.
	Timeout time.Duration `yaml:"timeout"`
	// OnError is deny (default: a fault, 500) or allow, which covers
	// throttling, time-outs and 5xx only.
	OnError string `yaml:"on_error"`
}

// SetDefaults fills what the configuration left out.
func (c *Config) SetDefaults() {
	if c.CacheTTL == 0 {
		c.CacheTTL = defaultCacheTTL
	}
	if c.CacheSize == 0 {
		c.CacheSize = defaultCacheSize
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.OnError == "" {
		c.OnError = "deny"
	}
}

// Validate reports what is wrong with c, after defaults.
func (c Config) Validate() []problem.Problem {
	var out []problem.Problem
	if c.CacheTTL < 0 || c.CacheTTL > maxCacheTTL {
		out = append(out, problem.At("cache_ttl", "must be from 0s to 1h: a revocation is in force only after it"))
	}
	if c.CacheSize < 1 || c.CacheSize > maxCacheSize {
		out = append(out, problem.At("cache_size", "must be from 1 to %d entries", maxCacheSize))
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		out = append(out, problem.At("timeout", "must be from 10ms to 8s"))
	}
	if c.OnError != "deny" && c.OnError != "allow" {
		out = append(out, problem.At("on_error", "must be deny or allow"))
	}
	return out
}
