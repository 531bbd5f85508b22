package main

import (
	"time"

	"lambda-authorizer/revocation"
)

// pointInTime reads a TIME of the command line: now, an RFC 3339 time, or a
// duration, which is that long ago.
func pointInTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usage("--%s is now, a time such as 2026-11-21T12:00:00Z, or how long ago, such as 24h", flag)
	}
	return at, nil
}

// terms are how far a revocation reaches, as the command line says.
type terms struct {
	before, ttl string
}

// notBefore is --before for an issuer's tokens: in whole seconds, rounded up,
// and later by the leeway, for the issuer's clock may be ahead of ours.
func (w terms) notBefore(k revocation.Kind, i issuer, now time.Time) (time.Time, error) {
	if w.before == "" {
		return time.Time{}, nil
	}
	if !k.Dated() {
		return time.Time{}, usage("--before does not go with %s, which is one credential: leave it out", wordOf(k))
	}
	at, err := pointInTime("before", w.before, now)
	if err != nil {
		return time.Time{}, err
	}
	if at.After(now) {
		return time.Time{}, usage("--before %s is in the future: whoever logs in until then would be locked out; give now", w.before)
	}
	return secondAfter(at).Add(i.leeway()), nil
}

// expiry is when the entry may end, zero for never, and why then. Without
// --ttl only a token's entry ends: when the token has expired, or when no
// token of its issuer that exists now can be young enough.
func (w terms) expiry(g *target, now time.Time) (at time.Time, why string, err error) {
	switch w.ttl {
	case "":
	case "none":
		return time.Time{}, "", nil
	default:
		d, err := time.ParseDuration(w.ttl)
		if err != nil || d <= 0 {
			return time.Time{}, "", usage("--ttl is a duration such as 24h, or none")
		}
		return secondAfter(now.Add(d)), "--ttl " + w.ttl, nil
	}
	leeway := g.issuer.leeway()
	switch {
	case g.key.Kind != revocation.KindToken:
		return time.Time{}, "", nil
	case g.token != nil:
		return secondAfter(g.token.Expires.Add(leeway)), "the token's exp plus " + leeway.String() + " leeway", nil
	case g.issuer.configured == nil || g.issuer.configured.MaxTokenAge == 0:
		return time.Time{}, "", nil
	}
	// iat may be ahead by the leeway, and is given the leeway once more when
	// its age is checked.
	age := g.issuer.configured.MaxTokenAge
	return secondAfter(now.Add(age + 2*leeway)), "max_token_age " + age.String() + " plus leeway", nil
}
