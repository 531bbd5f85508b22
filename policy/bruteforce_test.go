//go:build !race

// Single-threaded and slow under the race detector, which has nothing to find
// here.

package policy_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lambda-authorizer/policy"
)

// universe is every path of up to seven segments over two texts that templates
// name and one that they do not, and every Deny of up to six. That is long
// enough for what templates of up to three segments can do to one another.
type universe struct {
	paths   []string
	denies  []string
	denied  []pathSet // by Deny
	allowed map[string]pathSet
}

type pathSet []uint64

func (s pathSet) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s pathSet) join(o pathSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s pathSet) meets(o pathSet) bool {
	for i := range s {
		if s[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// leaks says whether s has a member of o that hidden does not have.
func (s pathSet) leaks(o, hidden pathSet) bool {
	for i := range s {
		if s[i]&o[i]&^hidden[i] != 0 {
			return true
		}
	}
	return false
}

func newUniverse() *universe {
	u := &universe{
		paths:   append(words([]string{"a", "b", "7"}, 7), ""),
		denies:  append(words([]string{"a", "b", "*"}, 6), "", "?*"),
		allowed: map[string]pathSet{},
	}
	for _, d := range u.denies {
		if d == "*" {
			d = "?*" // the root has a Deny of its own
		}
		u.denied = append(u.denied, u.taken(d))
	}
	return u
}

func (u *universe) none() pathSet { return make(pathSet, len(u.paths)/64+1) }

func (u *universe) taken(resource string) pathSet {
	out := u.none()
	for i, p := range u.paths {
		if globs(resource, p) {
			out.add(i)
		}
	}
	return out
}

// allow is what the Allow of a route takes in.
func (u *universe) allow(route string) pathSet {
	resource := "*"
	if route != "$default" {
		resource = ""
		for _, part := range parts(route) {
			if part[0] == '{' {
				part = "?*"
			}
			resource += "/" + part
		}
		resource = strings.TrimPrefix(resource, "/")
	}
	if _, ok := u.allowed[resource]; !ok {
		u.allowed[resource] = u.taken(resource)
	}
	return u.allowed[resource]
}

// best is how many of the granted routes a document can allow to the full, if
// it allows nothing of the refused ones. It tries every set of Allows; with
// each, all Denies that take nothing away, since none of them does harm.
func (u *universe) best(routes tableOpinion, granted []bool) int {
	decided := make([]pathSet, len(routes))
	for i := range routes {
		decided[i] = u.none()
	}
	for i, p := range u.paths {
		if r := routes.choose(true, "GET", p); r >= 0 {
			decided[r].add(i)
		}
	}
	best := 0
	for choice := range 1 << len(routes) {
		allowed, ours, refused, denied, n := u.none(), u.none(), u.none(), u.none(), 0
		fits := true
		for i, route := range routes {
			switch {
			case choice&(1<<i) != 0:
				fits = fits && granted[i]
				allowed.join(u.allow(route))
				ours.join(decided[i])
				n++
			case !granted[i]:
				refused.join(decided[i])
			}
		}
		if !fits || n <= best {
			continue
		}
		for _, d := range u.denied {
			if !d.meets(ours) {
				denied.join(d)
			}
		}
		if !allowed.leaks(refused, denied) {
			best = n
		}
	}
	return best
}

func TestDocumentAllowsAsManyRoutesAsAnyDocumentCould(t *testing.T) {
	t.Parallel()
	u := newUniverse()
	left := 0
	check(t, 200, func(t *rapid.T) {
		routes, granted := drawSmallTable(t)
		var set []policy.RouteID
		var table []policy.Route
		for i, route := range routes {
			table = append(table, policy.Route{Route: route, Require: []policy.Entry{{JWT: &policy.JWTGrant{}}}})
			if granted[i] {
				set = append(set, policy.RouteID(i))
			}
		}
		compiled, found := policy.Compile(table)
		if found != nil {
			t.Fatalf("%q: %v", routes, found)
		}
		r := compiled.Reach(policy.Encoded, compiled.SetOf(set...))
		got := 0
		for _, use := range r.Opens {
			if use.Method == "GET" {
				got++
			}
		}
		left += len(r.LeftOut)
		if want := u.best(routes, granted); got != want {
			t.Fatalf("%q for %v: allows %d routes, the best document %d; left out %v", routes, granted, got, want, r.LeftOut)
		}
	})
	if !t.Failed() && left == 0 {
		t.Error("no table had anything to leave out: the test is too easy")
	}
}

func drawSmallTable(t *rapid.T) (routes tableOpinion, granted []bool) {
	known := map[string]bool{}
	for range rapid.IntRange(2, 6).Draw(t, "routes") {
		route := ""
		for i := range rapid.IntRange(0, 3).Draw(t, "depth") {
			route += "/" + rapid.SampledFrom([]string{"a", "b", "{p}", "{p}"}).Draw(t, "segment")
			route = strings.ReplaceAll(route, "{p}", "{p"+string(rune('0'+i))+"}")
		}
		if strings.Count(route, "/") < 3 && rapid.IntRange(0, 3).Draw(t, "end") == 0 {
			route += "/{rest+}"
		}
		route = "GET " + or(route, "/")
		if rapid.IntRange(0, 9).Draw(t, "default") == 0 {
			route = "$default"
		}
		key := strings.NewReplacer("0", "", "1", "", "2", "", "3", "").Replace(route)
		if !known[key] {
			known[key] = true
			routes = append(routes, route)
			granted = append(granted, rapid.Bool().Draw(t, "granted"))
		}
	}
	return routes, granted
}
