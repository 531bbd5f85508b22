//go:build !race

// Single-threaded and slow under the race detector, which has nothing to find
// here.

package policy_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lambda-authorizer/policy"
)

type situation struct {
	name    string
	routes  []string
	granted []string
	form    policy.PathForm
	left    []string // granted routes that no document can allow
}

var situations = []situation{
	{name: "a reader of items", routes: shop, granted: []string{"GET /items", "GET /items/{id}"}},
	{name: "a writer of items", routes: shop, granted: []string{"GET /items", "GET /items/{id}", "POST /items", "PUT /items/{id}", "GET /items/{id}/lines"}},
	{name: "a writer of items on an HTTP API", routes: shop, granted: []string{"GET /items", "GET /items/{id}", "POST /items", "PUT /items/{id}", "GET /items/{id}/lines"}, form: policy.Decoded},
	{name: "a caller of verbs, but not of the batch", routes: shop, granted: []string{"POST /{verb}", "GET /"}},
	{name: "a reader of files", routes: shop, granted: []string{"GET /files/{path+}"}},
	{name: "everything but deletes", routes: shop, granted: slices.DeleteFunc(slices.Clone(shop), func(r string) bool { return strings.HasPrefix(r, "DELETE") })},
	{name: "a reader beside a refused proxy", routes: []string{"GET /items/{id}", "ANY /{proxy+}"}, granted: []string{"GET /items/{id}"}},
	{name: "a reader beside a refused $default", routes: []string{"GET /items/{id}", "$default"}, granted: []string{"GET /items/{id}"}},
	{
		name: "items and lines beside a refused proxy", routes: []string{"GET /items/{id}", "GET /items/{id}/lines", "ANY /{proxy+}"},
		granted: []string{"GET /items/{id}", "GET /items/{id}/lines"}, left: []string{"GET /items/{id}"},
	},
	{
		name: "a proxy beside a refused item", routes: []string{"GET /items/{id}", "ANY /{proxy+}"}, granted: []string{"ANY /{proxy+}"},
		left: []string{"ANY /{proxy+}"},
	},
	{name: "a proxy beside a refused admin tree", routes: []string{"ANY /admin/{rest+}", "GET /{proxy+}"}, granted: []string{"GET /{proxy+}"}},
	{name: "a name with umlauts under a parameter", routes: []string{"GET /{page}", "GET /café"}, granted: []string{"GET /{page}"}, left: []string{"GET /{page}"}},
	{name: "a name with umlauts under a parameter, decoded", routes: []string{"GET /{page}", "GET /café"}, granted: []string{"GET /{page}"}, form: policy.Decoded},
}

// change is how a compiler is wrong.
type change func(allow, deny, never []string) ([]string, []string, []string)

func right(allow, deny, never []string) ([]string, []string, []string) { return allow, deny, never }

// scene is a situation with its table compiled and its requests looked at.
type scene struct {
	situation
	view
	set      policy.Set
	requests []request
	taken    map[string][]bool // by Resource: which requests it takes
}

// request is one with the other opinion's answer.
type request struct {
	tail  string // METHOD/path
	route int    // or -1
	odd   bool   // no cached document may let it through
	shape bool   // each of its segments could be a parameter's
	alias bool   // another spelling of what is refused
}

func (s situation) play(t *testing.T) *scene {
	t.Helper()
	v := view{world: world{form: s.form, stage: stage}}
	var set []policy.RouteID
	for i, r := range s.routes {
		// Requirements of their own, so that any set of routes may be granted.
		v.routes = append(v.routes, policy.Route{Route: r, Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: []string{strconv.Itoa(i)}}}}})
		v.opinion = append(v.opinion, r)
		v.granted = append(v.granted, slices.Contains(s.granted, r))
		if v.granted[i] {
			set = append(set, policy.RouteID(i))
		}
	}
	table, found := policy.Compile(v.routes)
	if found != nil {
		t.Fatal(found)
	}
	v.table = table
	sc := &scene{situation: s, view: v, set: table.SetOf(set...), taken: map[string][]bool{}}
	sc.reach = table.Reach(s.form, sc.set)
	sc.named = table.Inexpressible(s.form)
	encoded := s.form == policy.Encoded
	for _, path := range s.paths() {
		for _, method := range anyMethods {
			r := request{tail: method + "/" + path, route: v.opinion.choose(encoded, method, path), shape: clean(encoded, path)}
			r.odd = oddly.MatchString(r.tail) || encoded && oddlyEncoded.MatchString(r.tail)
			r.alias = r.route < 0 && encoded && v.respells(method, path)
			sc.requests = append(sc.requests, r)
		}
	}
	sc.compile(t, right)
	return sc
}

