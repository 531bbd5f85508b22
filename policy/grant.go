package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lambda-authorizer/reason"
)

// Caller is who asks, as far as grants are concerned: only what has been
// verified is in it.
type Caller struct {
	// JWT, APIKey and Signature are nil where not presented.
	JWT               *JWT
	APIKey, Signature *Key
	// InNetwork says whether the source address is in the named network. It is
	// asked only where HasAddress is set and an entry names networks.
	InNetwork func(name string) bool
	// HasAddress is unset where the event carries no source address.
	HasAddress bool
}

// JWT is a verified token.
type JWT struct {
	Issuer string // the configured name
	Scopes []string
	// Claims hold strings, booleans, numbers (float64, an integer type or
	// json.Number) and []any of these; anything else matches no allowed value.
	Claims map[string]any
}

// Key is a verified API key or signing key.
type Key struct {
	Scopes []string
}

// step is how far a caller got into an entry.
type step int

const (
	wantsKind step = iota
	wantsIssuer
	wantsAddress
	wantsScope
	wantsClaim
	granted
)

// Decide says whether the caller may use the route: nil, or the denial of the
// entry that got furthest, the first of equals.
func (t *Table) Decide(id RouteID, c Caller) error {
	if id < 0 || int(id) >= len(t.routes) {
		return reason.RouteUnknown
	}
	class := t.classes[t.classOf[id]]
	best, at := step(-1), 0
	for i := range class.entries {
		switch s := class.entries[i].reach(c); {
		case s == granted:
			return nil
		case s > best:
			best, at = s, i
		}
	}
	return class.entries[at].denial(best)
}

// Granted gives every route that the caller may use.
func (t *Table) Granted(c Caller) Set {
	b := t.newBits()
	for _, class := range t.classes {
		if class.opens(c) {
			for _, id := range class.routes {
				b.add(int(id))
			}
		}
	}
	return Set{bits: string(b)}
}

// class is the routes that require the same: they are decided together.
type class struct {
	entries []need
	routes  []RouteID
}

func (c class) opens(who Caller) bool {
	return slices.ContainsFunc(c.entries, func(n need) bool { return n.reach(who) == granted })
}

func (t *Table) classify() {
	known := map[string]int{}
	for id, r := range t.routes {
		entries := make([]need, len(r.Require))
		keys := make([]string, len(r.Require))
		for i, e := range r.Require {
			entries[i] = needOf(e)
			keys[i] = entries[i].key()
		}
		key := strings.Join(keys, "\n")
		i, ok := known[key]
		if !ok {
			i = len(t.classes)
			known[key] = i
			t.classes = append(t.classes, class{entries: entries})
		}
		t.classes[i].routes = append(t.classes[i].routes, RouteID(id))
		t.classOf = append(t.classOf, i)
	}
}

// need is an Entry made ready for comparison.
type need struct {
	jwt               *JWTGrant
	claims            []claimNeed
	apiKey, signature *KeyGrant
	networks          []string
}

type claimNeed struct {
	name    string
	allowed []any // string, bool or float64
}

func needOf(e Entry) need {
	n := need{jwt: e.JWT, apiKey: e.APIKey, signature: e.Signature, networks: e.Networks}
	if e.JWT != nil {
		for _, name := range slices.Sorted(maps.Keys(e.JWT.Claims)) {
			c := claimNeed{name: name}
			for _, v := range e.JWT.Claims[name] {
				v, _ := scalar(v)
				c.allowed = append(c.allowed, v)
			}
			n.claims = append(n.claims, c)
		}
	}
	return n
}

// key is the same for entries that say the same in the same order.
func (n need) key() string {
	var b strings.Builder
	if n.jwt != nil {
		fmt.Fprintf(&b, "jwt %q %q %q", n.jwt.Issuer, n.jwt.Scopes, n.jwt.AnyScope)
		for _, c := range n.claims {
			fmt.Fprintf(&b, " %q:%#v", c.name, c.allowed)
		}
	}
	if n.apiKey != nil {
		fmt.Fprintf(&b, " key %q %q", n.apiKey.Scopes, n.apiKey.AnyScope)
	}
	if n.signature != nil {
		fmt.Fprintf(&b, " signature %q %q", n.signature.Scopes, n.signature.AnyScope)
	}
	fmt.Fprintf(&b, " from %q", n.networks)
	return b.String()
}

