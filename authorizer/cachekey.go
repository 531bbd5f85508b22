package authorizer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/reason"
)

// identitySources reads what an HTTP API says of them: a list in payload 2.0,
// one text with commas in 1.0. An authorizer without identity sources sends
// null.
func identitySources(kind Kind, raw jsontext.Value) ([]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if kind == HTTP2 {
		var list []string
		err := json.Unmarshal(raw, &list)
		return list, err
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || text == "" {
		return nil, err
	}
	return []string{text}, nil
}

// keptApart checks, as far as an event tells, that API Gateway keeps the
// answer under all that it depends on: HTTP API events have the values of the
// identity sources. Where the API's are others than the declared ones, an
// answer for one address or second factor would serve another. None at all is
// an API without caching; REST events tell nothing of theirs.
//
// How API Gateway writes a value is documented by example alone, so a value
// counts wherever it stands.
func (a *Authorizer) keptApart(r *Request) error {
	declared, got := len(a.config.Gateway.IdentitySources), len(r.IdentitySource)
	if a.config.Gateway.CacheTTL == 0 || got == 0 {
		return nil
	}
	if r.Kind == HTTP2 && got < declared {
		return fmt.Errorf("%w: the event has %d identity sources, gateway.identity_sources %d", reason.CacheUnsafe, got, declared)
	}
	unkept := func(what string) error {
		return fmt.Errorf("%w: %s is in none of the event's identity sources, and gateway.identity_sources says it is", reason.CacheUnsafe, what)
	}
	for _, c := range []struct{ what, text string }{
		{"the token", r.presented.bearer.text},
		{"the API key", r.presented.apiKey.text},
		{"X-Forwarded-For", a.forwardedThatDecides(r)},
	} {
		if !slices.ContainsFunc(r.IdentitySource, func(value string) bool { return strings.Contains(value, c.text) }) {
			return unkept(c.what)
		}
	}
	if a.addressDecides() && r.Source.IsValid() && !slices.ContainsFunc(r.IdentitySource, r.holdsSource) {
		return unkept("the source address")
	}
	return nil
}

// addressDecides tells whether an answer depends on where the caller is.
func (a *Authorizer) addressDecides() bool {
	return a.config.UsesAddress() && a.config.AddressMayDecide()
}

func (a *Authorizer) forwardedThatDecides(r *Request) string {
	if lines := r.forwarded(); a.addressDecides() && len(a.config.TrustedProxies) > 0 && len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// holdsSource tells whether one of the values in text is the source address.
func (r *Request) holdsSource(text string) bool {
	for part := range strings.SplitSeq(text, ",") {
		if address(strings.TrimSpace(part)) == r.Source {
			return true
		}
	}
	return false
}