// compile takes the document of a compiler that is wrong.
func (s *scene) compile(t *testing.T, wrong change) {
	t.Helper()
	d, err := s.table.CachedChanged(s.view.form, s.arn("GET", ""), s.set, wrong)
	if err != nil {
		t.Fatal(err)
	}
	if s.iam, err = readDocument(d.JSON); err != nil {
		t.Fatal(err)
	}
}

// resources are what the document says, and how much of each kind.
func (s *scene) resources(t *testing.T) (allow, deny, never []string) {
	s.compile(t, func(a, d, n []string) ([]string, []string, []string) {
		allow, deny, never = a, d, n
		return a, d, n
	})
	return allow, deny, never
}

// oddly holds what no cached document may let through.
var oddly = regexp.MustCompile(`(?i)//|/\.\.?(/|$)|.+/.+/$|\\|%(2f|5c|2e)`)
var oddlyEncoded = regexp.MustCompile(`(?i)%([01].|7f)`)

// faults tries the paths around the table and says what is wrong with the
// answers, no more than enough.
func (s *scene) faults(enough int) []string {
	allowed := s.evaluateAll()
	var open, out []string
	for i, r := range s.requests {
		if allowed[i] && r.route >= 0 {
			open = append(open, r.tail)
		}
	}
	for i, r := range s.requests {
		if said := s.judge(r, allowed[i], open); said != "" {
			out = append(out, r.tail+" "+said)
		}
		if len(out) >= enough {
			return out
		}
	}
	return append(out, s.silences(open)...)
}

// evaluateAll is evaluate for all requests. What a Resource takes is
// remembered from one document to the next.
func (s *scene) evaluateAll() []bool {
	allowed, denied := make([]bool, len(s.requests)), make([]bool, len(s.requests))
	for _, statement := range s.iam.Statement {
		into := allowed
		if statement.Effect == "Deny" {
			into = denied
		}
		for _, resource := range statement.Resource {
			if _, ok := s.taken[resource]; !ok {
				taken := make([]bool, len(s.requests))
				for i, r := range s.requests {
					taken[i] = globs(resource, stage+r.tail)
				}
				s.taken[resource] = taken
			}
			for i, taken := range s.taken[resource] {
				into[i] = into[i] || taken
			}
		}
	}
	for i := range allowed {
		allowed[i] = allowed[i] && !denied[i]
	}
	return allowed
}

// judge asks more than a view does: what could be closed must be.
func (s *scene) judge(r request, allowed bool, open []string) string {
	method, _, _ := strings.Cut(r.tail, "/")
	switch {
	case r.route >= 0 && allowed && !s.view.granted[r.route]:
		return "is allowed and was refused"
	case r.route >= 0 && !allowed && s.view.granted[r.route]:
		return s.excuse(r.route, method)
	case r.route >= 0 || !allowed:
		return ""
	case r.alias:
		return "is allowed and another spelling of what was refused"
	case r.odd:
		return "is odd and open"
	case r.shape:
		return s.closable(r.tail, open)
	}
	return ""
}

// closable says of a request that is no route's and let through why it need
// not be.
func (s *scene) closable(tail string, open []string) string {
	if !slices.ContainsFunc(s.reach.Opens, func(use policy.Use) bool { return globs(s.wide(use), tail) }) {
		return "is no route's and open, and no route needs that"
	}
	for _, allow := range s.allows() {
		if !globs(allow, stage+tail) {
			continue
		}
		deny := least(allow, tail)
		if !slices.ContainsFunc(open, func(p string) bool { return globs(deny, p) }) {
			return "is no route's and open, and " + deny + " would close it"
		}
	}
	return ""
}