// reach says how far c gets. Every kind is asked about before anything else,
// so a caller without one never learns what the entry wants of the others.
func (n need) reach(c Caller) step {
	if n.jwt != nil && c.JWT == nil || n.apiKey != nil && c.APIKey == nil || n.signature != nil && c.Signature == nil {
		return wantsKind
	}
	if n.jwt == nil && n.apiKey == nil && n.signature == nil {
		return wantsKind // Compile refuses it; an entry without a kind opens nothing
	}
	switch {
	case n.jwt != nil && n.jwt.Issuer != "" && n.jwt.Issuer != c.JWT.Issuer:
		return wantsIssuer
	case len(n.networks) > 0 && !c.inAny(n.networks):
		return wantsAddress
	case !n.scoped(c):
		return wantsScope
	case n.jwt != nil && !n.claimed(c.JWT.Claims):
		return wantsClaim
	}
	return granted
}

func (c Caller) inAny(networks []string) bool {
	return c.HasAddress && c.InNetwork != nil && slices.ContainsFunc(networks, c.InNetwork)
}

func (n need) scoped(c Caller) bool {
	return (n.jwt == nil || holds(c.JWT.Scopes, n.jwt.Scopes, n.jwt.AnyScope)) &&
		(n.apiKey == nil || holds(c.APIKey.Scopes, n.apiKey.Scopes, n.apiKey.AnyScope)) &&
		(n.signature == nil || holds(c.Signature.Scopes, n.signature.Scopes, n.signature.AnyScope))
}

func holds(have, all, any []string) bool {
	for _, s := range all {
		if !slices.Contains(have, s) {
			return false
		}
	}
	return len(any) == 0 || slices.ContainsFunc(any, func(s string) bool { return slices.Contains(have, s) })
}

func (n need) claimed(claims map[string]any) bool {
	for _, c := range n.claims {
		v, ok := claims[c.name]
		if !ok || !c.accepts(v) {
			return false
		}
	}
	return true
}

func (c claimNeed) accepts(v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, c.acceptsOne)
	}
	return c.acceptsOne(v)
}

func (c claimNeed) acceptsOne(v any) bool {
	v, ok := scalar(v)
	return ok && slices.Contains(c.allowed, v)
}

// denial names what the caller lacks in this entry, in the table's words.
func (n need) denial(s step) error {
	switch s {
	case wantsIssuer:
		return fmt.Errorf("%w: a token of issuer %s is required", reason.CredentialKindNotAccepted, n.jwt.Issuer)
	case wantsAddress:
		return fmt.Errorf("%w: an address in %s is required", reason.AddressNotAllowed, strings.Join(n.networks, " or "))
	case wantsScope:
		return fmt.Errorf("%w: %s", reason.ScopeInsufficient, n.scopeText())
	case wantsClaim:
		names := make([]string, len(n.claims))
		for i, c := range n.claims {
			names[i] = c.name
		}
		return fmt.Errorf("%w: claims %s are required with one of their listed values", reason.ClaimsInsufficient, strings.Join(names, ", "))
	case wantsKind:
		return fmt.Errorf("%w: %s is required", reason.CredentialKindNotAccepted, n.kindText())
	}
	return errors.New("a route without requirements")
}

func (n need) kindText() string {
	var kinds []string
	if n.jwt != nil {
		kinds = append(kinds, "a token")
	}
	if n.apiKey != nil {
		kinds = append(kinds, "an API key")
	}
	if n.signature != nil {
		kinds = append(kinds, "a signature")
	}
	return strings.Join(kinds, " and ")
}

func (n need) scopeText() string {
	var wants []string
	add := func(who string, all, any []string) {
		if len(all) > 0 {
			wants = append(wants, who+" needs "+strings.Join(all, " and "))
		}
		if len(any) > 0 {
			wants = append(wants, who+" needs one of "+strings.Join(any, ", "))
		}
	}
	if n.jwt != nil {
		add("the token", n.jwt.Scopes, n.jwt.AnyScope)
	}
	if n.apiKey != nil {
		add("the API key", n.apiKey.Scopes, n.apiKey.AnyScope)
	}
	if n.signature != nil {
		add("the signing key", n.signature.Scopes, n.signature.AnyScope)
	}
	return strings.Join(wants, "; ")
}
