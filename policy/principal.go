package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// person is a caller thought up: who holds no more than some entries ask
// for. What such a caller is refused, no grant of those entries implies.
type person struct {
	jwt, apiKey, signature bool
	issuer                 string
	scopes                 [3][]string // of the token, the API key, the signing key
	claims                 map[string][]any
	networks               []string
	issuers                []string // of whom some token is
}

// possibleIssuers are those that routes tell apart, and "" for all others if
// there are any.
func possibleIssuers(routes []Route, accepted []string) []string {
	if len(accepted) == 0 {
		return []string{""}
	}
	var out []string
	for _, name := range accepted {
		if !named(routes, name) {
			name = ""
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func named(routes []Route, issuer string) bool {
	return slices.ContainsFunc(routes, func(r Route) bool {
		return slices.ContainsFunc(r.Require, func(e Entry) bool { return e.JWT != nil && e.JWT.Issuer == issuer })
	})
}

// personBudget bounds how many persons are tried for one question, over the
// alternatives of networks, of any_scope and of claims.
const personBudget = 256

// with calls try for each person that has, besides what p has, what n asks
// for: one for each alternative. None, where that contradicts p.
func (p person) with(n need, try func(person)) {
	if n.jwt != nil && n.jwt.Issuer == "" && !p.jwt {
		for _, name := range p.issuers {
			q := p
			q.jwt, q.issuer = true, name
			q.with(n, try)
		}
		return
	}
	if len(n.networks) > 0 && !holds(p.networks, nil, n.networks) {
		for _, name := range n.networks {
			q, m := p, n
			q.networks, m.networks = slices.Concat(p.networks, []string{name}), nil
			q.with(m, try)
		}
		return
	}
	p.apiKey = p.apiKey || n.apiKey != nil
	p.signature = p.signature || n.signature != nil
	lists := [][]string{nil, nil, nil}
	if n.jwt != nil {
		if p.jwt && p.issuer != "" && n.jwt.Issuer != "" && p.issuer != n.jwt.Issuer {
			return
		}
		p.jwt = true
		p.issuer = cmp.Or(p.issuer, n.jwt.Issuer)
		p.scopes[0] = slices.Concat(p.scopes[0], n.jwt.Scopes)
		lists[0] = n.jwt.AnyScope
	}
	if n.apiKey != nil {
		p.scopes[1] = slices.Concat(p.scopes[1], n.apiKey.Scopes)
		lists[1] = n.apiKey.AnyScope
	}
	if n.signature != nil {
		p.scopes[2] = slices.Concat(p.scopes[2], n.signature.Scopes)
		lists[2] = n.signature.AnyScope
	}
	p.choose(lists, n.claims, try)
}

// choose goes through the alternatives that are left.
func (p person) choose(lists [][]string, claims []claimNeed, try func(person)) {
	for i, list := range lists {
		if len(list) == 0 || holds(p.scopes[i], nil, list) {
			continue
		}
		for _, s := range list {
			q := p
			q.scopes[i] = slices.Concat(p.scopes[i], []string{s})
			q.choose(lists, claims, try)
		}
		return
	}
	if len(claims) == 0 {
		try(p)
		return
	}
	c := claims[0]
	if slices.ContainsFunc(p.claims[c.name], c.acceptsOne) {
		p.choose(lists, claims[1:], try)
		return
	}
	for _, v := range c.allowed {
		q := p
		q.claims = maps.Clone(p.claims)
		if q.claims == nil {
			q.claims = map[string][]any{}
		}
		q.claims[c.name] = slices.Concat(p.claims[c.name], []any{v})
		q.choose(lists, claims[1:], try)
	}
}

// key is the same for persons who hold the same.
func (p person) key() string {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	var b strings.Builder
	fmt.Fprintf(&b, "%t %t %t %q %q", p.jwt, p.apiKey, p.signature, p.issuer, sorted(p.networks))
	for _, list := range p.scopes {
		fmt.Fprintf(&b, " %q", sorted(list))
	}
	for _, name := range slices.Sorted(maps.Keys(p.claims)) {
		values := make([]string, len(p.claims[name]))
		for i, v := range p.claims[name] {
			values[i] = fmt.Sprintf("%#v", v)
		}
		fmt.Fprintf(&b, " %q:%q", name, sorted(values))
	}
	return b.String()
}

func (p person) caller() Caller {
	c := Caller{HasAddress: true, InNetwork: func(name string) bool { return slices.Contains(p.networks, name) }}
	if p.jwt {
		c.JWT = &JWT{Issuer: p.issuer, Scopes: p.scopes[0], Claims: map[string]any{}}
		for name, values := range p.claims {
			c.JWT.Claims[name] = values
		}
	}
	if p.apiKey {
		c.APIKey = &Key{Scopes: p.scopes[1]}
	}
	if p.signature {
		c.Signature = &Key{Scopes: p.scopes[2]}
	}
	return c
}

// mayHold says whether somebody may have all of the classes granted and
// another one refused. Where that cannot be told in time, it says yes.
func (t *Table) mayHold(granted []int, refused int) bool {
	yes, left := false, personBudget
	var next func(p person, i int)
	next = func(p person, i int) {
		if left--; yes || left < 0 {
			yes = true
			return
		}
		if i == len(granted) {
			yes = !t.classes[refused].opens(p.caller())
			return
		}
		for _, n := range t.classes[granted[i]].entries {
			p.with(n, func(q person) { next(q, i+1) })
		}
	}
	next(person{issuers: t.issuers}, 0)
	return yes
}
