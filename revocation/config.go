// Package revocation reads and writes the DynamoDB table that revokes
// credentials. It does not know how a credential was verified.
package revocation

import (
	"time"

	"lambda-authorizer/problem"
)

// Config is the section revocation.
type Config struct {
	// CacheTTL is how long what was read may be believed. Default 5s.
	CacheTTL time.Duration `yaml:"cache_ttl"`
	// CacheSize bounds the cache, in entries. Default 100000.
	CacheSize int `yaml:"cache_size"`
	// Timeout is how long one check may take in all. Default 500ms.
	Timeout time.Duration `yaml:"timeout"`
	// OnError is deny (default: a fault, 500) or allow, which covers
	// throttling, time-outs and 5xx only.
	OnError string `yaml:"on_error"`
}

// Validate reports what is wrong with c, after defaults.
func (c Config) Validate() []problem.Problem {
	return nil
}
