package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/policy"
	"lambda-authorizer/revocation"
)

// bound is by when a change of the table is in force.
type bound struct {
	// Gateway is how long API Gateway may answer from its cache, Revocation
	// how long a function may believe what it read.
	Gateway, Revocation time.Duration
	// Known is false without a configuration: then both are the most that is
	// possible.
	Known bool
	// By is when the change is in force at the latest.
	By time.Time
}

// The most that API Gateway and package revocation take.
const (
	maxGatewayTTL    = time.Hour
	maxRevocationTTL = time.Hour
)

// bound counts from when the write was done.
func (s *settings) bound(written time.Time) bound {
	b := bound{Gateway: maxGatewayTTL, Revocation: maxRevocationTTL}
	if s.cfg != nil {
		b = bound{Gateway: s.cfg.Gateway.CacheTTL, Revocation: s.cfg.Revocation.CacheTTL, Known: true}
	}
	b.By = secondAfter(written.Add(b.Gateway + b.Revocation))
	return b
}

// secondAfter rounds up.
func secondAfter(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

func (b bound) String() string {
	if !b.Known {
		return fmt.Sprintf("by %s, the longest possible: without a configuration nobody knows cache_ttl", moment(b.By))
	}
	gateway, function := "API Gateway caches no answer", "a function believes nothing that it read before"
	if b.Gateway > 0 {
		gateway = fmt.Sprintf("API Gateway keeps an answer for up to %s (gateway.cache_ttl)", b.Gateway)
	}
	if b.Revocation > 0 {
		function = fmt.Sprintf("a function what it read for up to %s (revocation.cache_ttl)", b.Revocation)
		if b.Gateway == 0 {
			function = fmt.Sprintf("a function believes what it read for up to %s (revocation.cache_ttl)", b.Revocation)
		}
	}
	return fmt.Sprintf("by %s: %s, %s", moment(b.By), gateway, function)
}

// document is the bound in JSON: durations in seconds.
func (b bound) document() map[string]any {
	return map[string]any{
		"gateway_cache_ttl_seconds": b.Gateway.Seconds(), "revocation_cache_ttl_seconds": b.Revocation.Seconds(),
		"known": b.Known, "in_force_by": b.By.UTC(),
	}
}

// limits notes what the bound does not cover.
func (s *settings) limits(k revocation.Kind) {
	if s.cfg == nil {
		return
	}
	if s.cfg.Revocation.OnError == "allow" {
		s.note("revocation.on_error is allow: while the table cannot be read, the function lets callers in")
	}
	socket := func(r policy.Route) bool { return strings.TrimSpace(r.Route) == "$connect" }
	if slices.ContainsFunc(s.cfg.Routes, socket) {
		s.note("a WebSocket connection that is open stays open: API Gateway asks at $connect alone")
	}
	if k == revocation.KindToken {
		s.note("a refresh token can still fetch new tokens: revoke it at the issuer, or revoke the subject or session with --before now")
	}
}
