package main

import (
	"strings"
	"testing"
	"time"

	"lambda-authorizer/config"
	"lambda-authorizer/jwks"
	"lambda-authorizer/revocation"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// An answer that API Gateway cached at the last moment at which a function
// believed what it had read before is kept for all of the gateway's time.
func TestBoundIsTheSumOfBothCaches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		gateway, revocation time.Duration
		written             time.Time
		want                time.Duration // after noon
	}{
		"both":            {300 * time.Second, 5 * time.Second, noon, 305 * time.Second},
		"gateway alone":   {300 * time.Second, 0, noon, 300 * time.Second},
		"function alone":  {0, 5 * time.Second, noon, 5 * time.Second},
		"neither":         {0, 0, noon, 0},
		"rounds up":       {300 * time.Second, 5 * time.Second, noon.Add(time.Nanosecond), 306 * time.Second},
		"parts of second": {0, 1500 * time.Millisecond, noon, 2 * time.Second},
	} {
		s := &settings{cfg: &config.Config{}}
		s.cfg.Gateway.CacheTTL, s.cfg.Revocation.CacheTTL = c.gateway, c.revocation
		b := s.bound(c.written)
		if got := b.By.Sub(noon); got != c.want || !b.Known {
			t.Errorf("%s: in force %s after, want %s", name, got, c.want)
		}
		if !strings.Contains(b.String(), "by "+moment(noon.Add(c.want))+":") {
			t.Errorf("%s: %s", name, b)
		}
	}
	if got := new(settings).bound(noon).By.Sub(noon); got != 2*time.Hour {
		t.Errorf("without a configuration: in force %s after, want the most that both can be", got)
	}
}

// An entry that ends while its token is still accepted lets the token in again.
func TestEntryOfATokenEndsNoSoonerThanTheToken(t *testing.T) {
	t.Parallel()
	leeway := 30 * time.Second
	configured := issuer{url: "https://idp.example.com/", configured: &jwks.Issuer{Name: "main", Leeway: &leeway}}
	aged := issuer{url: configured.url, configured: &jwks.Issuer{Name: "main", Leeway: &leeway, MaxTokenAge: 24 * time.Hour}}
	key := revocation.Key{Kind: revocation.KindToken, Issuer: configured.url, Value: "t1"}
	said := &jwks.Claimed{Expires: noon.Add(time.Hour)}
	for name, c := range map[string]struct {
		terms  terms
		target *target
		want   time.Duration // after noon; 0: never
	}{
		"exp and leeway":                         {terms{}, &target{key: key, issuer: configured, token: said}, time.Hour + leeway},
		"exp and the largest leeway":             {terms{}, &target{key: key, issuer: issuer{url: "x"}, token: said}, time.Hour + 5*time.Minute},
		"the oldest age, the leeway at each end": {terms{}, &target{key: key, issuer: aged}, 24*time.Hour + 2*leeway},
		"an id of any age":                       {terms{}, &target{key: key, issuer: configured}, 0},
		"--ttl":                                  {terms{ttl: "2h"}, &target{key: key, issuer: configured, token: said}, 2 * time.Hour},
		"--ttl none":                             {terms{ttl: "none"}, &target{key: key, issuer: configured, token: said}, 0},
		"a subject":                              {terms{}, &target{key: revocation.Key{Kind: revocation.KindSubject}, issuer: aged}, 0},
	} {
		at, _, err := c.terms.expiry(c.target, noon)
		want := time.Time{}
		if c.want > 0 {
			want = noon.Add(c.want)
		}
		if err != nil || !at.Equal(want) {
			t.Errorf("%s: ends at %s, want %s (%v)", name, at, want, err)
		}
	}
}

func TestBeforeNowIsRoundedUpAndLaterByTheLeeway(t *testing.T) {
	t.Parallel()
	leeway := 30 * time.Second
	i := issuer{configured: &jwks.Issuer{Leeway: &leeway}}
	for text, want := range map[string]time.Duration{"now": leeway, "1h": leeway - time.Hour} {
		at, err := terms{before: text}.notBefore(revocation.KindSubject, i, noon)
		if err != nil || at.Sub(noon) != want {
			t.Errorf("--before %s: %s after noon, want %s (%v)", text, at.Sub(noon), want, err)
		}
	}
	if at, err := (terms{before: "now"}).notBefore(revocation.KindSubject, i, noon.Add(1)); err != nil || at.Sub(noon) != time.Second+leeway {
		t.Errorf("a nanosecond past: %s after noon (%v)", at.Sub(noon), err)
	}
}