func (v view) allows() []string {
	for _, s := range v.iam.Statement {
		if s.Effect == "Allow" {
			return s.Resource
		}
	}
	return nil
}

// least is the Deny for a path with every segment left open that the Allow
// does not insist on.
func least(allow, tail string) string {
	segments := strings.Split(tail, "/")
	for i := 1; i < len(segments); i++ {
		probe := slices.Clone(segments)
		if probe[i] = "zz"; globs(allow, stage+strings.Join(probe, "/")) {
			segments[i] = "?*"
		}
	}
	return strings.Join(segments, "/")
}

// statics are the texts of the table's segments, as a path has them.
func (s situation) statics() []string {
	var out []string
	for _, r := range s.routes {
		for _, part := range parts(r) {
			if part[0] != '{' && !slices.Contains(out, spelt(s.form, part)) {
				out = append(out, spelt(s.form, part))
			}
		}
	}
	return out
}

// texts are segments of all sorts: the table's, their other spellings, and
// some that no path should have.
func (s situation) texts() []string {
	out := []string{"7", "8%20", "x%2Fy", "x%2fy", "%5C", "%5c", "%2E", "%2e", "\\", ".", "..", "", "7/8", "7/8/9", "7/lines/8", "7/", "/7"}
	if s.form == policy.Encoded {
		out = append(out, "%0A", "%1f", "%7F", "%7f")
	}
	for _, part := range s.statics() {
		out = append(out, part)
		for i := range len(part) {
			if c := part[i]; s.form == policy.Encoded && c != '%' {
				out = append(out, part[:i]+strings.ToUpper(hex(c))+part[i+1:], part[:i]+hex(c)+part[i+1:])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// paths are those of every route with its parameters filled, and all that
// come of changing or adding one segment; and the short ones.
func (s situation) paths() []string {
	known := map[string]bool{"": true}
	for _, path := range words(append(s.statics(), "7"), 3) {
		known[path] = true
	}
	texts := s.texts()
	for _, r := range s.routes {
		var path []string
		for _, part := range parts(r) {
			if part[0] == '{' {
				part = "7"
			}
			path = append(path, spelt(s.form, part))
		}
		if strings.HasSuffix(r, "+}") {
			known[strings.Join(path, "/")+"/7/8/9/7/8/9"] = true
		}
		for i := range len(path) + 1 {
			for _, text := range texts {
				known[strings.Join(slices.Concat(path[:i], []string{text}, path[i:]), "/")] = true
				if i < len(path) {
					known[strings.Join(slices.Concat(path[:i], []string{text}, path[i+1:]), "/")] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(known))
}

func hex(c byte) string {
	const digits = "0123456789abcdef"
	return "%" + string(digits[c>>4]) + string(digits[c&15])
}

// silences lists refused routes that could be refused out loud and are not:
// no path that is open is in reach of such a Deny.
func (s *scene) silences(open []string) []string {
	var out []string
	for _, use := range s.reach.Closes {
		if s.opinion[use.Route] == "$default" {
			continue
		}
		wide := s.wide(use)
		harmless := !slices.ContainsFunc(open, func(p string) bool { return globs(wide, p) })
		if path := strings.ReplaceAll(wide, "?*", "7"); harmless && s.iam.evaluate(stage+path) != "deny" {
			out = append(out, path+" could be denied and is passed over in silence")
		}
	}
	return out
}

// wide is the least that a Resource can say of a route.
func (s *scene) wide(use policy.Use) string {
	route := s.opinion[use.Route]
	if route == "$default" {
		return use.Method + "/*"
	}
	out := use.Method
	for _, part := range parts(route) {
		if part[0] == '{' {
			part = "?*"
		} else {
			part = spelt(s.view.form, part)
		}
		out += "/" + part
	}
	if out == use.Method {
		out += "/"
	}
	return out
}

func spelt(form policy.PathForm, part string) string {
	if form == policy.Encoded {
		return canonical(part)
	}
	return part
}
