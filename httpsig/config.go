// Package httpsig verifies and makes RFC 9421 request signatures with the
// algorithm hmac-sha256. It does not know about routes or bodies.
package httpsig

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/problem"
)

const (
	defaultMaxAge = 5 * time.Minute
	minMaxAge     = time.Second
	maxMaxAge     = time.Hour
)

// leastComponents is the default, and what every signature must cover: without
// any one of them a signature would fit another request.
var leastComponents = []string{"@method", "@authority", "@path", "@query"}

// Config is the section signatures.
type Config struct {
	// Secrets names the Secrets Manager secrets that hold the keys; at least one.
	Secrets []string `yaml:"secrets"`
	// MaxAge is how old `created` may be. Default 5m, from 1s to 1h.
	MaxAge time.Duration `yaml:"max_age"`
	// Components must be covered by every signature. Default, and the least:
	// @method, @authority, @path, @query. Header fields may be added, in
	// lower case.
	Components []string `yaml:"components"`
	// Authorities are the accepted values of @authority; empty accepts the
	// request's own.
	Authorities []string `yaml:"authorities"`
	// Replay is deny (default: a nonce is required and used once) or allow.
	Replay string `yaml:"replay"`
}

// SetDefaults fills what the configuration left out.
func (c *Config) SetDefaults() {
	if c.MaxAge == 0 {
		c.MaxAge = defaultMaxAge
	}
	if c.Components == nil {
		c.Components = slices.Clone(leastComponents)
	}
	if c.Replay == "" {
		c.Replay = "deny"
	}
}

// Validate reports what is wrong with c, after defaults. Whether Secrets are
// names of secrets is checked by config, for every section alike.
func (c Config) Validate() []problem.Problem {
	var out []problem.Problem
	if len(c.Secrets) == 0 {
		out = append(out, problem.At("secrets", "names no secret: without one no key is known"))
	}
	if c.MaxAge < minMaxAge || c.MaxAge > maxMaxAge {
		out = append(out, problem.At("max_age", "must be from 1s to 1h"))
	}
	out = append(out, c.validateComponents()...)
	out = append(out, c.validateAuthorities()...)
	if c.Replay != "deny" && c.Replay != "allow" {
		out = append(out, problem.At("replay", "must be deny or allow"))
	}
	return out
}

// A field name as RFC 9421 section 2.1 wants it: RFC 9110's token, lower case.
var fieldName = regexp.MustCompile("^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$")

func (c Config) validateComponents() []problem.Problem {
	out := twice("components", c.Components)
	for _, least := range leastComponents {
		if !slices.Contains(c.Components, least) {
			out = append(out, problem.At("components", "must hold %s: the least is %s", least, strings.Join(leastComponents, ", ")))
		}
	}
	for i, name := range c.Components {
		at := fmt.Sprintf("components[%d]", i)
		switch {
		case slices.Contains(leastComponents, name):
		case strings.HasPrefix(name, "@"):
			out = append(out, problem.At(at, "is not a component that can be required; besides %s these are header fields", strings.Join(leastComponents, ", ")))
		case !fieldName.MatchString(name):
			out = append(out, problem.At(at, "must be a header field's name in lower case, without parameters"))
		}
	}
	return out
}

// What a client's Host header may say: lower case, with a port only where it
// is not the default one (RFC 9421 section 2.2.3).
var authority = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$`)

func (c Config) validateAuthorities() []problem.Problem {
	out := twice("authorities", c.Authorities)
	if c.Authorities != nil && len(c.Authorities) == 0 {
		out = append(out, problem.At("authorities", "is empty: list one, or remove the key to accept the request's own"))
	}
	for i, a := range c.Authorities {
		at := fmt.Sprintf("authorities[%d]", i)
		switch {
		case !authority.MatchString(a):
			out = append(out, problem.At(at, "must be host or host:port, in lower case, without scheme and path"))
		case strings.HasSuffix(a, ":443"):
			out = append(out, problem.At(at, "must not name port 443: a signature leaves the default port out"))
		}
	}
	return out
}

func twice(key string, list []string) []problem.Problem {
	var out []problem.Problem
	for i, name := range list {
		if slices.Contains(list[:i], name) {
			out = append(out, problem.At(fmt.Sprintf("%s[%d]", key, i), "is listed twice"))
		}
	}
	return out
}
