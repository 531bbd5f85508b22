package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Inexpressible says that no IAM document can do justice to some callers:
// who may use Route and one of With, but not Refused. One of the two is left
// out of their cached document, and to ask for it is the fault policy_inexact.
type Inexpressible struct {
	Route RouteID
	// With holds Route itself where that alone is too much.
	With []RouteID
	// Refused is negative where the routes are too tangled to tell: then it may
	// be any.
	Refused RouteID
	Methods []string

	why cause
}

// Inexpressible lists them over all callers that the requirements allow for.
// A route that is left out for anybody is the Route or a With of one.
func (t *Table) Inexpressible(form PathForm) []Inexpressible {
	type group struct {
		route, refused RouteID
		why            cause
	}
	found := map[group]*Inexpressible{}
	for _, c := range t.possible(form) {
		key := group{t.cells[c.wide].route, none, c.why}
		if c.refused != none {
			key.refused = t.cells[c.refused].route
		}
		x := found[key]
		if x == nil {
			x = &Inexpressible{Route: key.route, Refused: key.refused, why: c.why}
			found[key] = x
		}
		if with := t.cells[c.with].route; !slices.Contains(x.With, with) {
			x.With = append(x.With, with)
		}
		if m := verbs[t.cells[c.wide].verb]; !slices.Contains(x.Methods, m) {
			x.Methods = append(x.Methods, m)
		}
	}
	out := make([]Inexpressible, 0, len(found))
	for _, x := range found {
		slices.Sort(x.With)
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Inexpressible) int {
		return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Refused, b.Refused), cmp.Compare(a.why, b.why))
	})
	return out
}

// possible lists the conflicts that some caller may meet with.
func (t *Table) possible(form PathForm) []conflict {
	o := t.overlaps()
	var out []conflict
	known := map[[3]int]bool{}
	may := func(c conflict) bool {
		wide, with, refused := t.classIndex(c.wide), t.classIndex(c.with), t.classIndex(c.refused)
		key := [3]int{wide, with, refused}
		yes, ok := known[key]
		if !ok {
			yes = t.mayHold(slices.Compact([]int{wide, with}), refused)
			known[key] = yes
		}
		return yes
	}
	for k := range t.cells {
		if o.tangled[k] && len(t.classes) > 1 {
			out = append(out, conflict{wide: k, with: k, refused: none})
		}
		for _, v := range o.of[k] {
			if v.owner == none || v.encodedOnly && form == Decoded {
				continue
			}
			for w := range v.hits.all() {
				if c := (conflict{wide: k, with: w, refused: v.owner, why: v.cause()}); w != v.owner && may(c) {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

func (t *Table) classIndex(c int) int { return t.classOf[t.cells[c].route] }

// Text says it for the author of the table, with the ways out.
func (x Inexpressible) Text(t *Table) string {
	opens := t.Template(x.Route)
	if !slices.Contains(x.With, x.Route) {
		with := make([]string, len(x.With))
		for i, id := range x.With {
			with[i] = t.Template(id)
		}
		opens += " together with " + strings.Join(with, " or ")
	}
	but := "some other route"
	if x.Refused >= 0 {
		but = t.Template(x.Refused)
	}
	since := map[cause]string{
		crossesSlashes: "since a policy's wildcards cross slashes: one of them",
		manySpellings:  "since clients may write that path in more ways than a policy can deny: the first",
		tooLong:        fmt.Sprintf("since a Deny of the paths they share is longer than the %d characters of a Resource: the first", MaxResource),
	}[x.why]
	return fmt.Sprintf("a cached policy cannot open %s to a caller who may not use %s (%s), %s is left out of it and answers 500 (policy_inexact). "+
		"Require the same of these routes, give them paths that do not overlap, or set gateway.cache_ttl to 0s",
		opens, but, strings.Join(x.Methods, ", "), since)
}

// Shadowed is a route that no request reaches, because others are more
// specific wherever it matches.
type Shadowed struct {
	Route RouteID
	By    []RouteID
}

// Shadowed lists them.
func (t *Table) Shadowed() []Shadowed {
	var out []Shadowed
	for id, tpl := range t.templates {
		if tpl.verb == connectVerb {
			continue
		}
		if by, all := t.shadows(RouteID(id)); all {
			out = append(out, Shadowed{RouteID(id), by})
		}
	}
	return out
}

// shadows are the routes that decide on words of a route, and whether they
// decide on all. Words with no text of their own tell: what decides on those
// decides on every other.
func (t *Table) shadows(id RouteID) (by []RouteID, all bool) {
	tpl := t.templates[id]
	all = true
	for v := range verbs {
		if tpl.verb != anyVerb && tpl.verb != verb(v) {
			continue
		}
		for _, word := range t.lengths(t.widened(verb(v), tpl), t.limit(tpl)) {
			switch d := t.cells[t.decide(word, len(word))].route; {
			case d == id:
				all = false
			case !slices.Contains(by, d):
				by = append(by, d)
			}
		}
	}
	return by, all
}

// limit bounds the words that shadows needs to look at: past the longest
// template, all that go on decide alike.
func (t *Table) limit(tpl template) int {
	n := len(tpl.segments)
	if tpl.fallback || n > 0 && tpl.segments[n-1].kind == greedy {
		return t.depth + 1
	}
	return 1 + n
}

// lengths are the words of a pattern whose last run alone is drawn out.
func (t *Table) lengths(p pattern, longest int) [][]symbol {
	var word []symbol
	for _, tok := range p {
		switch tok {
		case some:
			word = append(word, other)
		case rest:
		default:
			word = append(word, symbol(tok))
		}
	}
	out := [][]symbol{word}
	for len(word) < longest {
		word = append(slices.Clone(word), other)
		out = append(out, word)
	}
	return out
}

// Use is a route with one of its methods; $connect has none.
type Use struct {
	Route  RouteID
	Method string
}

// Reach is what a cached copy of a document does to the configured routes.
type Reach struct {
	Opens, Closes []Use
	// LeftOut are granted and closed all the same, see Inexpressible.
	LeftOut []Use
	// AlsoOpens are paths of no configured route, "GET /items/*/*" with * for
	// one segment or more, that it lets through.
	AlsoOpens []string
}

// Reach tells for one set of routes.
func (t *Table) Reach(form PathForm, s Set) Reach {
	p := t.plan(form, s)
	var r Reach
	for i, c := range t.cells {
		use := Use{c.route, verbs[c.verb]}
		switch {
		case p.kept.has(i):
			r.Opens = append(r.Opens, use)
		case p.granted.has(i):
			r.LeftOut = append(r.LeftOut, use)
		default:
			r.Closes = append(r.Closes, use)
		}
	}
	if t.connect != none {
		if use := (Use{Route: t.connect}); s.Has(t.connect) {
			r.Opens = append(r.Opens, use)
		} else {
			r.Closes = append(r.Closes, use)
		}
	}
	for _, q := range p.open {
		method, path, _ := strings.Cut(t.text(form, q, anyText), "/")
		r.AlsoOpens = append(r.AlsoOpens, method+" /"+path)
	}
	return r
}

// AlsoOpens lists what Reach may tell of any caller.
func (t *Table) AlsoOpens(form PathForm) []string {
	all := make([]RouteID, len(t.routes))
	for i := range all {
		all[i] = RouteID(i)
	}
	return t.Reach(form, t.SetOf(all...)).AlsoOpens
}
